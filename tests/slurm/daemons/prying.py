"""What a job must not get at: the role of its node, the munge key, the database's password."""

import os

from cluster import Wrong, expect

PRY = os.path.realpath(f"{os.path.dirname(os.path.abspath(__file__))}/../../rehearsal/pry")
# What root of a node gets at, by the same ways.
OWN = {"metadata-version-1", "metadata-version-2", "credentials", "munge-key", "munge"}


def opened(text):
    return {line.removeprefix("open ") for line in text.splitlines() if line.startswith("open ")}


def secrets_of_a_job(cfd):
    """A job tries every way there is; root of its node has the role, root of the head node the password."""
    with open(PRY, encoding="utf-8") as script:
        text = script.read()
    job = cfd.submit("main", text + "hostname\n")
    node = cfd.wait_state(job, "COMPLETED", 60)["NodeList"]
    tried = cfd.output(job)
    expect(opened(tried), {"munge"}, "what a job gets at")
    own = opened(cfd.vpc.on(cfd.instance_of(node), "/bin/bash", "-c", text).stdout)
    if not OWN <= own:
        raise Wrong(f"root of {node} lacks {sorted(OWN - own)}")
    expect(cfd.shell("grep -c ^StoragePass= /etc/slurm/slurmdbd.conf"), "1", "the password on the head node")
    for path in ("/etc/slurm/slurmdbd.conf", "/etc/munge/munge.key", "/opt/hpcctl/key/munge.key"):
        expect(cfd.run("cat", path, check=False, user="daemon"), "", f"what people read of {path} on the head node")
    return f"{sum(line.startswith('shut ') for line in tried.splitlines())} ways are shut"
