"""Instances as EC2 gives them: addresses of their subnet, their user data, their group, whether they are spot.

MiniStack draws every private address from 10.0.0.0/16, whatever the subnet, hides the user data and calls nothing spot.
"""

import ipaddress
import threading
from xml.sax.saxutils import escape

from emulator import ec2_state, get_region

# EC2 keeps the first four addresses of a subnet and the last for itself.
RESERVED = 4

_addresses = threading.Lock()


def instances_have_addresses_of_their_subnet():
    original = ec2_state._launch_instances_internal

    def launch(**wanted):
        count = wanted.pop("count")
        asked = wanted.pop("requested_private_ip", None)
        made = []
        with _addresses:
            for _ in range(count):
                address = asked or free_address(wanted.get("subnet_id"))
                made += original(count=1, requested_private_ip=address, **wanted)
        for instance in made:
            instance["PrivateDnsName"] = private_name(instance["PrivateIpAddress"])
        return made

    ec2_state._launch_instances_internal = launch


def free_address(subnet):
    """The lowest address of a subnet that no living instance has; None in a subnet that nobody knows."""
    record = ec2_state._subnets.get(subnet)
    if not record:
        return None
    alive = [one for one in ec2_state._instances.values() if one["State"]["Name"] != "terminated"]
    taken = {address for one in alive for address in [one["PrivateIpAddress"], *one.get("FurtherAddresses", [])]}
    network = ipaddress.ip_network(record["CidrBlock"])
    for number in range(RESERVED, network.num_addresses - 1):
        address = str(network[number])
        if address not in taken:
            return address
    raise ValueError(f"There are not enough free addresses in subnet '{subnet}'")


def private_name(address):
    """us-east-1 names its instances otherwise than all other regions."""
    region = get_region()
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"


def user_data_can_be_read():
    original = ec2_state._ACTION_MAP["DescribeInstanceAttribute"]

    def describe(params):
        instance = ec2_state._instances.get(ec2_state._p(params, "InstanceId"))
        if not instance or ec2_state._p(params, "Attribute") != "userData":
            return original(params)
        text = escape(instance.get("UserData") or "")
        body = f"<instanceId>{instance['InstanceId']}</instanceId><userData><value>{text}</value></userData>"
        return ec2_state._xml(200, "DescribeInstanceAttributeResponse", body)

    ec2_state._ACTION_MAP["DescribeInstanceAttribute"] = describe


def spot_instances_say_so():
    original = ec2_state._instance_xml

    def with_lifecycle(instance):
        text, lifecycle = original(instance), instance.get("InstanceLifecycle")
        if not lifecycle:
            return text
        body, _, rest = text.rpartition("</item>")
        return f"{body}<instanceLifecycle>{lifecycle}</instanceLifecycle></item>{rest}"

    ec2_state._instance_xml = with_lifecycle


def instances_are_in_their_placement_group():
    """`Placement.GroupName` of RunInstances, which MiniStack does not read."""
    original = ec2_state._ACTION_MAP["RunInstances"]

    def run(params):
        known = set(ec2_state._instances)
        answer = original(params)
        group = ec2_state._p(params, "Placement.GroupName")
        for name in set(ec2_state._instances) - known if group else ():
            ec2_state._instances[name].setdefault("Placement", {})["GroupName"] = group
        return answer

    ec2_state._ACTION_MAP["RunInstances"] = run


def install():
    instances_are_in_their_placement_group()
    instances_have_addresses_of_their_subnet()
    user_data_can_be_read()
    spot_instances_say_so()
