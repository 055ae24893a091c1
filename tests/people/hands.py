"""What others do while people work on a cluster: Slurm's node programs, the CloudWatch agent, the head node.

    hands.py launch CLUSTER QUEUE POOL NODE...    spot nodes, as ResumeProgram launches them
    hands.py log CLUSTER STREAM LINE...           lines of a log
    hands.py answer CLUSTER                       answers the first order that comes, as `hpcctl node sync` does
"""

import json
import sys
import time

import boto3


def launch(cluster, queue, pool, *nodes):
    ec2 = boto3.client("ec2")
    template = ec2.describe_launch_templates(LaunchTemplateNames=[f"{cluster}/{queue}/{pool}"])["LaunchTemplates"][0]
    for node in nodes:
        tags = {"hpcctl:cluster": cluster, "hpcctl:role": "compute", "hpcctl:queue": queue, "hpcctl:pool": pool,
                "hpcctl:node": node}
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        ec2.create_fleet(
            Type="instant",
            LaunchTemplateConfigs=[{
                "LaunchTemplateSpecification": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "$Latest"},
                "Overrides": [{"InstanceType": "c5n.18xlarge", "SubnetId": subnet}]}],
            TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}])


def log(cluster, stream, *lines):
    logs = boto3.client("logs")
    name = {"logGroupName": f"/hpcctl/{cluster}", "logStreamName": stream}
    logs.create_log_stream(**name)
    now = int(time.time() * 1000)
    logs.put_log_events(**name, logEvents=[{"timestamp": now + n, "message": line} for n, line in enumerate(lines)])


def answer(cluster):
    s3 = boto3.client("s3")
    bucket = next(b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("hpcctl-"))
    for _ in range(300):
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"clusters/{cluster}/orders/").get("Contents", [])
        if found:
            order = json.load(s3.get_object(Bucket=bucket, Key=found[0]["Key"])["Body"])
            body = json.dumps({"id": order["id"], "done": order["at"] + 1, "failed": None})
            s3.put_object(Bucket=bucket, Key=f"clusters/{cluster}/status/orders/{order['id']}.json", Body=body)
            s3.delete_object(Bucket=bucket, Key=found[0]["Key"])
            return
        time.sleep(0.1)
    sys.exit("no order came")


if __name__ == "__main__":
    {"launch": launch, "log": log, "answer": answer}[sys.argv[1]](*sys.argv[2:])
