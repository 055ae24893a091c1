"""Proves what the test cloud refuses as AWS does: prints `N passed, N failed`. Run like `selftest.py`, and after it."""

import copy
import json
import sys
import time
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import selftest
from selftest import cloudformation, ec2, reasons, set_faults, update, wait
from selftest_template import att, ref, resource

NAME = "refusals"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
SEES = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["ec2:DescribeInstances", "ec2:DescribeTags"], "Resource": "*"}]}


def net(cidr):
    return resource("EC2::Subnet", {"VpcId": ref("Vpc"), "CidrBlock": cidr, "AvailabilityZone": "us-east-1a"})


def group(words):
    return resource("EC2::SecurityGroup", {"VpcId": ref("Vpc"), "GroupDescription": words})


def body():
    lustre = {"DeploymentType": "SCRATCH_2"}
    resources = {
        "Vpc": resource("EC2::VPC", {"CidrBlock": "10.9.0.0/16"}),
        "Near": net("10.9.0.0/24"), "Far": net("10.9.1.0/24"),
        "Data": group("data"), "Base": group("base"), "Spare": group("spare"),
        "Place": resource("EC2::PlacementGroup", {"Strategy": "cluster"}),
        "Lustre": resource("FSx::FileSystem", {"FileSystemType": "LUSTRE", "StorageCapacity": 2400, "SubnetIds": [ref("Near")],
                                               "SecurityGroupIds": [att("Data", "GroupId")], "LustreConfiguration": lustre}),
        "Home": resource("EFS::FileSystem", {}),
        "Target": resource("EFS::MountTarget", {"FileSystemId": ref("Home"), "SubnetId": ref("Near"),
                                                "SecurityGroups": [att("Data", "GroupId")]}),
        "Disk": resource("EC2::Volume", {"AvailabilityZone": "us-east-1a", "Size": 20}),
        "Role": resource("IAM::Role", {"AssumeRolePolicyDocument": TRUST,
                                       "Policies": [{"PolicyName": "sees", "PolicyDocument": SEES}]}),
        "Profile": resource("IAM::InstanceProfile", {"Roles": [ref("Role")]}),
        "Node": resource("EC2::Instance", {"ImageId": "ami-0123456789abcdef0", "InstanceType": "c5.large", "SubnetId": ref("Far"),
                                           "SecurityGroupIds": [att("Base", "GroupId")], "IamInstanceProfile": ref("Profile")}),
    }
    return {"Resources": resources, "Outputs": {name: {"Value": ref(name)} for name in resources}}


def changed(kind, **properties):
    """The template with other properties of one resource; None takes the resource away."""
    found = copy.deepcopy(body())
    for name, value in properties.items():
        if value is None:
            del found["Resources"][name], found["Outputs"][name]
        elif kind:
            found["Resources"][name] = resource(kind, value)
        else:
            found["Resources"][name]["Properties"].update(value)
    return found


def refused(function, **request):
    """Code and words of a refusal."""
    try:
        function(**request)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"nobody refuses {request}")


