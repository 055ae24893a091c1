"""Proves the test cloud with boto3, a cluster's whole life long: prints `N passed, N failed`.

    . DIR/env && $VENVS/ministack/bin/python selftest.py

Everything goes through the judging proxy; at the end its log must hold no violation but those
provoked here on purpose.
"""

import copy
import http.client
import json
import os
import subprocess
import sys
import time
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from selftest_template import resource, template

HERE = os.path.dirname(os.path.abspath(__file__))
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
NAME = "selftest"


def client(service):
    return boto3.client(service, endpoint_url=ENDPOINT, config=Config(
        retries={"max_attempts": 1}, s3={"addressing_style": "path"}))


cloudformation, ec2, fsx, s3 = client("cloudformation"), client("ec2"), client("fsx"), client("s3")


def set_faults(*rules):
    with open(os.environ["HPC_FAULTS"], "w") as file:
        json.dump(rules, file)


def wait(stack=NAME):
    """The stack's status once it rests."""
    for _ in range(1200):
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.1)
    raise TimeoutError(stack)


def outputs(stack=NAME):
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in found}


def change_set(body, kind, name, stack=NAME):
    cloudformation.create_change_set(StackName=stack, ChangeSetName=name, ChangeSetType=kind,
                                     TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"])
    for _ in range(300):
        found = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
        if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
            return found
        time.sleep(0.1)
    raise TimeoutError(name)


def update(body, stack=NAME, **more):
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"], **more)
    return wait(stack)


def reasons(stack=NAME):
    """The reasons of the failures since the last operation began."""
    found = []
    for event in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]:
        if event["ResourceStatus"].endswith("_FAILED"):
            found.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}")
        if event.get("ResourceStatusReason") == "User Initiated":
            break
    return found


def refusal(function, **request):
    """The error code (and status) with which a call is refused; None when it is not."""
    try:
        function(**request)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def status_of(function, **request):
    try:
        return function(**request)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


