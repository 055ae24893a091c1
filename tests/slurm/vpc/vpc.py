"""A VPC in Linux namespaces on this machine: start, look inside, end. See README.md for the command."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.realpath(f"{HERE}/../../..")
CIDR, ROUTER, DATABASE = "10.42.0.0/16", "10.42.255.1", "10.42.255.2"
NEEDS = ("unshare", "nsenter", "ip", "munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd", "mariadb-install-db", "jq", "curl")


class VpcError(Exception):
    pass


class Vpc:
    """A VPC that lives in a directory; any number side by side."""

    def __init__(self, directory):
        self.dir = os.path.abspath(directory)
        self._pids = {}

    # ------------------------------------------------------------ life

    def start(self, region="us-east-1"):
        """Network, cloud, database and hypervisor; no clusters yet."""
        missing = [name for name in NEEDS if not shutil.which(name)]
        if missing:
            raise VpcError(f"there is no {', '.join(missing)}: run tests/setup")
        hpcctl = os.environ.get("HPCCTL") or ""
        if not os.access(hpcctl, os.X_OK):
            raise VpcError("set HPCCTL to the binary")
        os.makedirs(self.dir, exist_ok=True)
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "HPCCTL_TEST_VENVS") if name in os.environ},
            "VPC_DIR": self.dir, "VPC_CIDR": CIDR, "VPC_ROUTER": ROUTER, "VPC_DATABASE": DATABASE,
            "REHEARSAL": f"{ROOT}/templates/rehearsal", "HPCCTL": self._program(hpcctl), "AWS_REGION": region}
        with open(f"{self.dir}/inside.log", "ab") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
                 f"{HERE}/inside"],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        with open(f"{self.dir}/pid", "w") as file:
            file.write(str(process.pid))
        self.wait(lambda: os.path.exists(f"{self.dir}/ready") or process.poll() is not None, 60, "the VPC")
        if process.poll() is not None:
            raise VpcError(f"the VPC does not start: {open(f'{self.dir}/inside.log').read()[-2000:]}")

    def _program(self, hpcctl):
        """A copy without symbols: every machine holds and digests it, and a rebuild must not change it meanwhile."""
        subprocess.run(["strip", "-o", f"{self.dir}/hpcctl", hpcctl], check=True)
        return f"{self.dir}/hpcctl"

    def stop(self):
        """Everything in it ends with its first process."""
        try:
            with open(f"{self.dir}/pid") as file:
                pid = int(file.read())
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            return
        for _ in range(500):
            try:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    break
            except ChildProcessError:
                if not os.path.exists(f"/proc/{pid}") or " Z " in open(f"/proc/{pid}/stat").read():
                    break
            time.sleep(0.02)
        os.remove(f"{self.dir}/pid")

    def apply(self, *files):
        """Makes clusters from their files, one after the other, and waits until slurmctld of each answers."""
        python = os.environ.get("HPCCTL_TEST_VENVS", os.path.expanduser("~/.cache/hpcctl-test")) + "/ministack/bin/python"
        files, names = [os.path.abspath(file) for file in files], []
        self.cloud(python, f"{HERE}/ground.py", f"{self.dir}/files", CIDR, f"{self.dir}/database.password", *files)
        for file in files:
            name = next(line.split()[1] for line in open(file) if line.startswith("name:"))
            overlay = file.removesuffix(".yaml") + ".slurm.conf"
            if os.path.exists(overlay):
                shutil.copy(overlay, f"{self.dir}/files/{name}.overlay")
            self.cloud(f"{self.dir}/hpcctl", "--cloud", "aws", "apply", f"{self.dir}/files/{name}.yaml", "--auto-approve", "--no-wait", "--no-preflight")
            names.append(name)
        for name in names:
            self.wait(lambda: self.is_up(name), 60, f"slurmctld of {name}")
        return names

    def is_up(self, cluster):
        for name, machine in self.machines().items():
            if machine["role"] == "head" and machine["cluster"] == cluster:
                console = self.console(name)
                if "set-up failed" in console:
                    raise VpcError(f"the head node of {cluster}: {console[-2000:]}")
                return "set-up done" in console and "is UP" in self.on(name, "scontrol", "ping", check=False).stdout
        return False

    def console(self, instance):
        try:
            with open(f"{self.dir}/machines/{instance}/console", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    # ------------------------------------------------------------ inside

    def cloud(self, *command, check=True):
        """Runs a command beside the cloud, with its environment."""
        script = '. "$0/cloud/env"; export HPCCTL_CATALOG=/nonexistent XDG_DATA_HOME=$0/data; exec "$@"'
        return self._run(["/bin/bash", "-c", script, self.dir, *command], check)

    def head(self, cluster, *command, check=True, user=None):
        """Runs a command on a cluster's head node."""
        for name, machine in self.machines().items():
            if machine["role"] == "head" and machine["cluster"] == cluster:
                return self.on(name, *command, check=check, user=user)
        raise VpcError(f"{cluster} has no head node")

    def on(self, instance, *command, check=True, user=None):
        """Runs a command on a machine, by its instance id."""
        pid = self._pid_of(instance)
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return self._run(["nsenter", "--target", pid, "--all", "--wdns=/tmp", "env", "-i", path, "HOME=/root", "LC_ALL=C.UTF-8",
                          *become, *command], check)

    def journal(self, instance):
        """What happened to a machine: `(time, words)`."""
        with open(f"{self.dir}/machines/{instance}/journal") as file:
            return [(float(line.split(" ", 1)[0]), line.rstrip("\n").split(" ", 1)[1]) for line in file if " " in line]

    # ------------------------------------------------------------ hypervisor

    def wish(self, what, **more):
        """Asks the hypervisor for something: see hypervisor.py."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"{self.dir}/hypervisor.sock")
            line.sendall(json.dumps({"do": what, **more}).encode() + b"\n")
            answer = json.loads(line.makefile().readline())
        if "error" in answer:
            raise VpcError(answer["error"])
        return answer

    def machines(self):
        return self.wish("list")

    # ------------------------------------------------------------ helpers

    def wait(self, ready, seconds, what):
        """Waits until `ready()` gives something; gives it. The seconds are those of a machine with nothing else to do: where
        others work beside it everything takes longer, and is right all the same."""
        seconds *= 2.5
        end = time.time() + seconds
        while True:
            found = ready()
            if found:
                return found
            if time.time() > end:
                raise VpcError(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.1)

    def _pid_of(self, instance):
        """The first process of a machine, as the VPC numbers processes."""
        if instance not in self._pids:
            with open(f"{self.dir}/machines/{instance}/pid") as file:
                outer = file.read()
            self._pids[instance] = self._run(["cat", f"/proc/{outer}/task/{outer}/children"], True).stdout.split()[0]
        return self._pids[instance]

    def _run(self, command, check):
        with open(f"{self.dir}/pid") as file:
            outer = file.read()
        with open(f"/proc/{outer}/task/{outer}/children") as file:
            first = file.read().split()[0]
        done = subprocess.run(["nsenter", "--target", first, "--all", *command], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL)
        if check and done.returncode:
            shown = " ".join(command)[-300:]
            raise VpcError(f"`{shown}` ended with {done.returncode}: {(done.stderr + done.stdout)[-3000:]}")
        return done
