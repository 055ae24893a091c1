"""Protected mode: a queue whose nodes cannot be set up stops launching."""

import time

from vpc import VpcError

from cluster import Stopwatch, Wrong, expect

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
    state = cfd.shell("cat /var/lib/hpcctl/state/*.json 2>/dev/null || true")
    expect(cfd.partition_state("short"), "UP", "the partition that lacked capacity")
    expect(cfd.partition_state("main"), "UP", "the partition whose calls were slow")
    if '"short"' in state.partition('"failures"')[2].partition("}")[0]:
        raise Wrong(f"lack of capacity is counted: {state}")
    return ""
