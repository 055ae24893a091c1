"""Faults on the wire: each kind at each call of `apply` and `destroy`; one more command, and all is as if nothing had been.

    matrix.py CLUSTER [--all]

One round makes and destroys the cluster, with a fault at one call of each. A sample of rounds by default; --all is every call
with every fault. Endpoint, credentials and the proxy's rules are those of the environment; HPCCTL is the program.
Prints what deviates, and "N passed, N failed".
"""

import json
import os
import subprocess
import sys
import time

import boto3

APPLY = [
    "cloudformation:CreateStack", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents",
    "cloudformation:GetTemplate", "cloudformation:ListStackResources", "s3:PutObject", "s3:GetObject", "s3:HeadBucket",
    "s3:ListObjectsV2", "s3:DeleteObject", "sts:GetCallerIdentity", "ec2:DescribeImages", "ec2:DescribeInstances",
]
DESTROY = [
    "cloudformation:DeleteStack", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents",
    "fsx:CreateDataRepositoryTask", "fsx:DescribeDataRepositoryTasks", "fsx:DescribeFileSystems",
    "fsx:DescribeDataRepositoryAssociations", "s3:DeleteObjects", "s3:ListObjectVersions", "s3:GetObject", "iam:ListRoles",
    "ec2:DescribeTags", "ec2:DescribeInstances",
]
FAULTS = {
    "dropped": {"times": 1, "drop": True},
    "reply lost": {"times": 1, "after": True, "drop": True},
    "500 twice": {"times": 2, "code": "InternalFailure", "status": 500, "message": "We encountered an internal error."},
    "503 three times": {"times": 3, "code": "SlowDown", "status": 503, "message": "Please reduce your request rate."},
    "throttled three times": {"times": 3, "code": "Throttling", "status": 400, "message": "Rate exceeded"},
    "cut": {"times": 1, "after": True, "mangle": "cut"},
    "a page": {"times": 1, "after": True, "mangle": "page"},
    "empty": {"times": 1, "after": True, "mangle": "empty"},
    "denied": {"code": "AccessDenied", "status": 403, "message": "User is not authorized to perform this"},
    "expired": {"code": "ExpiredToken", "status": 403, "message": "The provided token has expired."},
}
# These the SDK itself gets over: the command must not even fail.
GOT_OVER = {"dropped", "reply lost", "500 twice"}
# By default every how many rounds one is run.
SAMPLE = 37
BUCKET = "wire-data"


class Wire:
    def __init__(self, cluster):
        self.cluster = cluster
        self.passed, self.wrong, self.failures = 0, [], 0
        self.clients = {name: boto3.client(name) for name in ("cloudformation", "fsx", "ec2", "s3")}

    def rules(self, rules):
        partial = os.environ["JUDGE_RULES"] + ".new"
        with open(partial, "w") as file:
            json.dump(rules, file)
        os.replace(partial, os.environ["JUDGE_RULES"])

    def run(self, *words):
        command = [os.environ["HPCCTL"], "--cloud", "aws", *words]
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        return ran.returncode, ran.stdout

    def apply(self):
        return self.run("apply", self.cluster, "--auto-approve")

    def destroy(self):
        return self.run("destroy", self.cluster, "--auto-approve", "--approve-data-loss", "all")

    def account(self):
        """What there is, without numbers that AWS gives."""
        clients = self.clients
        stacks = [one for page in clients["cloudformation"].get_paginator("describe_stacks").paginate() for one in page["Stacks"]]
        instances = [i for r in clients["ec2"].describe_instances()["Reservations"] for i in r["Instances"]]
        keys = [one["Key"] for one in clients["s3"].list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {
            "stacks": sorted((one["StackName"], one["StackStatus"]) for one in stacks),
            "file systems": sorted(one["Lifecycle"] for one in clients["fsx"].describe_file_systems()["FileSystems"]),
            "instances": sum(one["State"]["Name"] in ("pending", "running") for one in instances),
            "exported": sorted(key for key in keys if not key.startswith("results/.reports") and ".csv" not in key),
        }

    def forget_exports(self):
        s3 = self.clients["s3"]
        for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=one["Key"])

    def hold(self, what, deed, right, op, fault):
        """The command with a fault, then without; what there is must be right."""
        self.rules([{"op": op, **FAULTS[fault]}])
        code, said = deed()
        self.rules([])
        problems = []
        if "panicked" in said or code not in (0, 1):
            problems.append(f"ended with {code}")
        if code != 0 and "HPC" not in said:
            problems.append("failed without a code")
        if code != 0 and fault in GOT_OVER:
            problems.append("did not get over it")
        self.failures += code != 0
        again, told = deed()
        if again != 0:
            problems.append(f"the second command ended with {again}:\n{told[-1500:]}")
        found = self.account()
        problems += [f"{part}: {found[part]}, not {right[part]}" for part in right if found[part] != right[part]]
        if problems:
            self.wrong.append(f"{what} {op} {fault}: {'; '.join(problems)}\n  first: {said[-600:]}")
            print(f"FAIL {self.wrong[-1]}", flush=True)
        else:
            self.passed += 1

    def clean(self):
        """After a deviation the next round begins with nothing again."""
        self.destroy()
        self.forget_exports()


def main(cluster, everything):
    wire = Wire(cluster)
    began = time.monotonic()
    for _ in range(2):
        # Twice: the bootstrap stack is there from the second on.
        assert wire.apply()[0] == 0, wire.apply()
        made = wire.account()
        assert wire.destroy()[0] == 0
        gone = wire.account()
        wire.forget_exports()
    assert made["instances"] == 1 and len(made["file systems"]) == 1 and gone["exported"], (made, gone)
    rounds = [(apply, destroy, fault) for fault in FAULTS for apply, destroy in zip(APPLY, DESTROY)]
    for apply, destroy, fault in rounds if everything else rounds[::SAMPLE]:
        wire.hold("apply", wire.apply, made, apply, fault)
        code, said = wire.run("plan", cluster, "--detailed-exitcode", "--no-preflight")
        if code != 0:
            wire.wrong.append(f"after apply {apply} {fault} the plan ends with {code}:\n{said[-1500:]}")
            print(f"FAIL {wire.wrong[-1]}", flush=True)
        wire.hold("destroy", wire.destroy, gone, destroy, fault)
        if wire.account()["stacks"] != gone["stacks"]:
            wire.clean()
        wire.forget_exports()
    runs = wire.passed + len(wire.wrong)
    print(f"{runs} faults on the wire, of which {wire.failures} ended the first command, in {time.monotonic() - began:.0f} s")
    print(f"{wire.passed} passed, {len(wire.wrong)} failed")
    return 1 if wire.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--all" in sys.argv))
