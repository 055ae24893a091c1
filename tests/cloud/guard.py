"""What stands before every CloudFormation handler: faults, schema validation, ids that must exist.

MiniStack provisions through three functions; each gets a front that refuses what AWS would refuse
and words a service's error as CloudFormation does.
"""

import functools

from botocore.exceptions import ClientError

import emulator
import faults
import refusals
import schemas
from emulator import ec2_state, provisioners, request_id, stacks

NOT_FOUND = {
    "AWS::EC2::VPC.Id": ("_vpcs", "The vpc ID '{}' does not exist"),
    "AWS::EC2::Subnet.Id": ("_subnets", "The subnet ID '{}' does not exist"),
    "AWS::EC2::SecurityGroup.Id": ("_security_groups", "The security group '{}' does not exist"),
}


def check_properties(resource_type, logical_id, props):
    """Raises as CloudFormation does when properties break the schema or name what is not there."""
    if resource_type == "AWS::AutoScaling::AutoScalingGroup":
        # MiniStack adds the stack's tags to the property; CloudFormation passes those on to instances as well.
        for tag in props.get("Tags") or []:
            tag.setdefault("PropagateAtLaunch", True)
    sentences, references = schemas.violations(resource_type, props)
    if sentences:
        raise ValueError(f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(sentences))
    for kind, value, place in references:
        store, sentence = NOT_FOUND.get(kind, (None, None))
        if store and value not in getattr(ec2_state, store):
            raise ValueError(as_handler_message(sentence.format(value), "Ec2", 400, "NotFound"))


def as_handler_message(message, service, status, code):
    """A service's error, as a CloudFormation event shows it."""
    return (f'Resource handler returned message: "{message} (Service: {service}, Status Code: {status}, '
            f'Request ID: {request_id()}) (SDK Attempt Count: 1)" (RequestToken: {request_id()}, HandlerErrorCode: {code})')


def _worded(function):
    """Turns an API error inside a handler into the sentence of an event."""

    @functools.wraps(function)
    def call(resource_type, *args, **kwargs):
        try:
            return function(resource_type, *args, **kwargs)
        except ClientError as error:
            body = error.response["Error"]
            status = error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
            service = resource_type.split("::")[1].capitalize()
            raise ValueError(as_handler_message(body.get("Message", ""), service, status, _handler_code(body.get("Code", ""))))

    return call


def _handler_code(code):
    if "NotFound" in code or "NoSuch" in code or code.endswith(".Unknown"):
        return "NotFound"
    if "Exists" in code or "Duplicate" in code:
        return "AlreadyExists"
    if "Limit" in code or "Quota" in code:
        return "ServiceLimitExceeded"
    return "InvalidRequest"


def _front_provision(original):
    @_worded
    def provision(resource_type, logical_id, props, stack_name):
        check_properties(resource_type, logical_id, props)
        faults.strike_resource(resource_type, logical_id, "create")
        return original(resource_type, logical_id, props, stack_name)

    return provision


def _front_update(original):
    @_worded
    def update(resource_type, physical_id, old, new, stack_name, logical_id=None, old_attrs=None):
        if old != new:
            check_properties(resource_type, logical_id, new)
            faults.strike_resource(resource_type, logical_id, "update")
        return original(resource_type, physical_id, old, new, stack_name, logical_id, old_attrs)

    return update


def _front_delete(original):
    @_worded
    def delete(resource_type, physical_id, props, stack_name=None, logical_id=None):
        faults.strike_resource(resource_type, logical_id, "delete")
        refuse_while_used(resource_type, physical_id)
        try:
            return original(resource_type, physical_id, props, stack_name, logical_id)
        except ClientError as error:
            # What somebody has deleted by hand is deleted.
            if _handler_code(error.response["Error"].get("Code", "")) != "NotFound":
                raise

    return delete


def refuse_while_used(resource_type, physical_id):
    """Raises when something alive still depends on a network resource, as EC2 does."""
    users = {
        "AWS::EC2::SecurityGroup": _users_of_group,
        "AWS::EC2::Subnet": _users_of_subnet,
        "AWS::EC2::VPC": _users_of_vpc,
        "AWS::EC2::PlacementGroup": _users_of_placement_group,
    }.get(resource_type, lambda _: [])(physical_id)
    if users:
        words = {
            "AWS::EC2::SecurityGroup": f"resource {physical_id} has a dependent object: {', '.join(users)}",
            "AWS::EC2::PlacementGroup": f"The placement group {physical_id} is in use and may not be deleted.",
        }.get(resource_type, f"The {resource_type.rpartition(':')[2].lower()} '{physical_id}' has dependencies and cannot be deleted: "
              + ", ".join(users))
        raise ValueError(as_handler_message(words, "Ec2", 400, "InvalidRequest"))


