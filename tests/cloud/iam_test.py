"""The evaluator of policies and the knowledge of what calls touch: `python3 -B tests/cloud/iam_test.py`."""

import unittest

import iam_access
import iam_policy
from iam_policy import Access

ARN = "arn:aws:ec2:us-east-1:123456789012"
TAGS = {"i-0a": {"hpcctl:cluster": "c", "hpcctl:role": "compute"}, "i-0b": {"hpcctl:cluster": "other", "hpcctl:role": "compute"},
        "lt-0a": {"hpcctl:cluster": "c"}}
DATA = {"ImageId": "ami-1", "IamInstanceProfile": {"Arn": "profile/p"}, "SecurityGroupIds": ["sg-1"],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "hpcctl:cluster", "Value": "c"}]}],
        "BlockDeviceMappings": [{"Ebs": {"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/k"}}]}
WORLD = iam_access.World(
    account="123456789012", region="us-east-1", tags=lambda name: TAGS.get(name, {}), template=lambda name: ("lt-0a", DATA),
    role_of_profile=lambda name: "arn:aws:iam::123456789012:role/hpcctl/c/compute/r", path_of_role=lambda name: "/hpcctl/c/",
    stack=lambda name: f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1", file_system=lambda name: f"arn:fsx/{name}",
    subnet_of=lambda name: "subnet-1", owner=lambda bucket: "999999999999" if bucket.endswith("-foreign") else "123456789012")


def allow(action, resource="*", condition=None, effect="Allow"):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"Statement": [{**statement, "Condition": condition} if condition else statement]}


def refused(policies, service, operation, **params):
    """The first access that is not allowed, as `action resource`; None: all are."""
    for access in iam_access.wanted(WORLD, service, operation, params):
        if iam_policy.denial(policies, access):
            return f"{access.action} {access.resource}"
    return None


class Policies(unittest.TestCase):
    def decides(self, allowed, policies, access):
        self.assertEqual(iam_policy.denial(policies, access) is None, allowed, (policies, access))

    def test_what_nobody_allows_is_denied_and_a_deny_wins(self):
        get = Access("s3:GetObject", "arn:aws:s3:::b/a/x")
        self.decides(False, [], get)
        self.decides(False, [allow("s3:PutObject")], get)
        self.decides(True, [allow("S3:get*", "arn:aws:s3:::b/a/*")], get)
        self.decides(False, [allow("s3:GetObject", "arn:aws:s3:::b/[a]/*")], get)
        self.decides(False, [allow("s3:GetObject", "arn:aws:s3:::b/b/*")], get)
        self.decides(False, [allow("s3:*"), allow("s3:Get*", effect="Deny")], get)

    def test_conditions(self):
        tagged = lambda values: Access("ec2:X", "*", {"aws:ResourceTag/hpcctl:role": values} if values else {})
        for operator, wanted, found, allowed in [
            ("StringEquals", ["head", "storage"], ["storage"], True), ("StringEquals", "head", ["Head"], False),
            ("StringEquals", "head", [], False), ("StringEqualsIfExists", "head", [], True),
            ("StringEqualsIfExists", "head", ["login"], False), ("StringNotEquals", "head", [], True),
            ("StringNotEquals", "head", ["head"], False), ("StringLike", "h*", ["head"], True),
            ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False), ("ForAllValues:StringEquals", ["a"], [], True),
            ("ForAnyValue:StringEquals", ["a"], ["a", "c"], True), ("Null", "true", [], True), ("Null", True, ["x"], False),
            ("Bool", "true", [True], True),
        ]:
            condition = {operator: {"AWS:resourcetag/hpcctl:role": wanted}}
            self.decides(allowed, [allow("ec2:X", condition=condition)], tagged(found))

    def test_what_is_not_known_is_an_error(self):
        for strange in (allow("a:b", condition={"DateLessThan": {"k": "v"}}),
                        {"Statement": {"Effect": "Allow", "NotAction": "a:b", "Resource": "*"}}):
            with self.assertRaises(iam_policy.Unknown):
                iam_policy.denial([strange], Access("c:d"))


class Calls(unittest.TestCase):
    def test_instances_of_another_cluster_are_not_ended(self):
        ours = [allow("ec2:TerminateInstances", f"{ARN}:instance/*", {"StringEquals": {"aws:ResourceTag/hpcctl:cluster": "c"}})]
        self.assertIsNone(refused(ours, "ec2", "TerminateInstances", InstanceIds=["i-0a"]))
        self.assertEqual(refused(ours, "ec2", "TerminateInstances", InstanceIds=["i-0a", "i-0b"]),
                         f"ec2:TerminateInstances {ARN}:instance/i-0b")

    def test_a_fleet_needs_the_role_and_the_key(self):
        request = {"LaunchTemplateConfigs": [{"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-0a"},
                                              "Overrides": [{"SubnetId": "subnet-1"}]}]}
        launch = allow(["ec2:CreateFleet", "ec2:RunInstances", "ec2:CreateTags"])
        role = allow("iam:PassRole", "*", {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
        self.assertEqual(refused([launch], "ec2", "CreateFleet", **request),
                         "iam:PassRole arn:aws:iam::123456789012:role/hpcctl/c/compute/r")
        self.assertIn("kms:CreateGrant", refused([launch, role], "ec2", "CreateFleet", **request))
        self.assertIsNone(refused([launch, role, allow("kms:*")], "ec2", "CreateFleet", **request))

    def test_only_two_tags_of_a_node_are_written(self):
        only = [allow("ec2:CreateTags", "*", {"ForAllValues:StringEquals": {"aws:TagKeys": ["Name"]}})]
        write = lambda key: refused(only, "ec2", "CreateTags", Resources=["i-0a"], Tags=[{"Key": key, "Value": "v"}])
        self.assertIsNone(write("Name"))
        self.assertIsNotNone(write("hpcctl:role"))

    def test_buckets_of_others_and_prefixes(self):
        owned = {"StringEquals": {"aws:ResourceAccount": "123456789012"}, "StringLike": {"s3:prefix": "clusters/c/*"}}
        mine = [allow("s3:ListBucket", "*", owned)]
        self.assertIsNone(refused(mine, "s3", "ListObjectsV2", Bucket="b", Prefix="clusters/c/x"))
        self.assertIsNotNone(refused(mine, "s3", "ListObjectsV2", Bucket="b"))
        self.assertIsNotNone(refused(mine, "s3", "ListObjectsV2", Bucket="b", Prefix="clusters/d/"))
        self.assertIsNotNone(refused(mine, "s3", "ListObjectsV2", Bucket="b-foreign", Prefix="clusters/c/x"))
        old = [allow("s3:GetObject")]
        self.assertEqual(refused(old, "s3", "GetObject", Bucket="b", Key="k", VersionId="1"), "s3:GetObjectVersion arn:aws:s3:::b/k")

    def test_unknown_calls_are_errors(self):
        for service, operation in (("ec2", "RebootInstances"), ("lambda", "Invoke"), ("s3", "PutBucketPolicy")):
            with self.assertRaises(iam_access.Unknown):
                iam_access.wanted(WORLD, service, operation, {})


if __name__ == "__main__":
    unittest.main()
