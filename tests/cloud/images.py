"""The vendors' machine images: what EC2 answers to owner, name and architecture.

MiniStack lists four images, all x86_64. These are the ones that clusters ask for; names as the vendors write them, ids
made up.
"""

from emulator import ec2_state

_VENDORS = [
    ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{debian}-server-20251001", "099720109477", "/dev/sda1"),
    ("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{debian}-server-20251001", "099720109477", "/dev/sda1"),
    ("debian-12-{debian}-20251001-2253", "136693071363", "/dev/xvda"),
    ("al2023-ami-2023.9.20251001.0-kernel-6.1-{plain}", "137112412989", "/dev/xvda"),
    ("Rocky-9-EC2-Base-9.6-20251001.0.{gnu}", "792107900819", "/dev/sda1"),
    ("RHEL-9.6.0_HVM-20251001-{plain}-0-Hourly2-GP3", "309956199498", "/dev/sda1"),
]
_WORDS = [
    {"debian": "amd64", "plain": "x86_64", "gnu": "x86_64"},
    {"debian": "arm64", "plain": "arm64", "gnu": "aarch64"},
]


def _arm(name):
    return "arm64" in name or "aarch64" in name


def install():
    number = 0
    for name, owner, device in _VENDORS:
        for words in _WORDS:
            number += 1
            image = (f"ami-0{number:016x}", name.format(**words), name.split("/")[-1], "", device, owner, None)
            ec2_state._STUB_AMIS.append(image)
    original = ec2_state._stub_image_view

    def view(*stub):
        answer = original(*stub)
        if _arm(answer["Name"]):
            answer["Architecture"] = "arm64"
        return answer

    ec2_state._stub_image_view = view