def _alive():
    return [i for i in ec2_state._instances.values() if i["State"]["Name"] not in ("terminated", "shutting-down")]


def _users_of_group(group):
    members = [who for who, _, groups in refusals.interfaces() if group in groups]
    others = [
        other["GroupId"] for other in ec2_state._security_groups.values()
        if other["GroupId"] != group and any(
            pair.get("GroupId") == group
            for rule in other.get("IpPermissions", []) + other.get("IpPermissionsEgress", [])
            for pair in rule.get("UserIdGroupPairs", []))
    ]
    return members + others


def _users_of_subnet(subnet):
    return [who for who, subnets, _ in refusals.interfaces() if subnet in subnets]


def _users_of_vpc(vpc):
    subnets = [s["SubnetId"] for s in ec2_state._subnets.values() if s["VpcId"] == vpc]
    groups = [g["GroupId"] for g in ec2_state._security_groups.values()
              if g.get("VpcId") == vpc and g["GroupName"] != "default"]
    return subnets + groups


def _users_of_placement_group(group):
    return [i["InstanceId"] for i in _alive() if i.get("Placement", {}).get("GroupName") == group]


def teach_replacements():
    """Which whole properties replace a resource, for every type, from the provider schemas."""
    for resource_type in list(emulator.HANDLERS):
        if resource_type in provisioners._REPLACING_PROPERTIES or not schemas.schema(resource_type):
            continue
        provisioners._REPLACING_PROPERTIES[resource_type] = schemas.top_level(resource_type, "createOnlyProperties")
        provisioners._CONDITIONALLY_REPLACING_PROPERTIES.setdefault(
            resource_type,
            schemas.top_level(resource_type, "conditionalCreateOnlyProperties")
            + schemas.nested(resource_type, "createOnlyProperties"))


# Parts of a property that replace the resource although the provider schema does not list them as
# create-only; the CloudFormation reference says "Update requires: Replacement" of each (for Lustre).
REPLACING_PARTS = {
    "AWS::FSx::FileSystem": (
        ("StorageType",),
        *(("LustreConfiguration", part) for part in (
            "DeploymentType", "ImportPath", "ExportPath", "ImportedFileChunkSize", "DriveCacheType",
            "CopyTagsToBackups", "EfaEnabled")),
    ),
}


def teach_replacing_parts():
    """A change of a create-only part of a property replaces the resource as well.

    In a change set such a property stays `Conditionally`, as AWS has it.
    """
    original = provisioners._replacing_change

    def replacing_change(resource_type, old, new):
        return original(resource_type, old, new) or any(
            _part(old, path) != _part(new, path) for path in _replacing_parts(resource_type))

    provisioners._replacing_change = stacks._replacing_change = replacing_change
    for resource_type, paths in REPLACING_PARTS.items():
        known = provisioners._CONDITIONALLY_REPLACING_PROPERTIES.get(resource_type, ())
        provisioners._CONDITIONALLY_REPLACING_PROPERTIES[resource_type] = tuple({*known, *(path[0] for path in paths)})


@functools.cache
def _replacing_parts(resource_type):
    listed = (schemas.schema(resource_type) or {}).get("createOnlyProperties") or []
    nested = (tuple(path.split("/")[2:]) for path in listed if path.count("/") > 2 and "*" not in path)
    return (*nested, *REPLACING_PARTS.get(resource_type, ()))


def _part(properties, path):
    for name in path:
        properties = properties.get(name) if isinstance(properties, dict) else None
    return properties if properties is None or isinstance(properties, (dict, list)) else str(properties)


def install():
    """Puts the fronts in place, wherever MiniStack keeps a name of the three functions."""
    for name, front in (("_provision_resource", _front_provision), ("_update_resource", _front_update),
                        ("_delete_resource", _front_delete)):
        guarded = front(getattr(provisioners, name))
        setattr(provisioners, name, guarded)
        if hasattr(stacks, name):
            setattr(stacks, name, guarded)
    # Handlers call back over HTTP and wait, so each runs on a thread and the API stays responsive.
    stacks._runs_on_worker_thread = lambda resource_type: True
    teach_replacements()
    teach_replacing_parts()
