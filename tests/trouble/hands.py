"""What somebody does to a cluster's things past hpcctl, with the account owner's key.

    hands.py sit GROUP              an instance of somebody's own in a placement group; prints its id
    hands.py leave INSTANCE GROUP   ends it and deletes the group
    hands.py group CLUSTER          the cluster's placement group
    hands.py guard CLUSTER          switches on the deletion protection of the cluster's database
    hands.py unguard CLUSTER
    hands.py lock STACK             switches on a stack's termination protection
"""

import sys

import boto3


def sit(group):
    made = boto3.client("ec2").run_instances(MinCount=1, MaxCount=1, ImageId="ami-0123456789abcdef0", InstanceType="c5n.18xlarge",
                                             Placement={"GroupName": group})
    print(made["Instances"][0]["InstanceId"])


def leave(instance, group):
    ec2 = boto3.client("ec2")
    ec2.terminate_instances(InstanceIds=[instance])
    if group in {one["GroupName"] for one in ec2.describe_placement_groups()["PlacementGroups"]}:
        ec2.delete_placement_group(GroupName=group)


def group(cluster):
    found = boto3.client("cloudformation").list_stack_resources(StackName=f"{cluster}-queue-tight")["StackResourceSummaries"]
    print(next(one["PhysicalResourceId"] for one in found if one["ResourceType"] == "AWS::EC2::PlacementGroup"))


def protect(cluster, on):
    rds = boto3.client("rds")
    found = boto3.client("cloudformation").list_stack_resources(StackName=f"{cluster}-accounting")["StackResourceSummaries"]
    name = next(one["PhysicalResourceId"] for one in found if one["ResourceType"] == "AWS::RDS::DBInstance")
    rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=on, ApplyImmediately=True)


def lock(stack):
    boto3.client("cloudformation").update_termination_protection(StackName=stack, EnableTerminationProtection=True)


{"sit": sit, "leave": leave, "group": group, "guard": lambda name: protect(name, True), "unguard": lambda name: protect(name, False),
 "lock": lock}[sys.argv[1]](*sys.argv[2:])
