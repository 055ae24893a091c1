"""Launching nodes: `hpcctl node resume` against other ResumePrograms, on the same emulator.

    benches/resume/run --hpcctl BINARY [--plugin DIR] [--no-peer] [--nodes 1,100,1000] [--rounds 5]

    BINARY    a release build of hpcctl with the feature `aws`
    DIR       the plugin: git clone -b plugin-v2 https://github.com/aws-samples/aws-plugin-for-slurm

`run` makes a virtual environment with aws-parallelcluster-node 3.16.1 (the peer) and boto3, which the plugin uses too,
compiles the fake scontrol, and starts this file. It needs what `tests/setup` installs.

For each number of nodes a fresh test cloud, one run of each program that does not count, then rounds: in each, every
program launches that many fresh nodes once, in an order that rotates; its instances are terminated before the next.
A run counts only when EC2 has that many instances and scontrol was told that many addresses.

  wall      begin to end of the process, all calls through the judging proxy, as the counts need it
  direct    the same with the programs connected to the emulator itself, in rounds of their own
  CPU       user and system time of the process and its children: what the program itself costs, whatever the emulator
  peak      the resident memory of its largest process, with its code and what else it maps from files
  own       what of it is the program's own: not mapped from files and shared; looked at in a round of its own
  calls     requests that reached the proxy, so retries and pages count

Both wall times contain the emulator's own work, which is Python, is the same for the same call, and is not that of AWS.
"""

import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import programs
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
CLOUD = ROOT / "tests/cloud"


class Ground:
    """A test cloud with what the programs launch on."""

    region, domain, table = "us-east-1", "bench.pcluster.", "parallelcluster-slurm-bench"

    def __init__(self, folder, slurm):
        self.folder, self.slurm = Path(folder), Path(slurm)
        subprocess.run([CLOUD / "start", self.folder], check=True)
        self.direct, self.judged = (f"http://127.0.0.1:{port}" for port in (self.folder / "ports").read_text().split()[:2])
        self.ec2 = self.client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/17")["Subnet"]["SubnetId"]
        group = self.ec2.create_security_group(GroupName="compute", Description="compute", VpcId=vpc)["GroupId"]
        self.data = {"ImageId": "ami-0123456789abcdef0", "SecurityGroupIds": [group], "UserData": "IyEvYmluL3NoCg=="}
        self.bucket = "bench-artifacts"
        self.client("s3").create_bucket(Bucket=self.bucket)
        self.client("dynamodb").create_table(
            TableName=self.table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}])
        zone = self.client("route53").create_hosted_zone(
            Name=self.domain, CallerReference="bench", VPC={"VPCRegion": self.region, "VPCId": vpc})
        self.zone = zone["HostedZone"]["Id"].rpartition("/")[2]

    def client(self, service):
        """A client that the judge does not see."""
        return boto3.client(
            service, endpoint_url=self.direct, region_name=self.region, aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="secret", config=Config(s3={"addressing_style": "path"}))

    def template(self, name, tags, by="id"):
        """A launch template whose instances have these tags."""
        data = dict(self.data)
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            data["TagSpecifications"] = [{"ResourceType": "instance", "Tags": pairs}]
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
        return made["LaunchTemplateId"] if by == "id" else name

    def instances(self):
        """The instances that run."""
        running = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=running)
        return [one["InstanceId"] for page in pages for group in page["Reservations"] for one in group["Instances"]]

    def terminate(self, ids):
        """Ends instances."""
        for begin in range(0, len(ids), 500):
            self.ec2.terminate_instances(InstanceIds=ids[begin:begin + 500])

    def calls(self):
        """What the judge has seen: lines of its log."""
        return [json.loads(line) for line in (self.folder / "judge.jsonl").read_text().splitlines()]

    def stop(self):
        subprocess.run([CLOUD / "stop", self.folder], check=True)