def asks(template):
    return {"StackName": NAME, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_IAM"]}


class Refusals:
    """The chapters, in order."""

    def __init__(self):
        cloudformation.create_stack(**asks(body()), EnableTerminationProtection=True)
        assert wait(NAME) == "CREATE_COMPLETE", reasons(NAME)
        self.ids = selftest.outputs(NAME)

    def rolls_back(self, template, words):
        assert update(template, NAME) == "UPDATE_ROLLBACK_COMPLETE", words
        assert any(words in reason for reason in reasons(NAME)), (words, reasons(NAME))

    def a_type_stays(self):
        other = changed("SNS::Topic", Place={})
        for function, more in ((cloudformation.update_stack, {}), (cloudformation.create_change_set, {"ChangeSetName": "other"})):
            code, words = refused(function, **asks(other), **more)
            assert code == "ValidationError" and "Update of resource type is not permitted" in words and "[Place]" in words, words

    def one_mount_target_in_a_zone(self):
        target = {"FileSystemId": ref("Home"), "SubnetId": ref("Far"), "SecurityGroups": [att("Data", "GroupId")]}
        self.rolls_back(changed("EFS::MountTarget", Second=target), "mount target already exists in this AZ")
        # A replacement is made before the old one goes.
        self.rolls_back(changed(None, Target={"SubnetId": ref("Far")}), "mount target already exists in this AZ")

    def storage_does_not_shrink(self):
        self.rolls_back(changed(None, Lustre={"StorageCapacity": 1200}), "at least 10 percent")
        self.rolls_back(changed(None, Disk={"Size": 10}), "New size cannot be smaller than existing size")

    def a_volume_in_use_stays(self):
        ec2.attach_volume(VolumeId=self.ids["Disk"], InstanceId=self.ids["Node"], Device="/dev/sdf")
        assert refused(ec2.delete_volume, VolumeId=self.ids["Disk"])[0] == "VolumeInUse"
        other = ec2.run_instances(MinCount=1, MaxCount=1, ImageId="ami-0123456789abcdef0", SubnetId=self.ids["Near"])["Instances"][0]
        assert refused(ec2.attach_volume, VolumeId=self.ids["Disk"], InstanceId=other["InstanceId"], Device="/dev/sdf")[0] == "VolumeInUse"
        ec2.terminate_instances(InstanceIds=[other["InstanceId"]])

    def a_clean_up_gives_up(self):
        """Tried three times, then left in no stack; the update is complete all the same."""
        assert update(changed(None, Disk=None), NAME) == "UPDATE_COMPLETE"
        told = [reason for reason in reasons(NAME) if reason.startswith("Disk: ")]
        assert len(told) == 3 and all("in use" in one or "attached" in one for one in told), told
        listed = cloudformation.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
        assert "Disk" not in {one["LogicalResourceId"] for one in listed}
        ec2.detach_volume(VolumeId=self.ids["Disk"])
        ec2.delete_volume(VolumeId=self.ids["Disk"])

    def a_clean_up_may_succeed_at_the_third_try(self):
        set_faults({"resource": "AWS::EC2::SecurityGroup", "logical_id": "Spare", "on": "delete", "reason": "not yet", "times": 2})
        assert update(changed(None, Disk=None, Spare=None), NAME) == "UPDATE_COMPLETE"
        events = [event["ResourceStatus"] for event in cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
                  if event["LogicalResourceId"] == "Spare"]
        assert events.count("DELETE_FAILED") == 2 and not ec2.describe_security_groups(
            Filters=[{"Name": "group-id", "Values": [self.ids["Spare"]]}])["SecurityGroups"], events

    def networks_in_use_stay(self):
        """A group that file systems have, by an update that takes it away from the stack."""
        from_file = changed(None, Disk=None, Spare=None)
        keep = {"Lustre": {"SecurityGroupIds": [self.ids["Data"]]}, "Target": {"SecurityGroups": [self.ids["Data"]]}}
        for name, properties in keep.items():
            from_file["Resources"][name]["Properties"].update(properties)
        del from_file["Resources"]["Data"], from_file["Outputs"]["Data"]
        assert update(from_file, NAME) == "UPDATE_COMPLETE", reasons(NAME)
        told = [reason for reason in reasons(NAME) if reason.startswith("Data: ")]
        assert told and all(f"resource {self.ids['Data']} has a dependent object" in one for one in told), told
        assert self.ids["Lustre"] in told[0] and self.ids["Target"] in told[0], told

    def a_node_may_what_its_role_may(self):
        key = "ASI" + self.ids["Node"].removeprefix("i-").upper()
        session = boto3.Session(aws_access_key_id=key, aws_secret_access_key="node")
        node = session.client("ec2", config=Config(retries={"max_attempts": 1}))
        assert node.describe_tags()["ResponseMetadata"]["HTTPStatusCode"] == 200
        code, words = refused(node.terminate_instances, InstanceIds=[self.ids["Node"]])
        assert code == "UnauthorizedOperation" and f"/{self.ids['Node']} is not authorized to perform: ec2:TerminateInstances" in words
        last = selftest.log()[-1]
        assert last["status"] == 403 and last["violations"] and f":assumed-role/{self.ids['Role']}/" in last["who"], last

    def what_is_gone_is_deleted(self):
        """By hand, before CloudFormation comes to it."""
        ec2.delete_placement_group(GroupName=self.ids["Place"])
        assert update(changed(None, Disk=None, Spare=None, Place=None), NAME) == "UPDATE_COMPLETE"
        assert not [reason for reason in reasons(NAME) if reason.startswith("Place: ")], reasons(NAME)

    def a_protected_stack_stays(self):
        code, words = refused(cloudformation.delete_stack, StackName=NAME)
        assert code == "ValidationError" and "TerminationProtection" in words, words
        cloudformation.update_termination_protection(StackName=NAME, EnableTerminationProtection=False)

    def nothing_is_left(self):
        cloudformation.delete_stack(StackName=NAME)
        deadline = time.time() + 60
        while time.time() < deadline:
            found = cloudformation.list_stacks()["StackSummaries"]
            status = [one["StackStatus"] for one in found if one["StackName"] == NAME][0]
            if not status.endswith("IN_PROGRESS"):
                break
            time.sleep(0.2)
        # The group is nobody's, and its VPC stays because of it.
        assert status == "DELETE_FAILED" and any(reason.startswith("Vpc: ") for reason in reasons(NAME)), (status, reasons(NAME))
        ec2.delete_security_group(GroupId=self.ids["Data"])
        cloudformation.delete_stack(StackName=NAME)


def main():
    refusals, passed, failed = Refusals(), 0, 0
    for name in [name for name in vars(Refusals) if not name.startswith("_") and name != "rolls_back"]:
        try:
            getattr(refusals, name)()
            passed += 1
            print(f"ok    {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {name}: {traceback.format_exc()}", flush=True)
        set_faults()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
