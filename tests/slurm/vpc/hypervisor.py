"""The hypervisor of a VPC: for every instance that the test cloud has, a machine; for every one it has no more, none.

    hypervisor.py      as in `inside`, which sets: VPC_DIR, VPC_CIDR, VPC_ROUTER, HPC_CLOUD, REHEARSAL, HPCCTL

Looks every 0.3 s. Machines that power themselves off end their instance, as instances with the shutdown behaviour
`terminate` do. Tests speak to it through VPC_DIR/hypervisor.sock, a line a request, a line an answer (JSON):

    {"do": "interrupt", "instance": ID, "seconds": 120}    EC2's notice now, the end after so many seconds
    {"do": "rebalance", "instance": ID}                    EC2's recommendation
    {"do": "vanish", "instance": ID}                       the host fails: no process does another step
    {"do": "hold", "seconds": 5}                           instances boot so much later
    {"do": "list"}                                         all machines
    {"do": "instances"}                                    all instances that EC2 has now
"""

import base64
import json
import os
import socketserver
import threading
import time
import traceback

import imds
from disks import Disks
from ec2 import Ec2
from machine import Machine

LOOK = 0.3
# Seconds from launch to boot. slurmd's and slurmctld's whole seconds must not overlap: see machine.py.
BOOT = 1.0
DIR = os.environ["VPC_DIR"]
REGION = os.environ["AWS_REGION"]


class Hypervisor:
    def __init__(self):
        self.ec2 = Ec2(os.environ["HPC_CLOUD"], REGION)
        self.metadata = imds.Machines(REGION, os.environ["VPC_CIDR"])
        self.machines, self.ends, self.seen, self.held = {}, {}, {}, 0.0
        self.disks = Disks(f"{DIR}/volumes")
        self.lock = threading.RLock()
        self.settings = {
            "PREFIX": os.environ["VPC_CIDR"].partition("/")[2], "ROUTER": os.environ["VPC_ROUTER"],
            "IMAGE": f"{os.environ['REHEARSAL']}/image", "SHARED": f"{DIR}/shared", "HOSTS": f"{DIR}/hosts",
            "PROGRAM": os.environ["HPCCTL"], "ENDPOINT": os.environ["AWS_ENDPOINT_URL"]}

    def look(self):
        """One look at the cloud."""
        instances = {one["id"]: one for one in self.ec2.instances()}
        held = self.ec2.volumes()
        with self.lock:
            self.disks.look(held, self.machines)
            for name, when in list(self.ends.items()):
                if time.time() >= when:
                    self.end(name, "terminated by EC2")
                    instances.pop(name, None)
            for name, machine in list(self.machines.items()):
                if name not in instances:
                    self.remove(name, "terminated")
                elif machine.ended():
                    machine.note("ended")
                    self.end(name, "powered off")
                    instances.pop(name)
            fresh = [one for name, one in instances.items() if name not in self.machines]
            for one in fresh:
                if time.time() >= max(self.seen.setdefault(one["id"], time.time()) + BOOT, self.held):
                    self.boot(one)

    def boot(self, instance):
        machine = Machine(instance, self.settings, os.environ["REHEARSAL"], f"{DIR}/machines")
        self.machines[machine.id] = machine
        self.metadata.by_address[machine.address] = {
            **instance, "mac": machine.mac, "life_cycle": "spot" if instance["spot"] else "on-demand",
            "user_data": base64.b64decode(self.ec2.user_data(machine.id))}
        machine.note("boot")
        machine.connect("br0")

    def remove(self, name, why):
        machine = self.machines.pop(name)
        self.ends.pop(name, None)
        machine.kill()
        machine.note(why)
        if self.metadata.by_address.get(machine.address, {}).get("id") == name:
            del self.metadata.by_address[machine.address]

    def end(self, name, why):
        """Ends machine and instance, in this order: nobody shall see the instance gone and the machine alive."""
        if name in self.machines:
            self.remove(name, why)
        self.ends.pop(name, None)
        self.ec2.terminate(name)

    def facts(self, name):
        return self.metadata.by_address[self.machines[name].address]

    def do(self, request):
        """A test's wish."""
        what, name = request["do"], request.get("instance")
        if what == "instances":
            return {one["id"]: one for one in self.ec2.instances()}
        with self.lock:
            if what == "list":
                return {one.id: {"address": one.address, "role": one.role, "cluster": one.cluster}
                        for one in self.machines.values()}
            if what == "hold":
                self.held = time.time() + request["seconds"]
            elif what == "vanish":
                self.end(name, "vanished")
            elif what == "rebalance":
                self.facts(name)["rebalance"] = json.dumps({"noticeTime": imds.stamp(time.time())})
            elif what == "interrupt":
                end = time.time() + request.get("seconds", 120)
                self.facts(name)["instance_action"] = json.dumps({"action": "terminate", "time": imds.stamp(end)})
                self.machines[name].note("interruption notice")
                self.ends[name] = end
            else:
                raise ValueError(f"unknown wish {what}")
            return {"done": what}


class Wishes(socketserver.StreamRequestHandler):
    hypervisor = None

    def handle(self):
        try:
            answer = self.hypervisor.do(json.loads(self.rfile.readline()))
        except Exception as error:  # whatever it was, the test is to read it
            answer = {"error": f"{type(error).__name__}: {error}"}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def main():
    hypervisor = Hypervisor()
    imds.serve(hypervisor.metadata)
    Wishes.hypervisor = hypervisor
    server = socketserver.ThreadingUnixStreamServer(f"{DIR}/hypervisor.sock", Wishes)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("hypervisor: ready", flush=True)
    while True:
        begin = time.time()
        try:
            hypervisor.look()
        except Exception:
            traceback.print_exc()
        time.sleep(max(0.02, LOOK - (time.time() - begin)))


if __name__ == "__main__":
    main()
