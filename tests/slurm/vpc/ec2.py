"""The few EC2 calls of a hypervisor, past the judging proxy: what it sees and does is not hpcctl's doing."""

import os
import re
import urllib.parse
import urllib.request
from xml.etree import ElementTree

SPACE = re.compile(r"\{[^}]*\}")


class Ec2:
    """EC2 at an emulator's endpoint; nobody checks signatures there, but the scope says which service is meant."""

    def __init__(self, endpoint, region):
        self.endpoint = endpoint
        key = os.environ.get("AWS_ACCESS_KEY_ID", "test")
        self.scope = f"AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/ec2/aws4_request, SignedHeaders=host, Signature=0"

    def call(self, action, **params):
        """The answer as an element tree without name spaces."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **params}).encode()
        request = urllib.request.Request(self.endpoint + "/", body, {"Authorization": self.scope})
        with urllib.request.urlopen(request, timeout=30) as answer:
            root = ElementTree.fromstring(answer.read())
        for element in root.iter():
            element.tag = SPACE.sub("", element.tag)
        return root

    def instances(self):
        """The instances that run: id, address, zone, type, tags."""
        root = self.call("DescribeInstances", **{
            "Filter.1.Name": "instance-state-name", "Filter.1.Value.1": "pending", "Filter.1.Value.2": "running",
            "Filter.2.Name": "tag-key", "Filter.2.Value.1": "hpcctl:role"})
        return [_instance(item) for item in root.findall("./reservationSet/item/instancesSet/item")]

    def volumes(self):
        """The volumes that the node itself attached: id, size in GiB, instance."""
        root = self.call("DescribeVolumes", **{"Filter.1.Name": "tag-key", "Filter.1.Value.1": "hpcctl:role"})
        found = [(item.findtext("volumeId"), int(item.findtext("size")), item.findtext("./attachmentSet/item/instanceId"))
                 for item in root.findall("./volumeSet/item")]
        return [one for one in found if one[2]]

    def user_data(self, instance):
        """As EC2 keeps it: base64."""
        root = self.call("DescribeInstanceAttribute", InstanceId=instance, Attribute="userData")
        return root.findtext("./userData/value") or ""

    def terminate(self, instance):
        self.call("TerminateInstances", **{"InstanceId.1": instance})


def _instance(item):
    return {
        "id": item.findtext("instanceId"),
        "address": item.findtext("privateIpAddress"),
        "zone": item.findtext("./placement/availabilityZone"),
        "type": item.findtext("instanceType"),
        "spot": item.findtext("instanceLifecycle") == "spot",
        "tags": {tag.findtext("key"): tag.findtext("value") or "" for tag in item.findall("./tagSet/item")},
    }
