"""Protected mode: a queue whose nodes cannot be set up stops launching."""

import json
import time

from vpc import VpcError

from cluster import Stopwatch, Wrong, expect
from rules import Rule

LIMIT = 3


def protected_mode(cfd):
    """Nodes that fail in their set-up make the partition INACTIVE after three failures."""
    watch = Stopwatch()
    jobs = [cfd.submit("bad", "true") for _ in range(LIMIT)]
    cfd.vpc.wait(lambda: cfd.partition_state("bad") == "INACTIVE", 150, "the partition INACTIVE")
    took = watch()
    asked = cfd.of_queue("bad")
    cfd.vpc.wait(lambda: not cfd.of_queue("bad"), 60, "the end of the failed instances")
    begin = time.time()
    try:
        cfd.submit("bad", "true")
    except VpcError as error:
        if "Required partition not available" not in str(error):
            raise
    else:
        raise Wrong("a protected queue takes a job")
    time.sleep(8)
    expect([cfd.state(job) for job in jobs], ["PENDING"] * LIMIT, "the jobs that wait in the protected queue")
    expect([call for call in cfd.calls("CreateFleet", begin) if "bad/od" in str(call["params"])], [],
           "launches of a protected queue")
    for other in ("main", "two", "short", "cut"):
        expect(cfd.partition_state(other), "UP", f"the partition {other}")
    cfd.run("scancel", *[str(job) for job in jobs])
    return f"INACTIVE after {took:.0f} s, {len(asked)} instances then"


def not_protected(cfd):
    """Lack of capacity, and an EC2 that answers slowly, are no failed starts."""
    with Rule(cfd.vpc, op="ec2:DescribeInstances", containing="cfd", times=2, delay=8), \
            Rule(cfd.vpc, op="ec2:DescribeInstances", containing="hpcctl:launch", times=2, delay=8) as slow:
        jobs = [cfd.submit("main", "true", "--exclusive") for _ in range(LIMIT)]
        for job in jobs:
            cfd.wait_state(job, "COMPLETED", 90)
        if not slow.uses():
            raise Wrong("no call was slow")
    time.sleep(12)
    for queue in ("main", "short"):
        expect(cfd.partition_state(queue), "UP", f"the partition {queue}")
    failures = json.loads(cfd.shell("cat /var/lib/hpcctl/state/pools.json 2>/dev/null || echo '{}'")).get("failures", {})
    counted = {queue: count for queue, count in failures.items() if count and queue != "bad"}
    expect(counted, {}, "failed starts of other queues")
