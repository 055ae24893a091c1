"""Nodes that EC2 takes back, and hosts that fail."""

from cluster import Stopwatch, Wrong, expect

TRAPPED = """
trap 'exit 200' TERM
echo "start $SLURMD_NODENAME $(cat /run/rehearsal/instance)"
[[ ${SLURM_RESTART_COUNT:-0} == 0 ]] || { echo "done"; exit 0; }
sleep 600 & wait
"""

# Counts to 60, five a second; saves when it is asked to, and begins where the last save was.
COUNTING = """
state=/fsx/checkpoints/$SLURM_JOB_ID/state
trap 'exit 200' TERM
number=$(cat "$state" 2>/dev/null || echo 0)
echo "from $number"
while ((number < 60)); do
  ((number += 1))
  [[ ! -e $state.please ]] || { echo "$number" >"$state.new"; mv "$state.new" "$state"; rm "$state.please"; }
  sleep 0.2 & wait $!
done
echo "counted to $number"
"""

# The pool's checkpoint.command: asks the job to save itself, and waits until it has.
SAVE = """#!/bin/bash
cd "$HPCCTL_CHECKPOINT_DIR" || exit 1
printf '%s %s %s\\n' "$(id -un)" "$SLURM_JOB_ID" "$HPCCTL_CHECKPOINT_DIR" >>/fsx/saves
[[ -d $SLURM_JOB_ID ]] && cd "$SLURM_JOB_ID"
touch state.please
for _ in {1..100}; do
  [[ -e state.please ]] || exit 0
  sleep 0.1
done
exit 1
"""


def _running(cluster, queue, script, *options):
    """A job that runs, its node and its instance."""
    job = cluster.submit(queue, script, *options)
    node = cluster.wait_state(job, "RUNNING", 60)["NodeList"]
    instance = cluster.instance_of(node)
    cluster.vpc.wait(lambda: cluster.output(job).startswith(("start", "from")), 20, f"the beginning of job {job}")
    return job, node, instance


def _powered_off(vpc, instance, notice):
    """Proves that a machine went by itself, before EC2 took it, without a Lustre mount."""
    journal = dict((words.split(":")[0].split()[0], (when, words)) for when, words in vpc.journal(instance))
    if "poweroff" not in journal:
        raise Wrong(f"{instance} did not power off: {vpc.journal(instance)}")
    when, words = journal["poweroff"]
    if "/fsx" in words.split(":", 1)[1].split():
        raise Wrong(f"{instance} powered off with Lustre mounted: {words}")
    if not any("mount /fsx" in line for _, line in vpc.journal(instance)):
        raise Wrong(f"{instance} never mounted Lustre")
    begin = journal["interruption"][0]
    if not begin < when < begin + notice:
        raise Wrong(f"{instance} powered off {when - begin:.1f} s after the notice of {notice} s")
    return when - begin


def interruption(cfd):
    """EC2's notice: the job is requeued and finishes on a new instance; Lustre is unmounted before power-off."""
    vpc, notice = cfd.vpc, 40
    job, node, instance = _running(cfd, "cut", TRAPPED)
    vpc.wish("interrupt", instance=instance, seconds=notice)
    watch = Stopwatch()
    vpc.wait(lambda: cfd.state(job) in ("PENDING", "REQUEUED"), 45, "the job back in the queue")
    requeued = watch()
    vpc.wait(lambda: instance not in cfd.instances(), notice + 10, "the end of the instance")
    off = _powered_off(vpc, instance, notice)
    cfd.wait_state(job, "COMPLETED", 150)
    starts = [line.split()[1:] for line in cfd.output(job).splitlines() if line.startswith("start")]
    expect(len(starts), 2, "starts of the job")
    if starts[0][1] == starts[1][1]:
        raise Wrong("the job ran twice on the same instance")
    vpc.wait(lambda: cfd.accounted(job) == ["REQUEUED", "COMPLETED"], 20, "the requeued run and the completed one in sacct")
    return f"requeued {requeued:.1f} s after the notice, powered off after {off:.1f} s, done after {watch():.0f} s"


