"""The first calls of every kind of node, each with the role that its launch template or template gives it.

    nodes.py CLUSTER

Nothing boots in the test cloud: head, login and compute nodes are launched here, and what their user data fetch before a
program of hpcctl's runs is asked for with their own keys. The judging proxy holds each call against the role's policies.
Real nodes run in tests/slurm/run.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# What common.sh and the user data fetch, by kind of node, below clusters/NAME.
FILES = {
    "head": ["current/head/setup.sh", "current/cluster.json"],
    "login": ["current/login/setup.sh", "current/cluster.json", "launches/head.json"],
    "compute": ["current/compute/setup.sh", "current/cluster.json", "launches/head.json"],
}


def main(cluster):
    ec2 = boto3.client("ec2")
    called = dict.fromkeys(FILES, 0)
    for role, instance in [*heads(ec2, cluster), *launched(ec2, cluster)]:
        calls(cluster, role, instance)
        called[role] += 1
        if role != "head":
            ec2.terminate_instances(InstanceIds=[instance])
    print("nodes:", ", ".join(f"{count} {role}" for role, count in called.items()))
    return 0 if called["head"] and called["compute"] else 1


def heads(ec2, cluster):
    found = ec2.describe_instances(Filters=[{"Name": "tag:hpcctl:cluster", "Values": [cluster]},
                                            {"Name": "instance-state-name", "Values": ["running"]}])
    for one in (one for part in found["Reservations"] for one in part["Instances"]):
        role = next((tag["Value"] for tag in one["Tags"] if tag["Key"] == "hpcctl:role"), None)
        if role == "head":
            yield role, one["InstanceId"]


def launched(ec2, cluster):
    """An instance of each launch template of the cluster."""
    templates = ec2.describe_launch_templates(Filters=[{"Name": "tag:hpcctl:cluster", "Values": [cluster]}])["LaunchTemplates"]
    for one in templates:
        newest = ec2.describe_launch_template_versions(LaunchTemplateId=one["LaunchTemplateId"], Versions=["$Latest"])
        data = newest["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        tags = {tag["Key"]: tag["Value"] for spec in data.get("TagSpecifications", []) if spec["ResourceType"] == "instance"
                for tag in spec["Tags"]}
        if "hpcctl:role" not in tags:
            continue  # the head node's: its stack launches it
        made = ec2.run_instances(MinCount=1, MaxCount=1, ImageId=data["ImageId"], InstanceType=data.get("InstanceType", "c5.large"),
                                 IamInstanceProfile=data["IamInstanceProfile"],
                                 TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}])
        yield tags["hpcctl:role"], made["Instances"][0]["InstanceId"]


def calls(cluster, role, instance):
    session = boto3.Session(aws_access_key_id="ASI" + instance.removeprefix("i-").upper(), aws_secret_access_key="node")
    s3 = session.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    account = boto3.client("sts").get_caller_identity()["Account"]
    bucket = f"hpcctl-{account}-{session.region_name}"
    mine = {"Bucket": bucket, "ExpectedBucketOwner": account}
    s3.list_objects_v2(Bucket=bucket, Prefix=f"clusters/{cluster}/current/{role}/")
    programs = boto3.client("s3", config=Config(s3={"addressing_style": "path"})).list_objects_v2(Bucket=bucket, Prefix="bin/")
    keys = [f"clusters/{cluster}/{file}" for file in FILES[role]] + [one["Key"] for one in programs.get("Contents", [])]
    for key in keys:
        try:
            s3.get_object(**mine, Key=key)
        except ClientError as error:
            # Nothing boots, so that the head node has not told its address.
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise SystemExit(f"nodes: {role} {instance}: {key}: {error}") from error


sys.exit(main(sys.argv[1]))
