"""Drift detection for the types of a cluster, by comparing with live state.

A reader gives a resource's properties as they are now, in the template's shape, or None when it is
gone; MiniStack's drift engine compares them with what the template set explicitly. A type with
no properties to read is checked for existence alone.
"""

import fsx
from emulator import drift, ec2_state, iam_state, provisioners


def _security_group(physical_id, props):
    """Rules opened or closed by hand show up; those that other resources of the stack add do not."""
    group = ec2_state._security_groups.get(physical_id)
    if group is None:
        return None
    return {
        "GroupName": group["GroupName"],
        "GroupDescription": group["Description"],
        "VpcId": group["VpcId"],
        "SecurityGroupIngress": _rules(group.get("IpPermissions"), "ingress", physical_id, "Source"),
        "SecurityGroupEgress": _rules(group.get("IpPermissionsEgress"), "egress", physical_id, "Destination"),
    }


def _rules(permissions, direction, group, peer):
    owned = _rules_of_own_resources(direction, group)
    found = []
    for permission in permissions or []:
        base = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for store, theirs, ours in (("IpRanges", "CidrIp", "CidrIp"), ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
                                    ("UserIdGroupPairs", "GroupId", f"{peer}SecurityGroupId"),
                                    ("PrefixListIds", "PrefixListId", f"{peer}PrefixListId")):
            for source in permission.get(store) or []:
                rule = {**base, ours: source[theirs]}
                if source.get("Description"):
                    rule["Description"] = source["Description"]
                if _signature(rule) not in owned:
                    found.append(rule)
    return found


def _rules_of_own_resources(direction, group):
    """Rules that AWS::EC2::SecurityGroupIngress and Egress resources of any stack put there."""
    from ministack.services.cloudformation import _stacks

    wanted = f"AWS::EC2::SecurityGroup{direction.capitalize()}"
    return {
        _signature({key: value for key, value in record["Properties"].items() if key != "GroupId"})
        for stack in _stacks.values() for record in stack.get("_resources", {}).values()
        if record["ResourceType"] == wanted and record["Properties"].get("GroupId") == group
    }


def _signature(rule):
    return tuple(sorted((key, str(value)) for key, value in rule.items() if key != "Description"))


def _file_system(physical_id, props):
    record = fsx.file_systems.get(physical_id)
    if record is None:
        return None
    lustre = {**record["LustreConfiguration"], **record["LustreConfiguration"].get("DataRepositoryConfiguration", {})}
    asked = props.get("LustreConfiguration") or {}
    return {
        "StorageCapacity": record["StorageCapacity"],
        "StorageType": record["StorageType"],
        "SubnetIds": record["SubnetIds"],
        "LustreConfiguration": {key: lustre[key] for key in asked if key in lustre},
    }


def _instance(physical_id, props):
    record = ec2_state._instances.get(physical_id)
    if record is None or record["State"]["Name"] in ("terminated", "shutting-down"):
        return None
    return {
        "InstanceType": record["InstanceType"],
        "ImageId": record["ImageId"],
        "SubnetId": record["SubnetId"],
        "SecurityGroupIds": [group["GroupId"] for group in record["SecurityGroups"]],
    }


def _launch_template(physical_id, props):
    record = ec2_state._launch_templates.get(physical_id)
    if record is None:
        return None
    default = record["DefaultVersionNumber"]
    by_stack = record["Versions"][-1]
    return {"LaunchTemplateName": record["LaunchTemplateName"],
            "LaunchTemplateData": by_stack["LaunchTemplateData"]} if default else None


def _placement_group(physical_id, props):
    record = ec2_state._placement_groups.get(physical_id)
    return None if record is None else {"Strategy": record.get("Strategy", "cluster")}


def _instance_profile(physical_id, props):
    record = iam_state._instance_profiles.get(physical_id)
    if record is None:
        return None
    roles = [role if isinstance(role, str) else role.get("RoleName") for role in record.get("Roles", [])]
    return {"Roles": roles}


READERS = {
    "AWS::EC2::SecurityGroup": (_security_group, {
        "GroupName", "GroupDescription", "VpcId", "SecurityGroupIngress", "SecurityGroupEgress"}),
    "AWS::FSx::FileSystem": (_file_system, {"StorageCapacity", "StorageType", "SubnetIds", "LustreConfiguration"}),
    "AWS::EC2::Instance": (_instance, {"InstanceType", "ImageId", "SubnetId", "SecurityGroupIds"}),
    "AWS::EC2::LaunchTemplate": (_launch_template, {"LaunchTemplateName", "LaunchTemplateData"}),
    "AWS::EC2::PlacementGroup": (_placement_group, {"Strategy"}),
    "AWS::IAM::InstanceProfile": (_instance_profile, {"Roles"}),
}

EXISTENCE = {
    "AWS::EC2::VPC": "_vpcs",
    "AWS::EC2::Subnet": "_subnets",
    "AWS::EC2::RouteTable": "_route_tables",
    "AWS::EC2::InternetGateway": "_internet_gateways",
    "AWS::EC2::NatGateway": "_nat_gateways",
    "AWS::EC2::VPCEndpoint": "_vpc_endpoints",
    "AWS::EC2::NetworkInterface": "_network_interfaces",
    "AWS::EC2::Volume": "_volumes",
}


def install():
    for resource_type, (reader, properties) in READERS.items():
        drift._DRIFT_READERS[resource_type] = (reader, frozenset(properties))
    for resource_type, store in EXISTENCE.items():
        reader = lambda name, props, store=store: {} if name in getattr(ec2_state, store) else None
        drift._DRIFT_READERS[resource_type] = (reader, frozenset())
