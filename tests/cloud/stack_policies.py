"""Stack policies, enforced: MiniStack keeps them and lets every update pass.

A policy's Deny (or the lack of an Allow) stops an update of a protected resource: the stack fails
with AWS's sentence and rolls back. Actions: Update:Modify, Update:Replace, Update:Delete, Update:*.
Principals are `*` always; conditions on ResourceType are understood.
"""

import fnmatch
import json

import emulator
from emulator import provisioners, stacks

DENIED = "Action denied by stack policy: Statement [#{}] does not allow [{}] for resource [LogicalResourceId/{}]"
NOT_ALLOWED = "Action denied by stack policy: no statement allows [{}] for resource [LogicalResourceId/{}]"


def verdict(policy_text, action, logical_id, resource_type):
    """Why the policy stops an action on a resource; None when it does not."""
    if not policy_text:
        return None
    allowed = False
    for number, statement in enumerate(_listed(json.loads(policy_text).get("Statement")), 1):
        if not _applies(statement, action, logical_id, resource_type):
            continue
        if statement["Effect"] == "Deny":
            return DENIED.format(number, action, logical_id)
        allowed = True
    return None if allowed else NOT_ALLOWED.format(action, logical_id)


def _listed(value):
    return value if isinstance(value, list) else [value] if value else []


def _applies(statement, action, logical_id, resource_type):
    return (
        _named(statement, "Action", action)
        and _named(statement, "Resource", f"LogicalResourceId/{logical_id}")
        and _conditions_hold(statement.get("Condition") or {}, resource_type)
    )


def _named(statement, key, value):
    if key in statement:
        return any(fnmatch.fnmatchcase(value, pattern) for pattern in _listed(statement[key]))
    return not any(fnmatch.fnmatchcase(value, pattern) for pattern in _listed(statement.get(f"Not{key}")))


def _conditions_hold(condition, resource_type):
    for operator, terms in condition.items():
        patterns = _listed(terms.get("ResourceType"))
        match = fnmatch.fnmatchcase if operator == "StringLike" else str.__eq__
        if patterns and not any(match(resource_type, pattern) for pattern in patterns):
            return False
    return True


def _policy_of(stack_name):
    from ministack.services.cloudformation import _stacks

    return (_stacks.get(stack_name) or {}).get("_stack_policy")


def _guard_update(original):
    def update(resource_type, physical_id, old, new, stack_name, logical_id=None, old_attrs=None):
        if old != new and not _rolling_back(stack_name):
            replaces = provisioners._replacing_change(resource_type, old, new)
            reason = verdict(_policy_of(stack_name), "Update:Replace" if replaces else "Update:Modify",
                             logical_id, resource_type)
            if reason:
                raise ValueError(reason)
        return original(resource_type, physical_id, old, new, stack_name, logical_id, old_attrs)

    return update


def _rolling_back(stack_name):
    from ministack.services.cloudformation import _stacks

    return "ROLLBACK" in (_stacks.get(stack_name) or {}).get("StackStatus", "")


def _guard_deploy(original):
    """Refuses an update that would delete a protected resource before it starts."""

    async def deploy(stack_name, stack_id, template, *args, **kwargs):
        previous = kwargs.get("previous_stack") or {}
        if kwargs.get("is_update"):
            for logical_id, record in previous.get("_resources", {}).items():
                if logical_id in template.get("Resources", {}):
                    continue
                reason = verdict(_policy_of(stack_name), "Update:Delete", logical_id, record["ResourceType"])
                if reason:
                    return _refuse(stack_name, stack_id, previous, logical_id, record, reason)
        return await original(stack_name, stack_id, template, *args, **kwargs)

    return deploy


def _refuse(stack_name, stack_id, previous, logical_id, record, reason):
    from ministack.services.cloudformation import _stacks

    stack = _stacks[stack_name]
    stacks._add_event(stack_id, stack_name, logical_id, record["ResourceType"], "UPDATE_FAILED", reason,
                      record["PhysicalResourceId"])
    for status in ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"):
        stacks._add_event(stack_id, stack_name, stack_name, "AWS::CloudFormation::Stack", status,
                          f"The following resource(s) failed to update: [{logical_id}]." if "PROGRESS" in status else "",
                          stack_id)
    for key, value in previous.items():
        stack[key] = value
    stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"


def install():
    """Called before `guard`, whose fronts then stand around these."""
    guarded = _guard_update(provisioners._update_resource)
    provisioners._update_resource = stacks._update_resource = guarded
    deploy = _guard_deploy(stacks._deploy_stack_async)
    for module in (stacks, emulator.handlers, __import__(
            "ministack.services.cloudformation.changesets", fromlist=["changesets"])):
        if hasattr(module, "_deploy_stack_async"):
            module._deploy_stack_async = deploy
