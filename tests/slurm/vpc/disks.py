"""EBS volumes: files behind loop devices, plugged into the machine whose instance has them, under the name of Nitro's udev."""

import os
import subprocess


class Disks:
    def __init__(self, folder):
        self.folder, self.loops, self.plugged = folder, {}, set()

    def look(self, held, machines):
        """`held`: volume, size in GiB, instance; `machines`: by instance."""
        self.plugged &= {(volume, instance) for volume, _, instance in held}
        for volume, size, instance in held:
            machine = machines.get(instance)
            if machine and (volume, instance) not in self.plugged and self.plug(machine, volume, self.number(volume, size)):
                self.plugged.add((volume, instance))

    def number(self, volume, size):
        if volume not in self.loops:
            os.makedirs(self.folder, exist_ok=True)
            path = f"{self.folder}/{volume}.img"
            with open(path, "ab") as file:
                file.truncate(size << 30)
            device = subprocess.run(["losetup", "--find", "--show", path], check=True, text=True,
                                    capture_output=True).stdout.strip()
            # Kept open it stays; then, detached, it goes with the last who uses it.
            self.loops[volume] = (int(device.removeprefix("/dev/loop")), os.open(device, os.O_RDONLY | os.O_CLOEXEC))
            subprocess.run(["losetup", "--detach", device], check=True)
        return self.loops[volume][0]

    def plug(self, machine, volume, number):
        children = open(f"/proc/{machine.process.pid}/task/{machine.process.pid}/children").read().split()
        root = f"/proc/{children[0]}/root" if children else ""
        if not root or not os.path.exists(f"{root}/run/rehearsal/instance"):
            return False
        if not os.path.exists(f"{root}/dev/loop{number}"):
            os.mknod(f"{root}/dev/loop{number}", 0o60660, os.makedev(7, number))
        os.makedirs(f"{root}/dev/disk/by-id", exist_ok=True)
        name = f"{root}/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '', 1)}"
        if os.path.lexists(name):
            os.remove(name)
        os.symlink(f"/dev/loop{number}", name)
        return True
