"""Programs that are killed at the worst moments; `sync --once` puts everything right."""

import json
import os
import time

from cluster import Stopwatch, Wrong, expect


class Hold:
    """Holds one call of a program at the proxy, so that it can be killed there."""

    def __init__(self, vpc, operation, containing="", after=False):
        self.path = f"{vpc.dir}/cloud/judge-rules.json"
        self.vpc = vpc
        rule = {"op": operation, "times": 1, "delay": 60, "after": after}
        if containing:
            rule["containing"] = containing
        self._write([rule])

    def reached(self, seconds=30):
        """Waits until the call is held."""
        def used():
            with open(self.path) as file:
                rules = json.load(file)
            return not rules or rules[0]["times"] == 0
        self.vpc.wait(used, seconds, "the call that is to be held")
        # With `after` the call itself still has to be done upstream.
        time.sleep(0.3)

    def release(self):
        self._write([])

    def _write(self, rules):
        with open(f"{self.path}.next", "w") as file:
            json.dump(rules, file)
        os.replace(f"{self.path}.next", self.path)


def _kill(cluster, words):
    """SIGKILL to the programs on the head node with these words in their command line; gives their number."""
    script = f"for pid in $(pgrep -f '[h]pcctl node {words}' || true); do kill -KILL $pid && echo $pid; done"
    pids = cluster.shell(script).split()
    if not pids:
        raise Wrong(f"there is no `hpcctl node {words}` to kill")
    return len(pids)


def _sync(cluster):
    cluster.shell("set -a; . /etc/hpcctl/node.env; set +a; setpriv --reuid=slurm --regid=slurm --init-groups "
                  "/opt/hpcctl/bin/hpcctl node sync --once >>/var/log/hpcctl/sync-once.log 2>&1")


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
    def asleep():
        _sync(cluster)
        return not cluster.instances() and "idle~" == cluster.run("sinfo", "-h", "-o", "%t")
    cluster.vpc.wait(asleep, 200, "all nodes powered down and usable")
    expect(cluster.ledger(), ({}, []), "the ledger")


def _killed_resume(operation, containing, after):
    def scenario(_cfd, eda):
        hold = Hold(eda.vpc, operation, containing, after)
        try:
            job = eda.submit("sim", "sleep 1", "-N2", shared="/home")
            hold.reached()
            _kill(eda, "resume")
        finally:
            hold.release()
        told = _settle(eda, job, "the death of resume")
        _empty(eda)
        return told
    return scenario


def _killed_suspend(after):
    def scenario(_cfd, eda):
        job = eda.submit("sim", "true", shared="/home")
        eda.wait_state(job, "COMPLETED", 60)
        before = set(eda.instances())
        expect(len(before), 1, "instances before")
        hold = Hold(eda.vpc, "ec2:TerminateInstances", next(iter(before)), after)
        try:
            hold.reached(60)
            _kill(eda, "suspend")
        finally:
            hold.release()
        _empty(eda)
        again = eda.submit("sim", "true", shared="/home")
        told = _settle(eda, again, "the death of suspend")
        _empty(eda)
        return told
    return scenario


def _killed_sync(after):
    """`sync` dies while it ends an orphan that a dead `resume` left."""
    def scenario(_cfd, eda):
        hold = Hold(eda.vpc, "ec2:CreateFleet", "sim", True)
        try:
            job = eda.submit("sim", "sleep 1", shared="/home")
            hold.reached()
            _kill(eda, "resume")
        finally:
            hold.release()
        hold = Hold(eda.vpc, "ec2:TerminateInstances", "", after)
        try:
            eda.shell("set -a; . /etc/hpcctl/node.env; set +a; setsid setpriv --reuid=slurm --regid=slurm --init-groups "
                      "/opt/hpcctl/bin/hpcctl node sync --once </dev/null >>/var/log/hpcctl/sync-once.log 2>&1 &")
            hold.reached(20)
            _kill(eda, "sync")
        finally:
            hold.release()
        told = _settle(eda, job, "the death of sync")
        _empty(eda)
        return told
    return scenario


DEATHS = {
    "resume killed before CreateFleet": _killed_resume("ec2:CreateFleet", "sim", False),
    "resume killed after CreateFleet, before the reply": _killed_resume("ec2:CreateFleet", "sim", True),
    "resume killed before the S3 put": _killed_resume("s3:PutObject", "launches/", False),
    "resume killed before scontrol": _killed_resume("s3:PutObject", "launches/", True),
    "suspend killed before TerminateInstances": _killed_suspend(False),
    "suspend killed after TerminateInstances": _killed_suspend(True),
    "sync killed before TerminateInstances": _killed_sync(False),
    "sync killed after TerminateInstances": _killed_sync(True),
}
