"""A cluster as its users and its administrator see it, through Slurm's own commands on the head node."""

import json
import re
import time

from vpc import VpcError

OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL")
USER = "daemon"


class Wrong(AssertionError):
    """What was found is not what should be."""


def expect(found, wanted, what):
    if found != wanted:
        raise Wrong(f"{what}: {found!r}, not {wanted!r}")


class Cluster:
    """One cluster of a VPC."""

    def __init__(self, vpc, name):
        self.vpc, self.name = vpc, name

    def run(self, *command, check=True, user=None):
        """What a command on the head node prints."""
        done = self.vpc.head(self.name, *command, check=check, user=user)
        return done.stdout.strip()

    def shell(self, script, user=None):
        return self.run("/bin/bash", "-euo", "pipefail", "-c", script, user=user)

    # ------------------------------------------------------------ jobs

    def submit(self, queue, script, *options, shared="/fsx"):
        """A batch job of a plain user; its output is SHARED/out-ID."""
        text = script if script.startswith("#!") else f"#!/bin/bash\n{script}\n"
        command = ["sbatch", "--parsable", "-p", queue, "-D", shared, "-o", f"{shared}/out-%j", "--open-mode=append", *options]
        quoted = " ".join(f"'{word}'" for word in command)
        return int(self.shell(f"{quoted} <<'END'\n{text}\nEND", user=USER))

    def job(self, job):
        """A job's facts as `scontrol show job` gives them."""
        text = self.run("scontrol", "--oneliner", "show", "job", str(job))
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def state(self, job):
        return self.job(job)["JobState"]

    def wait_state(self, job, states, seconds):
        """Waits until a job is in one of these states; gives its facts."""
        states = (states,) if isinstance(states, str) else states

        def look():
            facts = self.job(job)
            if facts["JobState"] in states:
                return facts
            if facts["JobState"] in OVER:
                raise Wrong(f"job {job} is {facts['JobState']} (exit {facts.get('ExitCode')}), not {' or '.join(states)}")
            return None

        try:
            return self.vpc.wait(look, seconds, f"job {job} {' or '.join(states)}")
        except VpcError as error:
            raise Wrong(f"{error}; it is {self.job(job)['JobState']} ({self.job(job)['Reason']}), nodes {self.nodes_text()}")

    def output(self, job, shared="/fsx"):
        return self.run("cat", f"{shared}/out-{job}", check=False)

    def accounted(self, job):
        """The job's states in the database, oldest first: requeued runs are records of their own."""
        text = self.run("sacct", "-D", "-X", "-n", "-P", "-j", str(job), "-o", "State", check=False)
        return text.split()

    # ------------------------------------------------------------ nodes

    def node(self, name):
        text = self.run("scontrol", "--oneliner", "show", "node", name)
        facts = dict(word.split("=", 1) for word in text.split() if "=" in word)
        facts["states"] = set(re.split(r"[+*]+", facts["State"].replace("*", "+NOT_RESPONDING")))
        return facts

    def nodes_text(self):
        return self.run("sinfo", "-h", "-o", "%P %t %N", check=False).replace("\n", "; ")

    def partition_state(self, name):
        return re.search(r"State=(\S+)", self.run("scontrol", "--oneliner", "show", "partition", name))[1]

    # ------------------------------------------------------------ instances

    def instances(self):
        """The cluster's compute instances that EC2 has now, by id."""
        return {name: one for name, one in self.vpc.wish("instances").items()
                if one["tags"].get("hpcctl:cluster") == self.name and one["tags"].get("hpcctl:role") == "compute"}

    def instance_of(self, node):
        """The instance behind a node, by its address."""
        address = self.node(node)["NodeAddr"]
        found = [name for name, one in self.instances().items() if one["address"] == address]
        if len(found) != 1:
            raise Wrong(f"{node} at {address} is {len(found)} instances: {found}")
        return found[0]

    def of_queue(self, queue):
        return {name for name, one in self.instances().items() if one["tags"].get("hpcctl:queue") == queue}

    def ledger(self):
        """The instances that the head node's ledger knows, with their nodes; and the nodes of launches that are open."""
        text = self.shell("cat /var/lib/hpcctl/state/launches/*.json 2>/dev/null || true")
        launches, decoder = [], json.JSONDecoder()
        while text:
            launch, end = decoder.raw_decode(text)
            launches.append(launch)
            text = text[end:].lstrip()
        known = {instance: node["name"] for launch in launches for instance, node in launch["nodes"].items()}
        return known, [node for launch in launches for node in launch["wanted"]]

    # ------------------------------------------------------------ the proxy's rules

    def calls(self, operation, since=0.0):
        """The calls of an operation that the proxy has seen, oldest first."""
        with open(f"{self.vpc.dir}/cloud/judge.jsonl") as file:
            lines = [json.loads(line) for line in file if f'"{operation}"' in line]
        return [line for line in lines if line["op"] == operation and line["t"] >= since]


class Stopwatch:
    def __init__(self):
        self.begin = time.time()

    def __call__(self):
        return time.time() - self.begin