def run(ground, program, count, endpoint, measure):
    """One run, by the command `measure`: what it took. Raises when nodes are missing."""
    program.fresh()
    before = len(ground.calls())
    work = program.home / "run"
    work.mkdir(exist_ok=True)
    nodes = program.nodes(count)
    jobs = [{"job_id": 7, "nodes_alloc": nodes, "nodes_resume": nodes, "oversubscribe": "NO", "partition": "cfd",
             "reservation": None, "features": None, "extra": None}]
    (work / "resume.json").write_text(json.dumps({"all_nodes_resume": nodes, "jobs": jobs}))
    (work / "scontrol").write_text("")
    environment = {
        "PATH": f"{ground.slurm / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(work), "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": ground.region, "AWS_DEFAULT_REGION": ground.region,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true",
        "SLURM_RESUME_FILE": str(work / "resume.json"), "SCONTROL_LOG": str(work / "scontrol"), **program.environment()}
    with (work / "output").open("w") as output:
        subprocess.run([*measure, work / "usage.json", *program.command(count)], env=environment, stdin=subprocess.DEVNULL,
                       stdout=output, stderr=subprocess.STDOUT, check=True)
    found = json.loads((work / "usage.json").read_text())
    told = [line.split() for line in (work / "scontrol").read_text().splitlines()]
    ids = ground.instances()
    addresses = sum(int(number) for what, number in told if what == "update")
    if found["code"] != 0 or len(ids) != count or addresses != count:
        tail = (work / "output").read_text()[-3000:]
        raise RuntimeError(f"{program.name}: exit {found['code']}, {len(ids)} instances, {addresses} addresses\n{tail}")
    program.launched()
    ground.terminate(ids)
    seen = ground.calls()[before:]
    return {**found, "cpu": found["user"] + found["system"], "scontrol": len(told),
            "calls": collections.Counter(f"{line['service']}:{line['op']}" for line in seen),
            "emulator": sum(line["ms"] for line in seen) / 1000,
            "violations": sorted({text for line in seen for text in line["violations"]})}


def rounds(ground, all_programs, count, endpoint, number, measure):
    """Runs of each program, by its name, interleaved."""
    found = {program.name: [] for program in all_programs}
    for turn in range(number):
        first = turn % len(all_programs)
        for program in all_programs[first:] + all_programs[:first]:
            one = run(ground, program, count, endpoint, measure)
            found[program.name].append(one)
            print(f"{count:5} {program.name:7} wall {one['wall']:8.3f}  CPU {one['cpu']:7.3f}  "
                  f"peak {one['peak_kib'] / 1024:6.1f}", file=sys.stderr)
    return found


def middle(runs, key):
    return statistics.median(one[key] for one in runs)


def ratio(runs, base, key):
    """The median of the ratios within rounds."""
    return statistics.median(one[key] / other[key] for one, other in zip(runs, base))


def table(results):
    """The markdown table, and the calls by their names below."""
    heads = ["nodes", "program", "wall s", "direct s", "CPU s", "peak MB", "own MB", "calls", "scontrol",
             "times hpcctl's wall, direct, CPU, peak, own"]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for count, (judged, direct, looked) in results.items():
        for name, runs in judged.items():
            base, straight, own = judged["hpcctl"], direct[name], looked[name]
            cells = [f"{count:,}", name, f"{middle(runs, 'wall'):.3f}", f"{middle(straight, 'wall'):.3f}",
                     f"{middle(runs, 'cpu'):.3f}", f"{middle(runs, 'peak_kib') / 1024:.1f}",
                     f"{middle(own, 'own_kib') / 1024:.1f}",
                     f"{statistics.median(sum(one['calls'].values()) for one in runs):,.0f}",
                     f"{middle(runs, 'scontrol'):,.0f}"]
            times = [ratio(runs, base, "wall"), ratio(straight, direct["hpcctl"], "wall"), ratio(runs, base, "cpu"),
                     ratio(runs, base, "peak_kib"), ratio(own, looked["hpcctl"], "own_kib")]
            cells.append("" if name == "hpcctl" else ", ".join(f"{one:.1f}" for one in times))
            yield f"| {' | '.join(cells)} |"
    yield ""
    for count, (judged, *_) in results.items():
        for name, runs in judged.items():
            last = runs[-1]
            calls = ", ".join(f"{number:,} {call}" for call, number in sorted(last["calls"].items()))
            yield f"- {count:,} node{'s' * (count > 1)}, {name}: {calls} (in the emulator: {middle(runs, 'emulator'):.3f} s)"
            yield from (f"  - not what AWS would take: {text}" for text in last["violations"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hpcctl", required=True)
    parser.add_argument("--plugin")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--nodes", default="1,100,1000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--direct-rounds", type=int, default=3)
    parser.add_argument("--peer-python", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tools", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    measure, results = [Path(options.tools) / "measure"], {}
    # The programs see the environment that `run` gives them; this one must not see the caller's.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="hpcctl-resume.") as work:
        for count in [int(text) for text in options.nodes.split(",")]:
            home = Path(work) / str(count)
            ground = Ground(home / "cloud", options.tools)
            try:
                every = [programs.Hpcctl(home / "hpcctl", ground, os.path.abspath(options.hpcctl))]
                if options.plugin:
                    every.append(programs.Plugin(home / "plugin", ground, options.plugin, options.peer_python))
                if not options.no_peer:
                    every.append(programs.Peer(home / "peer", ground, options.peer_python))
                rounds(ground, every, 1, ground.judged, 1, measure)
                results[count] = (rounds(ground, every, count, ground.judged, options.rounds, measure),
                                  rounds(ground, every, count, ground.direct, options.direct_rounds, measure),
                                  rounds(ground, every, count, ground.direct, 1, [*measure, "-p"]))
            finally:
                ground.stop()
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
