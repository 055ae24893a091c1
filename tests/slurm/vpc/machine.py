"""One machine: an instance of the cloud as namespaces with a life of their own."""

import ctypes
import os
import signal
import subprocess
import time


CLONE_NEWTIME = 0x80
_libc = ctypes.CDLL(None, use_errno=True)


def _own_clock():
    """Lets the clock since boot of what is started next begin at zero.

    slurmd reports when its machine booted, and slurmctld does not take a node for launched that booted before it was asked
    for. To the nanosecond, for slurmd rounds down: `unshare --boottime` takes seconds only.
    """
    if _libc.unshare(CLONE_NEWTIME):
        raise OSError(ctypes.get_errno(), "no time namespace")
    with open("/proc/self/timens_offsets", "w") as offsets:
        seconds, nanoseconds = divmod(-time.clock_gettime_ns(time.CLOCK_BOOTTIME), 1_000_000_000)
        offsets.write(f"boottime {seconds} {nanoseconds}\n")


class Machine:
    """A running machine; `settings` are the variables that machine.sh asks for and all machines share."""

    def __init__(self, instance, settings, rehearsal, folder):
        self.id, self.address, self.role = instance["id"], instance["address"], instance["tags"].get("hpcctl:role")
        self.cluster = instance["tags"].get("hpcctl:cluster")
        self.folder = f"{folder}/{self.id}"
        os.makedirs(self.folder, exist_ok=True)
        environment = {**settings, "PATH": os.environ["PATH"], "MACHINE": self.folder, "ADDRESS": self.address,
                       "OVERLAY": f"{folder}/../files/{self.cluster}.overlay"}
        if self.role == "head":
            # The way of the program from the bucket is a head node's to prove; many nodes share one copy.
            environment["PROGRAM"] = ""
        with open(f"{self.folder}/machine.log", "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "/bin/bash",
                 f"{rehearsal}/machine.sh"], preexec_fn=_own_clock,
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        with open(f"{self.folder}/pid", "w") as file:
            file.write(str(self.process.pid))
        self.mac = "0e:" + ":".join(f"{int(part):02x}" for part in [0] + self.address.split("."))

    def connect(self, bridge):
        """Puts its network card in, as soon as it has a network of its own, and lets it boot."""
        ours, theirs = os.readlink("/proc/self/ns/net"), f"/proc/{self.process.pid}/ns/net"
        for _ in range(500):
            if self.process.poll() is not None:
                raise OSError(f"{self.id} ended before it booted")
            if os.readlink(theirs) != ours:
                break
            time.sleep(0.01)
        port = "v" + self.id[-12:]
        command = ["ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "address", self.mac, "netns",
                   str(self.process.pid)]
        subprocess.run(command, check=True)
        subprocess.run(["ip", "link", "set", port, "master", bridge, "up"], check=True)
        open(f"{self.folder}/go", "w").close()

    def note(self, words):
        with open(f"{self.folder}/journal", "a") as journal:
            journal.write(f"{time.time():.3f} {words}\n")

    def kill(self):
        """The plug: nothing in it can do anything any more."""
        try:
            os.kill(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def ended(self):
        return self.process.poll() is not None