def checkpoint(cfd):
    """A checkpointed job goes on where it was saved."""
    vpc, notice = cfd.vpc, 60
    cfd.shell(f"mkdir -p /fsx/bin; cat >/fsx/bin/save-job <<'END'\n{SAVE}END\nchmod 755 /fsx/bin/save-job; "
              "touch /fsx/saves; chmod 666 /fsx/saves")
    job, node, instance = _running(cfd, "save", COUNTING)
    vpc.wait(lambda: True, 1, "")
    vpc.wish("interrupt", instance=instance, seconds=notice)
    vpc.wait(lambda: instance not in cfd.instances(), notice + 10, "the end of the instance")
    _powered_off(vpc, instance, notice)
    cfd.wait_state(job, "COMPLETED", 170)
    lines = cfd.output(job).splitlines()
    begins = [int(line.split()[1]) for line in lines if line.startswith("from")]
    if len(begins) != 2 or begins[0] != 0 or not 0 < begins[1] < 60:
        raise Wrong(f"the job began at {begins}: {lines}")
    expect(lines[-1], "counted to 60", "the end of the job")
    saves = [line.split() for line in cfd.run("cat", "/fsx/saves").splitlines()]
    ours = [line for line in saves if line[1] == str(job)]
    expect([line[0] for line in ours], ["daemon"] * len(ours), "who saved the job")
    expect(bool(ours), True, "the job was saved by the pool's command")
    return f"went on from {begins[1]} of 60"


def failing_prolog(cfd):
    """ND-06: a prolog fails (a file is where checkpoints go). The job is not held and runs on another machine."""
    job = cfd.submit("save", "echo done", "--hold")
    cfd.shell("mv /fsx/checkpoints /fsx/checkpoints.aside 2>/dev/null; touch /fsx/checkpoints")
    cfd.run("scontrol", "release", str(job))

    def drained():
        names = cfd.run("sinfo", "-h", "-N", "-p", "save", "-o", "%N").split()
        return [name for name in names if "Prolog error" in cfd.run("scontrol", "--oneliner", "show", "node", name)]

    bad = cfd.vpc.wait(drained, 90, "a node drained by its prolog")[0]
    instance = cfd.instance_of(bad)
    cfd.shell("rm /fsx/checkpoints; mv /fsx/checkpoints.aside /fsx/checkpoints 2>/dev/null || true")
    facts = cfd.job(job)
    if facts["Priority"] == "0" or "held" in facts["Reason"]:
        raise Wrong(f"job {job} is held: {facts['Reason']}, priority {facts['Priority']}")
    facts = cfd.wait_state(job, "COMPLETED", 150)
    # The name may come again: a drained node that is powered down comes back as a new machine, which is its cure.
    if facts["NodeList"] == bad and instance in cfd.instances():
        raise Wrong(f"job {job} ran on the drained node {bad}")
    cfd.shell(f"scontrol update nodename={bad} state=resume || true")
    return f"failed on {bad}, ran on {facts['NodeList']}"


def vanished_host(cfd):
    """A host fails: the job is requeued, and the node can be used again."""
    job, node, instance = _running(cfd, "host", TRAPPED)
    cfd.vpc.wish("vanish", instance=instance)
    watch = Stopwatch()
    cfd.vpc.wait(lambda: cfd.state(job) == "PENDING", 120, "the job back in the queue")
    requeued = watch()
    # The pool has this one node.
    facts = cfd.wait_state(job, "COMPLETED", 150)
    expect(facts["NodeList"], node, "the node")
    if cfd.instance_of(node) == instance:
        raise Wrong("the node is still the old instance")
    cfd.vpc.wait(lambda: cfd.accounted(job) == ["NODE_FAIL", "COMPLETED"], 20, "the lost run and the completed one in sacct")
    return f"requeued {requeued:.1f} s after, done {watch():.0f} s after"
