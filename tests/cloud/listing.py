"""What is left in an account: a JSON object of lists on stdout; exit 0 when all are empty, else 1.

    listing.py ENDPOINT [--cluster NAME] [--region REGION]

With --cluster the bucket objects under `clusters/NAME/` count (current, old versions and delete
markers are told apart); without it all objects do. The bootstrap stack `hpcctl-bootstrap`, its
bucket and what else it made are meant to stay and do not count, nor do the default VPC with its
parts and AWS's own roles.
"""

import argparse
import json
import sys

import boto3
from botocore.config import Config

BOOTSTRAP = "hpcctl-bootstrap"


class Account:
    """Clients of one endpoint, and what the bootstrap stack owns."""

    def __init__(self, endpoint, region):
        self.endpoint, self.region = endpoint, region
        self.kept = self._bootstrap_resources()

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=self.region, aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="secret", config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}))

    def pages(self, service, operation, key, **request):
        """All items of a listing, page by page where the operation has pages."""
        client = self.client(service)
        if client.can_paginate(operation):
            for page in client.get_paginator(operation).paginate(**request):
                yield from page.get(key) or []
        else:
            yield from getattr(client, operation)(**request).get(key) or []

    def _bootstrap_resources(self):
        cloudformation = self.client("cloudformation")
        try:
            found = cloudformation.describe_stack_resources(StackName=BOOTSTRAP)["StackResources"]
        except cloudformation.exceptions.ClientError:
            return set()
        return {resource.get("PhysicalResourceId") for resource in found}

    def names(self, service, operation, key, name, unless=lambda item: False, **request):
        """The `name` of every item that counts."""
        items = self.pages(service, operation, key, **request)
        return sorted({str(item[name]) for item in items if item[name] not in self.kept and not unless(item)})


def left(account, cluster):
    """Lists of names by noun."""
    names = account.names
    return {
        "stacks": names("cloudformation", "list_stacks", "StackSummaries", "StackName", lambda s: (
            s["StackStatus"] == "DELETE_COMPLETE" or s["StackName"] == BOOTSTRAP)),
        "instances": _instances(account),
        "volumes": names("ec2", "describe_volumes", "Volumes", "VolumeId"),
        "network_interfaces": names("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
        "file_systems": names("fsx", "describe_file_systems", "FileSystems", "FileSystemId"),
        "associations": names("fsx", "describe_data_repository_associations", "Associations", "AssociationId"),
        "efs": names("efs", "describe_file_systems", "FileSystems", "FileSystemId"),
        "db_instances": names("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        "db_clusters": names("rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
        "secrets": names("secretsmanager", "list_secrets", "SecretList", "Name"),
        "roles": names("iam", "list_roles", "Roles", "RoleName", lambda r: r["Path"].startswith("/aws-service-role/")),
        "instance_profiles": names("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
        "policies": names("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
        "launch_templates": names("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateName"),
        "placement_groups": names("ec2", "describe_placement_groups", "PlacementGroups", "GroupName"),
        "security_groups": names("ec2", "describe_security_groups", "SecurityGroups", "GroupId",
                                 lambda g: g["GroupName"] == "default"),
        "vpcs": names("ec2", "describe_vpcs", "Vpcs", "VpcId", lambda v: v.get("IsDefault")),
        "addresses": names("ec2", "describe_addresses", "Addresses", "PublicIp"),
        "nat_gateways": names("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId",
                              lambda n: n.get("State") == "deleted"),
        "log_groups": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "dashboards": names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "alarms": names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "topics": names("sns", "list_topics", "Topics", "TopicArn"),
        "parameters": names("ssm", "describe_parameters", "Parameters", "Name",
                            lambda p: p["Name"].startswith("/aws/service/")),
        "budgets": _budgets(account),
        "objects": _objects(account, f"clusters/{cluster}/" if cluster else ""),
    }


def _instances(account):
    gone = ("terminated", "shutting-down")
    return sorted(
        instance["InstanceId"]
        for reservation in account.pages("ec2", "describe_instances", "Reservations")
        for instance in reservation["Instances"] if instance["State"]["Name"] not in gone)


def _budgets(account):
    number = account.client("sts").get_caller_identity()["Account"]
    return account.names("budgets", "describe_budgets", "Budgets", "BudgetName", AccountId=number)


def _objects(account, prefix):
    """`bucket/key` of what is current, with `(old version)` or `(delete marker)` behind the others."""
    found = []
    client = account.client("s3")
    for bucket in account.client("s3").list_buckets()["Buckets"]:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket["Name"], Prefix=prefix):
            for version in page.get("Versions") or []:
                found.append(f"{bucket['Name']}/{version['Key']}" + ("" if version["IsLatest"] else " (old version)"))
            for marker in page.get("DeleteMarkers") or []:
                found.append(f"{bucket['Name']}/{marker['Key']} (delete marker)")
    return sorted(found)


def main():
    parser = argparse.ArgumentParser(description="what is left in an account")
    parser.add_argument("endpoint")
    parser.add_argument("--cluster")
    parser.add_argument("--region", default="us-east-1")
    options = parser.parse_args()
    found = left(Account(options.endpoint, options.region), options.cluster)
    json.dump(found, sys.stdout, indent=2)
    print()
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
