"""The ground that a cluster file takes for granted: VPC, subnets, security groups, buckets, roles, key pairs, and what the
test cloud takes from the file HPC_GROUND: images, reservations, file systems.

    ground.py make EXAMPLE FIRST CHANGED LEFT    makes them in the region of EXAMPLE, and writes two states of the cluster
    ground.py again CHANGED LATER                writes a third state
    ground.py remove LEFT                        removes them again

FIRST is the example on this ground, without its protection against deletion, and keeping nothing. CHANGED has one more node in every
pool, another log retention, and another compression of its Lustre file systems. The changes are made in the text, so
that the files stay what a person wrote. LEFT remembers what was made. The endpoint and the credentials are those of the
environment.
"""

import json
import os
import re
import sys

import boto3
import yaml

BUCKETS = re.compile(r"\bs3://([a-z0-9.-]+)")
IAM = re.compile(r"arn:aws:iam::[0-9]{12}:(role|instance-profile)/((?:[\w+=,.@-]+/)*)([\w+=,.@-]+)")
KEY_ARNS = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[\w-]+")
SECRETS = re.compile(r"arn:aws:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\w/+=.@-]+")
GROUPS = re.compile(r"arn:aws:resource-groups:[a-z0-9-]+:[0-9]{12}:group/[\w.-]+")
KEYS = re.compile(r"\bkey_name: *([\w.-]+)")
IDS = re.compile(r"\b(vpc|subnet|sg)-[0-9a-f]{8,17}\b")


def make(example, first, changed, left):
    text = open(example, encoding="utf-8").read()
    cluster = yaml.safe_load(text)
    region = cluster["region"]
    ec2 = boto3.client("ec2", region_name=region)
    zones = {entry["subnet"]: entry["zone"] for entry in cluster["network"].get("subnet_zones", [])}
    made = {"region": region, "vpc": [], "subnet": [], "sg": [], "key": []}
    names = {}
    wanted = sorted({found.group(0) for found in IDS.finditer(text)}, key=lambda name: ("vpc subnet sg".split().index(name.split("-")[0]), name))
    for name in wanted:
        kind = name.split("-")[0]
        names[name] = {"vpc": vpc, "subnet": subnet, "sg": group}[kind](ec2, name, zones, region, made)
        made[kind].append(names[name])
    for name in sorted(set(KEYS.findall(text))):
        ec2.create_key_pair(KeyName=name)
        made["key"].append(name)
    taken_for_granted(cluster, text)
    s3 = boto3.client("s3", region_name=region)
    for bucket in sorted(set(BUCKETS.findall(text))):
        # us-east-1 is the one region that must not be named.
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)
    made["role"], made["profile"] = roles(text, region)
    json.dump(made, open(left, "w", encoding="utf-8"))
    text = IDS.sub(lambda found: names[found.group(0)], text)
    text = unprotected(text)
    open(first, "w", encoding="utf-8").write(text)
    open(changed, "w", encoding="utf-8").write(change(text))


def taken_for_granted(cluster, text):
    """Images of the processor that the file's nodes have, reservations, and file systems with their mount names."""
    arm = cluster.get("image", {}).get("architecture") == "arm64"
    architecture = "arm64" if arm else "x86_64"
    lustre = [one["fsx_lustre"] for one in cluster.get("storage", []) if "fsx_lustre" in one]
    groups = sorted(set(GROUPS.findall(text)))
    reservations = {name: {"type": "c5n.18xlarge"} for name in re.findall(r"\bcr-[0-9a-f]{8,17}\b", text)}
    if groups:
        reservations["cr-0123456789abcdef0"] = {"type": "c5n.18xlarge", "groups": groups}
    there = {
        "images": {name: {"architecture": architecture} for name in re.findall(r"\bami-[0-9a-f]{8,17}\b", text)},
        "reservations": reservations,
        "keys": {name: "Enabled" for name in KEY_ARNS.findall(text)},
        "secrets": sorted(set(SECRETS.findall(text))),
        "lustre": {one["file_system_id"]: one.get("mount_name", "abcdefgh") for one in lustre if "file_system_id" in one},
    }
    with open(os.environ["HPC_GROUND"], "w", encoding="utf-8") as file:
        json.dump(there, file)


def roles(text, region):
    """The roles and instance profiles that the file names."""
    iam = boto3.client("iam", region_name=region)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    found = {"role": [], "instance-profile": []}
    for kind, path, name in sorted(set(IAM.findall(text))):
        found[kind].append(name)
        if kind == "role":
            iam.create_role(RoleName=name, Path=f"/{path}", AssumeRolePolicyDocument=trust)
        else:
            iam.create_instance_profile(InstanceProfileName=name, Path=f"/{path}")
            # Called otherwise than the profile, as often as not.
            inside = f"{name}-nodes"
            found["role"].append(inside)
            iam.create_role(RoleName=inside, Path=f"/{path}", AssumeRolePolicyDocument=trust)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=inside)
    return found["role"], found["instance-profile"]


def unprotected(text):
    """Nothing is kept, so that the account can be empty at the end."""
    text = text.replace("deletion_protection: true", "deletion_protection: false")
    text = text.replace("on_destroy: keep", "on_destroy: discard")
    text = text.replace("keep_on_destroy: true", "keep_on_destroy: false")
    # An EFS that says nothing is kept.
    silent = re.compile(r"\n( +)efs:\n(?!(?:\1  .*\n)*?\1  (?:on_destroy|file_system_id):)")
    return silent.sub(lambda found: f"{found[0]}{found[1]}  on_destroy: discard\n", text)


def vpc(ec2, name, zones, region, made):
    return ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]


def subnet(ec2, name, zones, region, made):
    number = len(made["subnet"])
    zone = zones.get(name) or region + "abc"[number % 3]
    answer = ec2.create_subnet(VpcId=made["vpc"][0], CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=zone)
    return answer["Subnet"]["SubnetId"]


def group(ec2, name, zones, region, made):
    answer = ec2.create_security_group(GroupName=f"ground-{name}", Description="exists already", VpcId=made["vpc"][0])
    return answer["GroupId"]


def change(text):
    text = re.sub(r"\bmax: (\d+)", lambda found: f"max: {int(found[1]) + 1}", text)
    if re.search(r"\bcompression: LZ4", text):
        text = re.sub(r"\bcompression: LZ4", "compression: NONE", text)
    if re.search(r"\bretention_days: \d+", text):
        return re.sub(r"\bretention_days: \d+", "retention_days: 60", text)
    if not re.search(r"^monitoring:", text, flags=re.M):
        return text + "\nmonitoring: { logs: { retention_days: 60 } }\n"
    return text


def again(changed, later):
    open(later, "w", encoding="utf-8").write(change(open(changed, encoding="utf-8").read()))


def remove(left):
    made = json.load(open(left, encoding="utf-8"))
    ec2 = boto3.client("ec2", region_name=made["region"])
    for name in made["key"]:
        ec2.delete_key_pair(KeyName=name)
    for name in made["sg"]:
        ec2.delete_security_group(GroupId=name)
    for name in made["subnet"]:
        ec2.delete_subnet(SubnetId=name)
    for name in made["vpc"]:
        ec2.delete_vpc(VpcId=name)
    iam = boto3.client("iam", region_name=made["region"])
    for name in made["profile"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=f"{name}-nodes")
        iam.delete_instance_profile(InstanceProfileName=name)
    for name in made["role"]:
        iam.delete_role(RoleName=name)


{"make": make, "again": again, "remove": remove}[sys.argv[1]](*sys.argv[2:])
