"""The ground of the clusters of one VPC: network, buckets, the database's secret; and cluster files that name them.

    ground.py OUT CIDR PASSWORD FILE...      writes OUT/NAME.yaml for each cluster file

Ids that stand for the same thing in several files become the same thing. The endpoint and the credentials are those of
the environment.
"""

import ipaddress
import os
import re
import sys

import boto3

BUCKETS = re.compile(r"\bs3://([a-z0-9.-]+)")
IDS = re.compile(r"\b(vpc|subnet|sg)-[0-9a-f]{8,17}\b")
SECRETS = re.compile(r"arn:aws:secretsmanager:[\w-]+:\d{12}:secret:([\w/+=.@-]+?)(?:-\w{6})?(?=\s|$)")
ZONES = re.compile(r"subnet: (subnet-[0-9a-f]+), zone: ([\w-]+)")


class Ground:
    def __init__(self, region, cidr, password):
        self.region, self.cidr, self.password = region, ipaddress.ip_network(cidr), password
        self.ec2, self.s3 = boto3.client("ec2"), boto3.client("s3")
        self.known, self.zones, self.objects = {}, {}, ""

    def place(self, text):
        """The cluster file on this ground."""
        self.zones.update(ZONES.findall(text))
        for bucket in sorted(set(BUCKETS.findall(text))):
            self.once(bucket, self.bucket)
        text = IDS.sub(lambda found: self.once(found[0], getattr(self, found[1])), text)
        return SECRETS.sub(lambda found: self.once(found[1], self.secret), text)

    def once(self, name, make):
        if name not in self.known:
            self.known[name] = make(name)
        return self.known[name]

    def vpc(self, name):
        return self.ec2.create_vpc(CidrBlock=str(self.cidr))["Vpc"]["VpcId"]

    def subnet(self, name):
        number = sum(one.startswith("subnet-") for one in self.known)
        block = list(self.cidr.subnets(new_prefix=24))[number]
        vpc = next(made for one, made in self.known.items() if one.startswith("vpc-"))
        zone = self.zones.get(name, f"{self.region}a")
        return self.ec2.create_subnet(VpcId=vpc, CidrBlock=str(block), AvailabilityZone=zone)["Subnet"]["SubnetId"]

    def sg(self, name):
        vpc = next(made for one, made in self.known.items() if one.startswith("vpc-"))
        return self.ec2.create_security_group(GroupName=f"ground-{name}", Description="exists already", VpcId=vpc)["GroupId"]

    def bucket(self, name):
        # us-east-1 is the one region that must not be named.
        where = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        self.s3.create_bucket(Bucket=name, **where)
        # What a cluster takes from the bucket lies beside its file: objects/BUCKET/KEY.
        source = f"{self.objects}/{name}"
        for folder, _, files in os.walk(source):
            for file in files:
                key = os.path.relpath(f"{folder}/{file}", source)
                self.s3.upload_file(f"{folder}/{file}", name, key)
        return name

    def secret(self, name):
        return boto3.client("secretsmanager").create_secret(Name=name, SecretString=self.password)["ARN"]


def main(out, cidr, password, *files):
    ground = Ground(os.environ["AWS_REGION"], cidr, open(password).read().strip())
    os.makedirs(out, exist_ok=True)
    for path in files:
        ground.objects = f"{os.path.dirname(path)}/objects"
        with open(path, encoding="utf-8") as file:
            text = ground.place(file.read())
        name = re.search(r"^name: *(\S+)", text, re.M)[1]
        with open(f"{out}/{name}.yaml", "w", encoding="utf-8") as file:
            file.write(text)


main(*sys.argv[1:])