class Story:
    """The chapters, in order; each asserts. The template as it stands is in `body`."""

    def __init__(self):
        self.body = template()

    def stack_needs_capabilities(self):
        assert refusal(cloudformation.create_stack, StackName=NAME,
                       TemplateBody=json.dumps(self.body)) == "InsufficientCapabilitiesException"

    def stack_is_created(self):
        found = change_set(self.body, "CREATE", "create")
        assert found["Status"] == "CREATE_COMPLETE", found.get("StatusReason")
        assert len(found["Changes"]) == len(self.body["Resources"])
        cloudformation.execute_change_set(StackName=NAME, ChangeSetName="create")
        assert wait() == "CREATE_COMPLETE", reasons()

    def references_are_as_on_aws(self):
        found = outputs()
        assert not found["HeadProfile"].startswith("arn:"), found["HeadProfile"]
        assert found["Munge"].startswith("arn:aws:secretsmanager:"), found["Munge"]
        assert ":secret:rds!db-" in found["DbSecret"], found["DbSecret"]
        secret = client("secretsmanager").get_secret_value(SecretId=found["DbSecret"])
        assert json.loads(secret["SecretString"])["username"] == "slurm"
        described = client("rds").describe_db_instances()["DBInstances"][0]
        assert described["MasterUserSecret"]["SecretArn"] == found["DbSecret"]
        assert described["Endpoint"]["Address"] == found["DbAddress"]

    def same_template_changes_nothing(self):
        assert refusal(cloudformation.update_stack, StackName=NAME, TemplateBody=json.dumps(self.body),
                       Capabilities=["CAPABILITY_IAM"]) == "ValidationError"

    def change_set_predicts_replacement(self):
        body = copy.deepcopy(self.body)
        resources = body["Resources"]
        resources["Scratch"]["Properties"]["LustreConfiguration"]["DataCompressionType"] = "NONE"
        resources["Placement"]["Properties"]["Strategy"] = "partition"
        resources["SmallNodes"]["Properties"]["LaunchTemplateData"]["InstanceType"] = "c7i.xlarge"
        del resources["Budget"]
        found = change_set(body, "UPDATE", "update")
        changes = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in found["Changes"]}
        assert changes["Placement"]["Replacement"] == "True", changes["Placement"]
        assert changes["SmallNodes"]["Replacement"] == "False", changes["SmallNodes"]
        assert changes["Budget"]["Action"] == "Remove"
        before = outputs()
        cloudformation.execute_change_set(StackName=NAME, ChangeSetName="update")
        assert wait() == "UPDATE_COMPLETE", reasons()
        after = outputs()
        assert after["Scratch"] == before["Scratch"] and after["SmallNodes"] == before["SmallNodes"]
        versions = ec2.describe_launch_template_versions(LaunchTemplateId=after["SmallNodes"])["LaunchTemplateVersions"]
        assert len(versions) == 2
        groups = ec2.describe_placement_groups()["PlacementGroups"]
        assert [group["Strategy"] for group in groups] == ["partition"], groups
        self.body = body

    def file_system_is_replaced(self):
        before = outputs()["Legacy"]
        configuration = self.body["Resources"]["Legacy"]["Properties"]["LustreConfiguration"]
        configuration.update(DeploymentType="PERSISTENT_1", PerUnitStorageThroughput=50)
        assert update(self.body) == "UPDATE_COMPLETE", reasons()
        after = outputs()["Legacy"]
        assert after != before
        assert refusal(fsx.describe_file_systems, FileSystemIds=[before]) == "FileSystemNotFound"

    def failed_update_rolls_back(self):
        body = copy.deepcopy(self.body)
        body["Resources"]["Logs"]["Properties"]["RetentionInDays"] = 30
        body["Resources"]["MoreNodes"] = copy.deepcopy(body["Resources"]["SmallNodes"])
        set_faults({"resource": "AWS::EC2::LaunchTemplate", "logical_id": "MoreNodes", "reason": "no luck", "times": 1})
        assert update(body) == "UPDATE_ROLLBACK_COMPLETE"
        assert any("no luck" in reason for reason in reasons())
        assert client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 14

    def wrong_properties_are_refused(self):
        wrong = {
            "Foo": ("extraneous key [Foo] is not permitted", {"Foo": "bar"}),
            "Size": ("expected type: Integer", {"StorageCapacity": "much"}),
            "Media": ("is not supported for SCRATCH_2", {"StorageType": "HDD"}),
            "Kind": ("'SCRATCH_3' is not one of", {"LustreConfiguration": {"DeploymentType": "SCRATCH_3"}}),
            "ReadOnly": ("extraneous key [DNSName]", {"DNSName": "x"}),
            "Subnet": ("does not exist", {"SubnetIds": ["subnet-00000000"]}),
        }
        for name, (sentence, change) in wrong.items():
            properties = {"FileSystemType": "LUSTRE", "StorageCapacity": 1200, "SubnetIds": [outputs()["Subnet"]],
                          "LustreConfiguration": {"DeploymentType": "SCRATCH_2"}, **change}
            stack = f"wrong-{name.lower()}"
            cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(
                {"Resources": {"Fs": resource("FSx::FileSystem", properties)}}))
            assert wait(stack) == "ROLLBACK_COMPLETE", stack
            assert any(sentence in reason for reason in reasons(stack)), (stack, reasons(stack))
            cloudformation.delete_stack(StackName=stack)

    def launch_template_takes_real_values_only(self):
        for stack, data in (("wrong-card", {"NetworkInterfaces": [{"DeviceIndex": 0, "InterfaceType": "efaa"}]}),
                            ("wrong-key", {"InstanceTypo": "c6i.large"})):
            cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(
                {"Resources": {"Nodes": resource("EC2::LaunchTemplate", {"LaunchTemplateData": data})}}))
            assert wait(stack) == "ROLLBACK_COMPLETE", stack
            cloudformation.delete_stack(StackName=stack)

    def update_with_wrong_property_rolls_back(self):
        body = copy.deepcopy(self.body)
        body["Resources"]["Head"]["Properties"]["InstanceTypo"] = "x"
        assert update(body) == "UPDATE_ROLLBACK_COMPLETE"
        assert any("extraneous key [InstanceTypo]" in reason for reason in reasons()), reasons()

    def drift_is_seen(self):
        group = outputs()["HeadGroup"]
        assert self._drift("HeadGroup")["StackResourceDriftStatus"] == "IN_SYNC", self._drift("HeadGroup")
        opened = [{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=opened)
        found = self._drift("HeadGroup")
        assert found["StackResourceDriftStatus"] == "MODIFIED", found
        assert found["PropertyDifferences"][0]["PropertyPath"].startswith("/SecurityGroupIngress")
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=opened)
        assert self._drift("Scratch")["StackResourceDriftStatus"] == "IN_SYNC", self._drift("Scratch")
        assert self._drift("SmallNodes")["StackResourceDriftStatus"] == "IN_SYNC", self._drift("SmallNodes")

    def _drift(self, logical_id):
        detection = cloudformation.detect_stack_drift(StackName=NAME)["StackDriftDetectionId"]
        status = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert status["DetectionStatus"] == "DETECTION_COMPLETE", status
        found = cloudformation.describe_stack_resource_drifts(StackName=NAME)["StackResourceDrifts"]
        return next(drift for drift in found if drift["LogicalResourceId"] == logical_id)

    def stack_policy_protects(self):
        policy = {"Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*",
             "Resource": "LogicalResourceId/Legacy"}]}
        cloudformation.set_stack_policy(StackName=NAME, StackPolicyBody=json.dumps(policy))
        body = copy.deepcopy(self.body)
        configuration = body["Resources"]["Legacy"]["Properties"]["LustreConfiguration"]
        configuration["ImportedFileChunkSize"] = 512
        assert update(body) == "UPDATE_ROLLBACK_COMPLETE"
        assert any("Action denied by stack policy" in reason for reason in reasons()), reasons()
        del body["Resources"]["Legacy"], body["Outputs"]["Legacy"]
        assert update(body) == "UPDATE_ROLLBACK_COMPLETE"
        assert any("Update:Delete" in reason for reason in reasons()), reasons()

    def fleet_launches_what_is_there(self):
        set_faults({"action": "CreateFleet", "type": "c6i.32xlarge", "code": "InsufficientInstanceCapacity", "available": 3})
        found = self._fleet(5, ["c6i.32xlarge", "c6i.24xlarge"])
        assert {(i["InstanceType"], len(i["InstanceIds"])) for i in found["Instances"]} == {
            ("c6i.32xlarge", 3), ("c6i.24xlarge", 2)}, found
        assert [e["ErrorCode"] for e in found["Errors"]] == ["InsufficientInstanceCapacity"]
        assert found["Errors"][0]["LaunchTemplateAndOverrides"]["Overrides"]["InstanceType"] == "c6i.32xlarge"
        set_faults({"action": "CreateFleet", "code": "InsufficientInstanceCapacity", "times": 2})
        found = self._fleet(2, ["c6i.32xlarge", "c6i.24xlarge"])
        assert not found["Instances"] and found["Errors"], found
        set_faults()

    def _fleet(self, count, types):
        found = outputs()
        return ec2.create_fleet(
            Type="instant", LaunchTemplateConfigs=[{
                "LaunchTemplateSpecification": {"LaunchTemplateId": found["EfaNodes"], "Version": found["EfaVersion"]},
                "Overrides": [{"InstanceType": kind, "SubnetId": found["Subnet"], "Priority": float(n)}
                              for n, kind in enumerate(types)]}],
            TargetCapacitySpecification={"TotalTargetCapacity": count, "DefaultTargetCapacityType": "on-demand"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "hpcctl:node", "Value": "efa-1"}]}])

    def instances_are_found_by_tag_and_block_deletion(self):
        chosen = self._instances()
        assert len(chosen) == 5, chosen
        tags = {tag["Key"]: tag["Value"] for tag in chosen[0]["Tags"]}
        assert tags["hpcctl:cluster"] == NAME and "aws:ec2:fleet-id" in tags, tags
        assert chosen[0]["SubnetId"] == outputs()["Subnet"]
        subnet = ec2.describe_subnets(SubnetIds=[outputs()["Subnet"]])["Subnets"][0]
        assert chosen[0]["Placement"]["AvailabilityZone"] == subnet["AvailabilityZone"]

    def _instances(self):
        found = ec2.describe_instances(Filters=[
            {"Name": "tag:hpcctl:node", "Values": ["efa-1"]}, {"Name": "instance-state-name", "Values": ["running"]}])
        return [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]

    def instances_come_in_pages_and_dry_runs_do_nothing(self):
        pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
        assert sum(len(r["Instances"]) for page in pages for r in page["Reservations"]) == 6
        assert len(pages) == 2, len(pages)
        assert refusal(ec2.terminate_instances, InstanceIds=[outputs()["Head"]], DryRun=True) == "DryRunOperation"

    def instances_are_terminated(self):
        ec2.terminate_instances(InstanceIds=[instance["InstanceId"] for instance in self._instances()])
        assert not self._instances()

    def export_moves_data_and_reports(self):
        found = outputs()
        report = {"Enabled": True, "Path": f"s3://{found['Bucket']}/results/reports", "Format": "REPORT_CSV_20191124",
                  "Scope": "FAILED_FILES_ONLY"}
        with open(os.environ["HPC_FSX_FILES"], "w") as file:
            json.dump({found["Scratch"]: {"results/a.dat": "alpha", "results/b,c.dat": 100, "other": "x"}}, file)
        set_faults({"action": "CreateDataRepositoryTask", "files": {"results/b,c.dat": "S3AccessDenied"}, "times": 1})
        task = self._export(found["Scratch"], report, "token-1")
        assert task["Lifecycle"] == "FAILED" and task["Status"]["FailedCount"] == 1, task
        key = f"results/reports/{task['TaskId']}/failures.csv"
        body = s3.get_object(Bucket=found["Bucket"], Key=key)["Body"].read()
        assert body == b'"results/b,c.dat",failed,S3AccessDenied\n', body
        assert s3.get_object(Bucket=found["Bucket"], Key="results/a.dat")["Body"].read() == b"alpha"
        task = self._export(found["Scratch"], report, "token-2")
        assert task["Lifecycle"] == "SUCCEEDED" and task["Status"]["TotalCount"] == 1, task
        assert s3.head_object(Bucket=found["Bucket"], Key="results/b,c.dat")["ContentLength"] == 100
        assert refusal(s3.head_object, Bucket=found["Bucket"], Key=f"results/reports/{task['TaskId']}/failures.csv") == "404"

    def _export(self, file_system, report, token):
        request = {"Type": "EXPORT_TO_REPOSITORY", "FileSystemId": file_system, "Paths": ["results"], "Report": report,
                   "ClientRequestToken": token}
        task = fsx.create_data_repository_task(**request)["DataRepositoryTask"]
        assert fsx.create_data_repository_task(**request)["DataRepositoryTask"]["TaskId"] == task["TaskId"]
        assert refusal(fsx.create_data_repository_task, **{**request, "ClientRequestToken": "other"}) == \
            "DataRepositoryTaskExecuting"
        assert refusal(fsx.delete_file_system, FileSystemId=file_system) == "BadRequest"
        seen = []
        for _ in range(200):
            task = fsx.describe_data_repository_tasks(TaskIds=[task["TaskId"]])["DataRepositoryTasks"][0]
            if task["Lifecycle"] not in seen:
                seen.append(task["Lifecycle"])
            if task["Lifecycle"] in ("SUCCEEDED", "FAILED"):
                break
            time.sleep(0.05)
        assert seen[:2] == ["PENDING", "EXECUTING"], seen
        return task

    def export_of_a_linked_file_system(self):
        found = outputs()
        task = fsx.create_data_repository_task(Type="EXPORT_TO_REPOSITORY", FileSystemId=found["Legacy"],
                                               Report={"Enabled": False})["DataRepositoryTask"]
        time.sleep(1)
        page = fsx.describe_data_repository_tasks(MaxResults=1, Filters=[
            {"Name": "file-system-id", "Values": [found["Legacy"]]}])
        assert page["DataRepositoryTasks"][0]["Lifecycle"] == "SUCCEEDED" and "NextToken" not in page, page
        assert page["DataRepositoryTasks"][0]["TaskId"] == task["TaskId"]
        listed = s3.list_objects_v2(Bucket=found["Bucket"], Prefix="export/")
        assert {entry["Key"] for entry in listed["Contents"]} == {
            "export/results/case.out", "export/results/fields/u.dat", "export/restart/step-100.chk"}, listed
        assert refusal(fsx.create_data_repository_task, Type="EXPORT_TO_REPOSITORY", FileSystemId=found["Legacy"], Report={
            "Enabled": True, "Path": "s3://elsewhere/x", "Format": "REPORT_CSV_20191124", "Scope": "FAILED_FILES_ONLY"}) == "BadRequest"

    def file_systems_come_in_pages(self):
        names, token = [], None
        while True:
            page = fsx.describe_file_systems(MaxResults=1, **({"NextToken": token} if token else {}))
            names += [record["FileSystemId"] for record in page["FileSystems"]]
            token = page.get("NextToken")
            if not token:
                break
        assert sorted(names) == sorted([outputs()["Scratch"], outputs()["Legacy"]]), names
        tags = fsx.list_tags_for_resource(ResourceARN=fsx.describe_file_systems(
            FileSystemIds=[outputs()["Scratch"]])["FileSystems"][0]["ResourceARN"])["Tags"]
        assert {"Key": "hpcctl:cluster", "Value": NAME} in tags, tags

    def s3_is_conditional_and_versioned(self):
        bucket = outputs()["Bucket"]
        put = lambda **more: status_of(s3.put_object, Bucket=bucket, Key="clusters/x/lock", Body=b"1", **more)
        assert put(IfNoneMatch="*") == 200
        assert put(IfNoneMatch="*") == 412
        tag = s3.head_object(Bucket=bucket, Key="clusters/x/lock")["ETag"]
        assert put(IfMatch='"0123"') == 412
        assert put(IfMatch=tag) == 200
        assert status_of(s3.get_object, Bucket=bucket, Key="clusters/x/lock", IfNoneMatch=tag) == 304
        gone = lambda **more: status_of(s3.delete_object, Bucket=bucket, Key="clusters/x/lock", **more)
        assert gone(IfMatch='"0123"') == 412
        assert gone(IfMatch=s3.head_object(Bucket=bucket, Key="clusters/x/lock")["ETag"]) == 204
        assert gone(IfMatch='"0123"') == 404
        found = s3.list_object_versions(Bucket=bucket, Prefix="clusters/x/")
        assert len(found["Versions"]) == 2 and len(found["DeleteMarkers"]) == 1
        streamed = b"x" * 300_000
        s3.put_object(Bucket=bucket, Key="clusters/x/big", Body=streamed, ChecksumAlgorithm="CRC32")
        assert s3.get_object(Bucket=bucket, Key="clusters/x/big")["Body"].read() == streamed

    def chunked_bodies_pass_untouched(self):
        """An aws-chunked body with a trailer, as SDKs stream it, with and without HTTP chunks."""
        bucket = outputs()["Bucket"]
        body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
        for key, chunked in (("clusters/x/one", False), ("clusters/x/two", True)):
            connection = http.client.HTTPConnection(*ENDPOINT.removeprefix("http://").split(":"))
            connection.request("PUT", f"/{bucket}/{key}?x-id=PutObject", [body] if chunked else body, {
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request, "
                                 "SignedHeaders=host, Signature=0",
                "Content-Encoding": "aws-chunked", "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32", "If-None-Match": "*",
            }, encode_chunked=chunked)
            assert connection.getresponse().status == 200
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"hello"

    def requests_are_judged(self):
        """What boto3 would not send: an unknown parameter, a bad enum, no signature."""
        scope = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        target = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSSimbaAPIService_v20180301.DescribeFileSystems"}
        for headers, body, sentence in (
            ({**form, "Authorization": scope.format("ec2")},
             "Action=DescribeInstances&Version=2016-11-15&Filtre.1.Name=x", "unknown parameter Filtre.1.Name"),
            ({**form, "Authorization": scope.format("cloudformation")},
             "Action=ListStacks&Version=2010-05-15&StackStatusFilter.member.1=GONE", "is not one of"),
            ({**target, "Authorization": scope.format("fsx")}, '{"MaxResult": 1}', "MaxResult"),
            (target, "{}", "unsigned request"),
        ):
            connection = http.client.HTTPConnection(*ENDPOINT.removeprefix("http://").split(":"))
            connection.request("POST", "/", body, headers)
            connection.getresponse().read()
            assert any(sentence in text for text in log()[-1]["violations"]), log()[-1]
            self.meant = getattr(self, "meant", 0) + 1

    def template_by_url_is_fetched_and_linted(self):
        bucket = outputs()["Bucket"]
        bad = {"Resources": {"Topic": resource("SNS::Topic", {"Nonsense": 1})}}
        s3.put_object(Bucket=bucket, Key="templates/bad.json", Body=json.dumps(bad).encode())
        cloudformation.create_stack(StackName="by-url", TemplateURL=f"https://{bucket}.s3.us-east-1.amazonaws.com/templates/bad.json")
        assert wait("by-url") == "ROLLBACK_COMPLETE"
        cloudformation.delete_stack(StackName="by-url")
        lines = [line for line in log() if line["op"] == "CreateStack" and line["params"].get("StackName") == "by-url"]
        assert any("cfn-lint E3002" in text for text in lines[0]["violations"]), lines

    def deletion_with_running_nodes_fails(self):
        self._fleet(1, ["c6i.32xlarge"])
        cloudformation.delete_stack(StackName=NAME)
        assert wait() == "DELETE_FAILED"
        self.instances_are_terminated()

    def stack_is_deleted_and_nothing_is_left(self):
        bucket = outputs()["Bucket"]
        stack = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=NAME)
        assert wait(stack) == "DELETE_COMPLETE", reasons(stack)
        assert refusal(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
        found = s3.list_object_versions(Bucket=bucket)
        everything = found.get("Versions", []) + found.get("DeleteMarkers", [])
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in everything]})
        s3.delete_bucket(Bucket=bucket)
        left = subprocess.run([sys.executable, f"{HERE}/listing.py", ENDPOINT], capture_output=True, text=True)
        assert left.returncode == 0, left.stdout + left.stderr

    def judge_found_no_other_violation(self):
        """Of the requests here only the wrong templates are wrong."""
        meant = ("wrong-", "by-url")
        wrong = [(line["op"], line["violations"]) for line in log() if line["violations"]
                 and not str(line["params"].get("StackName")).startswith(meant)
                 and not any("InstanceTypo" in text for text in line["violations"])]
        assert len(wrong) == self.meant, wrong


def log():
    with open(os.environ["JUDGE_LOG"]) as file:
        return [json.loads(line) for line in file]


def main():
    story = Story()
    passed = failed = 0
    chapters = [name for name in vars(Story) if not name.startswith("_")]
    for name in chapters:
        started = time.time()
        try:
            getattr(story, name)()
            passed += 1
            print(f"ok    {time.time() - started:5.1f}s  {name}", flush=True)
        except Exception as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL  {time.time() - started:5.1f}s  {name}: {type(error).__name__} line {where.lineno}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
