"""What AWS refuses, or leaves undone, and MiniStack does.

    types of logical ids     CloudFormation keeps them
    clean-ups of updates     tried three times, then left alone: the thing is there and in no stack
    mount targets            one in a zone
    volumes                  grow only
    networks                 who has an interface in a subnet or a group: instances, file systems, mount targets, databases
"""

import contextvars

import emulator
import fsx
from emulator import HANDLERS, ec2_state, efs_state, rds_state, stacks

# https://repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck
TRIES = 3
_asked = contextvars.ContextVar("the stack that a call is about", default=None)


def types_stay():
    """CloudFormation refuses another type under a logical id, for updates and for change sets."""
    from ministack.services.cloudformation import _stacks, changesets, handlers

    for action in ("UpdateStack", "CreateChangeSet"):
        handlers._ACTION_HANDLERS[action] = _about_its_stack(handlers._ACTION_HANDLERS[action])
    for module in (handlers, changesets):
        module.validate_template_support = _keeping_types(module.validate_template_support, _stacks)


def _about_its_stack(original):
    def call(params):
        token = _asked.set(emulator.handlers._p(params, "StackName"))
        try:
            return original(params)
        finally:
            _asked.reset(token)

    return call


def _keeping_types(original, everything):
    def checked(template, conditions, *args, **kwargs):
        original(template, conditions, *args, **kwargs)
        name = _asked.get()
        stack = next((one for one in everything.values() if name in (one["StackName"], one["StackId"])), None)
        wanted = template.get("Resources") or {}
        changed = [logical_id for logical_id, record in ((stack or {}).get("_resources") or {}).items()
                   if wanted.get(logical_id, {}).get("Type", record["ResourceType"]) != record["ResourceType"]]
        if changed:
            raise ValueError("Update of resource type is not permitted. The new template modifies resource type of the "
                             f"following resources: [{', '.join(changed)}]")

    return checked


def clean_ups_give_up():
    """What an update cannot delete is tried again, and then is the account's and no stack's."""
    delete, deploy = stacks._delete_resource, stacks._deploy_stack_async

    def tried(resource_type, physical_id, props, stack_name=None, logical_id=None):
        from ministack.services.cloudformation import _stacks

        stack = _stacks.get(stack_name) or {}
        cleans = stack.get("StackStatus") == "UPDATE_IN_PROGRESS"
        for left in range(TRIES - 1 if cleans else 0, -1, -1):
            try:
                return delete(resource_type, physical_id, props, stack_name, logical_id)
            except Exception as error:
                if not left:
                    raise
                stacks._add_event(stack["StackId"], stack_name, logical_id, resource_type, "DELETE_FAILED", str(error), physical_id)

    async def deployed(stack_name, stack_id, template, *args, **kwargs):
        from ministack.services.cloudformation import _stacks

        await deploy(stack_name, stack_id, template, *args, **kwargs)
        stack = _stacks.get(stack_name) or {}
        if stack.get("StackStatus") == "UPDATE_COMPLETE":
            for logical_id in set(stack["_resources"]) - set(template.get("Resources") or {}):
                stack["_resources"].pop(logical_id)

    stacks._delete_resource = tried
    from ministack.services.cloudformation import changesets, handlers

    for module in (stacks, handlers, changesets):
        if hasattr(module, "_deploy_stack_async"):
            module._deploy_stack_async = deployed


def mount_targets_conflict():
    """One in a zone, in EFS's words. The old one of a replacement is there as well when the new one is made."""
    import guard

    handler = HANDLERS["AWS::EFS::MountTarget"]
    create = handler["create"]

    def created(*args):
        try:
            return create(*args)
        except ValueError as error:
            if "already has a mount target" not in str(error):
                raise
            raise ValueError(guard.as_handler_message("mount target already exists in this AZ", "Efs", 409, "AlreadyExists")) from error

    handler["create"] = created


def volumes_grow():
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html: "The new size must be equal to or larger"."""
    original = ec2_state._ACTION_MAP["ModifyVolume"]

    def modify(params):
        volume, size = ec2_state._volumes.get(ec2_state._p(params, "VolumeId")), ec2_state._p(params, "Size")
        if volume and size and int(size) < int(volume["Size"]):
            return ec2_state._error("InvalidParameterValue", "New size cannot be smaller than existing size", 400)
        return original(params)

    ec2_state._ACTION_MAP["ModifyVolume"] = modify


def interfaces():
    """(who, subnets, groups) of everything that has a network interface."""
    for one in ec2_state._instances.values():
        if one["State"]["Name"] not in ("terminated", "shutting-down"):
            yield one["InstanceId"], [one.get("SubnetId")], [group["GroupId"] for group in one["SecurityGroups"]]
    for name, one in fsx.file_systems.items():
        yield name, one["SubnetIds"], one.get("_groups", [])
    for name, one in efs_state._mount_targets.items():
        yield name, [one["SubnetId"]], one.get("SecurityGroups", [])
    for name, one in [*rds_state._instances.items(), *rds_state._clusters.items()]:
        yield name, _subnets_of(one), [group["VpcSecurityGroupId"] for group in one.get("VpcSecurityGroups", [])]


def _subnets_of(database):
    """Those of its group: RDS may move the database to any of them."""
    group = database.get("DBSubnetGroup")
    name = group.get("DBSubnetGroupName") if isinstance(group, dict) else group
    return [one.get("SubnetIdentifier") for one in (rds_state._subnet_groups.get(name) or {}).get("Subnets", [])]


def install():
    types_stay()
    clean_ups_give_up()
    mount_targets_conflict()
    volumes_grow()
