"""Nodes that come when jobs need them, and go."""

import json
import time

from cluster import Stopwatch, Wrong, expect


def cold_job(cfd):
    """A job wakes a node, runs, is in the accounting database; the idle node is given back."""
    watch = Stopwatch()
    job = cfd.submit("main", "hostname; srun hostname")
    facts = cfd.wait_state(job, "COMPLETED", 40)
    ran = watch()
    node = facts["NodeList"]
    expect(cfd.output(job).split(), [node, node], "the job's output")
    instance = cfd.instance_of(node)
    fleets = [call for call in cfd.calls("CreateFleet") if call["params"].get("ClientToken") and call["status"] == 200]
    tags = cfd.instances()[instance]["tags"]
    if not any(call["params"]["ClientToken"] == tags["hpcctl:launch"] for call in fleets):
        raise Wrong("the instance is of no CreateFleet that the proxy has seen")
    expect(tags["hpcctl:pool"], "od", "the tag hpcctl:pool")
    cfd.vpc.wait(lambda: cfd.accounted(job) == ["COMPLETED"], 20, "the job in sacct")
    idle = Stopwatch()
    cfd.vpc.wait(lambda: instance not in cfd.instances(), 60, "the end of the idle instance")
    cfd.vpc.wait(lambda: "POWERED_DOWN" in cfd.node(node)["states"], 150, f"{node} powered down")
    expect(node in cfd.ledger()[0].values(), False, "the node in the ledger")
    return f"ran {ran:.1f} s after submission, terminated {idle():.0f} s after"


def two_pools(cfd):
    """A job of three nodes over a spot pool and an on-demand pool of two nodes each."""
    watch = Stopwatch()
    job = cfd.submit("two", "srun -N3 bash -c 'echo $SLURMD_NODENAME $(hostname)'", "-N3")
    cfd.wait_state(job, "COMPLETED", 40)
    lines = [line.split() for line in cfd.output(job).splitlines()]
    expect([one for one, other in lines if one != other], [], "nodes whose host name is another")
    pools = sorted({one.rsplit("-", 1)[0] for one, _ in lines})
    expect((len(lines), pools), (3, ["two-od", "two-spot"]), "lines and pools")
    spot = [one for one in cfd.instances().values() if one["tags"]["hpcctl:queue"] == "two" and one["spot"]]
    expect(len(spot), sum(one.startswith("two-spot") for one, _ in lines), "spot instances")
    return f"{watch():.1f} s"


def no_capacity(cfd):
    """EC2 has no spot capacity: the job runs on demand within a minute, and EC2 is not asked for every node."""
    begin, watch = time.time(), Stopwatch()
    job = cfd.submit("short", "sleep 1", "-N2", "-p", "short")
    cfd.wait_state(job, "RUNNING", 100)
    took = watch()
    facts = cfd.wait_state(job, "COMPLETED", 30)
    expect(facts["NodeList"], "short-std-[1-2]", "the nodes")
    asked = [call for call in cfd.calls("CreateFleet", begin) if "c5.9xlarge" in json.dumps(call["params"])]
    if not 1 <= len(asked) <= 2:
        raise Wrong(f"EC2 was asked {len(asked)} times for what it has not, not once or twice")
    reason = cfd.run("scontrol", "--oneliner", "show", "node", "short-spot-8")
    if "InsufficientInstanceCapacity" not in reason:
        raise Wrong(f"the pool's nodes do not say why they rest: {reason}")
    if took > 60:
        raise Wrong(f"running only {took:.0f} s after submission, not within 60 s")
    return f"running on demand {took:.1f} s after submission, {len(asked)} calls for spot"


def wide_job(cfd):
    """Fifty cold nodes in one job."""
    watch = Stopwatch()
    job = cfd.submit("wide", "srun -N50 hostname | sort -u | wc -l", "-N50")
    cfd.wait_state(job, "COMPLETED", 110)
    expect(cfd.output(job), "50", "nodes that answered")
    launches = {one["tags"]["hpcctl:launch"] for one in cfd.instances().values() if one["tags"]["hpcctl:queue"] == "wide"}
    expect(len(launches), 1, "launches")
    return f"{watch():.1f} s"


def shared_database(cfd, eda):
    """Two clusters keep their accounting in one database: each sees the other's jobs."""
    one = cfd.submit("main", "true", "-J", "from-cfd")
    other = eda.submit("sim", "true", "-J", "from-eda", shared="/home")
    cfd.wait_state(one, "COMPLETED", 60)
    eda.wait_state(other, "COMPLETED", 60)
    # A slurmdbd learns at its start which clusters are in the database; the two began at the same time.
    for cluster in (cfd, eda):
        cluster.run("systemctl", "restart", "slurmdbd")
    wanted = {f"cfd|{one}|from-cfd|COMPLETED", f"eda|{other}|from-eda|COMPLETED"}
    for cluster in (cfd, eda):
        def seen():
            text = cluster.run("sacct", "--allclusters", "-X", "-n", "-P", "-o", "Cluster,JobID,JobName,State", check=False)
            return wanted <= set(text.split())
        cluster.vpc.wait(seen, 30, f"both clusters' jobs in {cluster.name}'s sacct")
