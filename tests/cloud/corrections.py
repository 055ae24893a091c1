"""Where MiniStack says something else than AWS, and what to do about it.

Each function mends one thing and names it.
"""

import emulator
from emulator import HANDLERS, handlers


def capabilities_are_demanded():
    """A template with IAM resources needs CAPABILITY_IAM or CAPABILITY_NAMED_IAM."""
    handlers._capabilities_enforced = lambda: True


def instance_profile_ref_is_its_name():
    """`Ref` of an instance profile is the name on AWS; MiniStack gives the ARN."""
    original = dict(HANDLERS["AWS::IAM::InstanceProfile"])

    def arn(name):
        profile = emulator.iam_state._instance_profiles.get(name)
        return profile["Arn"] if profile else name

    def named(result):
        physical_id, attributes = result
        return physical_id.rpartition("/")[2], attributes

    def create(logical_id, props, stack_name):
        for role in props.get("Roles") or []:
            if role not in emulator.iam_state._roles:
                raise ValueError(f"The role with name {role} cannot be found. (Service: Iam, Status Code: 404)")
        return named(original["create"](logical_id, props, stack_name))

    def update(physical_id, old, new, stack_name, logical_id=None):
        return named(original["update"](arn(physical_id), old, new, stack_name, logical_id))

    def delete(physical_id, props):
        original["delete"](arn(physical_id), props)

    HANDLERS["AWS::IAM::InstanceProfile"] = {
        "create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def attributes_are_complete():
    """`Fn::GetAtt` values that MiniStack does not give."""
    _add_attributes("AWS::EC2::VPC", lambda name, props: {"CidrBlock": props.get("CidrBlock", "")})


def _add_attributes(resource_type, more):
    handler = HANDLERS[resource_type]
    create, update = handler["create"], handler.get("update")

    def with_more(result, props):
        physical_id, attributes = result
        return physical_id, {**more(physical_id, props), **attributes}

    handler["create"] = lambda logical_id, props, *rest: with_more(create(logical_id, props, *rest), props)
    if update:
        handler["update"] = lambda name, old, new, *rest: with_more(update(name, old, new, *rest), new)


def install():
    capabilities_are_demanded()
    instance_profile_ref_is_its_name()
    attributes_are_complete()
