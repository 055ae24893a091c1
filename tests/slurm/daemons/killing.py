"""Programs that are killed at the worst moments; `sync --once` puts everything right."""

from cluster import Stopwatch, Wrong, expect
from rules import Rule


# As the service does it, but once.
SYNC = "set -a; . /etc/hpcctl/node.env; set +a; exec /opt/hpcctl/bin/hpcctl node sync --once"


def _hold(cluster, operation, containing, after):
    """Holds one call of a program at the proxy, so that it can be killed there."""
    return Rule(cluster.vpc, op=operation, containing=containing, times=1, delay=60, after=after)


def _kill(cluster, words):
    """SIGKILL to the programs on the head node with these words in their command line; gives their number."""
    script = f"for pid in $(pgrep -f '[h]pcctl node {words}' || true); do kill -KILL $pid && echo $pid; done"
    pids = cluster.shell(script).split()
    if not pids:
        raise Wrong(f"there is no `hpcctl node {words}` to kill")
    return len(pids)


def _sync(cluster):
    cluster.shell(f"{SYNC} >>/var/log/hpcctl/sync-once.log 2>&1")


def _no_orphans(cluster):
    """Every instance is a node's, by the ledger; none else lives."""
    known, _ = cluster.ledger()
    orphans = sorted(set(cluster.instances()) - set(known))
    expect(orphans, [], "instances that nobody knows")


def _settle(cluster, job, what):
    """One `sync`, maybe two: then there is no orphan, and the job completes."""
    _sync(cluster)
    try:
        _no_orphans(cluster)
        syncs = 1
    except Wrong:
        _sync(cluster)
        _no_orphans(cluster)
        syncs = 2
    watch = Stopwatch()

    def over():
        state = cluster.state(job)
        if state == "COMPLETED":
            return True
        # As the service does: it looks again and again.
        _sync(cluster)
        return False

    cluster.vpc.wait(over, 160, f"job {job}, after {what}")
    _no_orphans(cluster)
    return f"{syncs} sync, {watch():.0f} s to the job's end"


def _empty(cluster):
    """All nodes are given back before the next death: what is left is counted there."""
    awake = [one for one in cluster.run("sinfo", "-h", "-N", "-o", "%N %t").splitlines() if not one.endswith("~")]
    for node in awake:
        cluster.run("scontrol", "update", f"nodename={node.split()[0]}", "state=power_down", check=False)

    def asleep():
        _sync(cluster)
        return not cluster.instances() and "idle~" == cluster.run("sinfo", "-h", "-o", "%t")
    cluster.vpc.wait(asleep, 200, "all nodes powered down and usable")
    expect(cluster.ledger()[1], [], "the nodes of open launches")


def _orphaned(cluster):
    """A job whose nodes were launched by a `resume` that died before it heard of them."""
    with _hold(cluster, "ec2:CreateFleet", f"{cluster.name} sim-od", True) as hold:
        job = cluster.submit("sim", "sleep 1", shared="/home")
        hold.reached()
        _kill(cluster, "resume")
    return job


def _resume(operation, containing, after):
    def scenario(cluster):
        with _hold(cluster, operation, containing.format(cluster.name), after) as hold:
            job = cluster.submit("sim", "sleep 1", "-N2", shared="/home")
            hold.reached()
            _kill(cluster, "resume")
        told = _settle(cluster, job, "the death of resume")
        _empty(cluster)
        return told
    return scenario


def _suspend(after):
    def scenario(cluster):
        job = cluster.submit("sim", "true", shared="/home")
        cluster.wait_state(job, "COMPLETED", 60)
        before = list(cluster.instances())
        expect(len(before), 1, "instances before")
        with _hold(cluster, "ec2:TerminateInstances", before[0], after) as hold:
            hold.reached(60)
            _kill(cluster, "suspend")
        _empty(cluster)
        told = _settle(cluster, cluster.submit("sim", "true", shared="/home"), "the death of suspend")
        _empty(cluster)
        return told
    return scenario


def _syncing(after):
    """`sync` dies while it ends an orphan that a dead `resume` left."""
    def scenario(cluster):
        job = _orphaned(cluster)
        orphans = list(cluster.instances())
        expect(len(orphans), 1, "orphans")
        with _hold(cluster, "ec2:TerminateInstances", orphans[0], after) as hold:
            cluster.shell(f"({SYNC}) </dev/null >>/var/log/hpcctl/sync-once.log 2>&1 &")
            hold.reached(20)
            _kill(cluster, "sync")
        told = _settle(cluster, job, "the death of sync")
        _empty(cluster)
        return told
    return scenario


# On two clusters, so that they can run at the same time.
RESUME = {
    "resume killed before CreateFleet": _resume("ec2:CreateFleet", "{} sim-od", False),
    "resume killed after CreateFleet, before the reply": _resume("ec2:CreateFleet", "{} sim-od", True),
    "resume killed before the S3 put": _resume("s3:PutObject", "clusters/{}/launches/", False),
    "resume killed before scontrol": _resume("s3:PutObject", "clusters/{}/launches/", True),
}
SUSPEND_AND_SYNC = {
    "suspend killed before TerminateInstances": _suspend(False),
    "suspend killed after TerminateInstances": _suspend(True),
    "sync killed before TerminateInstances": _syncing(False),
    "sync killed after TerminateInstances": _syncing(True),
}
