"""Who calls, and whether he may: every call of a node or person is held against policies before it is carried out.

The judging proxy asks (`HpcRights.Judge`) for every access key that is somebody's:

    ASI + 17 hexadecimal digits     the node with this instance id: the inline policies of its profile's role, as they are now
    a key of the file HPC_PEOPLE    {"AKIA...": {"name": "planner", "policies": [document, ...]}}, read again at every call

Any other key is the account's owner, who may do everything: the ground of tests is made with it, and MiniStack calls itself
with the account's number. A role without policies is a user's own, of which nobody knows what it may.
"""

import json
import re

import emulator
import fleet
import iam_access
import iam_policy
from emulator import ec2_state, get_account_id, get_region, iam_state

NODE = re.compile(r"ASI([0-9A-F]{17})")


def judge(action, raw):
    """`{"key", "service", "operation", "params", "people"}` -> `{"denied": words, "who": ARN}`; words are null when all is
    allowed, and the ARN where nobody knows the policies."""
    asked = json.loads(raw)
    who, policies = principal(asked["key"], asked.get("people") or {})
    words = None
    if policies is not None:
        try:
            words = denial(who, policies, asked["service"], asked["operation"], asked["params"])
        except (iam_access.Unknown, iam_policy.Unknown, KeyError) as unknown:
            words = f"nobody can judge {asked['service']}:{asked['operation']}: {unknown}"
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(
        {"denied": words, "who": None if policies is None else who}).encode()


def denial(who, policies, service, operation, params):
    """Why a call is refused, in AWS's words; None: it is allowed."""
    for access in iam_access.wanted(world(), service, operation, params):
        why = iam_policy.denial(policies, access)
        if why:
            return f"User: {who} is not authorized to perform: {access.action} on resource: {access.resource} {why}"
    return None


def principal(key, people):
    """The ARN of who has this key, and his policies; None for policies that nobody knows."""
    if key in people:
        return f"arn:aws:iam::{get_account_id()}:user/{people[key]['name']}", people[key]["policies"]
    instance = f"i-{NODE.fullmatch(key)[1].lower()}"
    record = ec2_state._instances.get(instance) or {}
    profile = record.get("IamInstanceProfile") or {}
    role = role_of_profile(profile.get("Arn") or profile.get("Name") or "")
    who = f"arn:aws:sts::{get_account_id()}:assumed-role/{role['RoleName'] if role else 'none'}/{instance}"
    if role is None:
        # The keys of an instance that has just ended live on for a while, and its profile is not known any more.
        ended = not record or (record.get("State") or {}).get("Name") in ("shutting-down", "terminated")
        return who, None if ended else []
    documents = [json.loads(text) if isinstance(text, str) else text for text in role["InlinePolicies"].values()]
    return who, documents or None


def role_of_profile(name):
    """The role in a profile, by the profile's name or ARN."""
    profile = iam_state._instance_profiles.get(name.rpartition("/")[2])
    roles = (profile or {}).get("Roles") or []
    name = roles[0]["RoleName"] if roles and isinstance(roles[0], dict) else roles[0] if roles else None
    return iam_state._roles.get(name)


def world():
    return iam_access.World(
        account=get_account_id(), region=get_region(), tags=_tags, template=_template, role_of_profile=_role_arn,
        path_of_role=lambda name: (iam_state._roles.get(name) or {}).get("Path", "/"), stack=_stack,
        file_system=_fsx_arn, subnet_of=_subnet_of,
        owner=lambda bucket: "999999999999" if bucket.endswith("-foreign") else get_account_id())


def _tags(name):
    return {tag["Key"]: tag.get("Value", "") for tag in ec2_state._tags.get(name, [])}


def _template(name):
    spec = {"LaunchTemplateId": name, "LaunchTemplateName": name, "Version": "$Latest"}
    data = fleet._template(spec)
    return spec["LaunchTemplateId"], data


def _role_arn(profile):
    role = role_of_profile(profile)
    return role and role["Arn"]


def _stack(name):
    from ministack.services.cloudformation import _change_sets, _stacks

    if name in _change_sets:
        return _change_sets[name]["StackId"]
    if name.startswith("arn:"):
        return name
    found = (_stacks.get(name) or {}).get("StackId")
    return found or f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/{emulator.request_id()}"


def _fsx_arn(name):
    import fsx

    for shelf in (fsx.file_systems, fsx.associations, fsx.tasks):
        if name in shelf:
            return shelf[name]["ResourceARN"]
    kind = {"fs": "file-system", "dra": "association", "task": "task"}[name.split("-")[0]]
    return fsx.arn(kind, name)


def _subnet_of(interface):
    record = ec2_state._instances.get(interface.replace("eni-", "i-")) or {}
    return record.get("SubnetId", "none")


def install():
    emulator.add_json_service("hpcrights", "HpcRights", judge)
