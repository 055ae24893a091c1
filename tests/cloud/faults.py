"""Failures on demand: a JSON file of rules, read again at every call.

    {"resource": "AWS::FSx::FileSystem", "reason": "no luck", "times": 1}     a resource fails
    {"resource": "*", "logical_id": "Head", "on": "update", "reason": "..."}  on create (the default), update, delete or *
    {"resource": "*", "sleep": 0.5}                                           a resource is slow
    {"action": "CreateFleet", "type": "p5.48xlarge", "code": "InsufficientInstanceCapacity",
     "available": 2}                          two can be had, then the code; `type`, `subnet`, `purchase` narrow it
    {"action": "CreateDataRepositoryTask", "reason": "...", "files": {"a/b": "S3AccessDenied"}, "sleep": 2}
    {"action": "CreateFileSystem", "code": "ServiceLimitExceeded", "message": "..."}   any FSx operation
    {"head": "silent"}                        head nodes do not report, see `heads.py`

`times` counts down as a rule is used; without it a rule holds until it is removed. The path is in
HPC_FAULTS. A rule is used at most once a call, the first that fits.
"""

import json
import os
import threading
import time

PATH = os.environ.get("HPC_FAULTS", "")

_lock = threading.Lock()


def take(fits):
    """The first rule that `fits` and has uses left, used once; None without one."""
    with _lock:
        rules = _read()
        for rule in rules:
            if rule.get("times", 1) > 0 and fits(rule):
                if "times" in rule:
                    rule["times"] -= 1
                    _write(rules)
                return rule
    return None


def for_action(action):
    """The rule for one API call."""
    return take(lambda rule: rule.get("action") == action)


def strike_resource(resource_type, logical_id, phase):
    """Waits and raises as the rules say, for one phase (create, update, delete) of a resource."""

    def fits(rule, effect):
        return (
            effect in rule
            and rule.get("resource") in (resource_type, "*")
            and rule.get("logical_id") in (None, logical_id)
            and rule.get("on", "create") in (phase, "*")
        )

    slow = take(lambda rule: fits(rule, "sleep"))
    if slow:
        time.sleep(slow["sleep"])
    broken = take(lambda rule: fits(rule, "reason"))
    if broken:
        raise ValueError(broken["reason"])


def _read():
    try:
        with open(PATH) as file:
            return json.load(file)
    except (OSError, ValueError):
        return []


def _write(rules):
    partial = f"{PATH}.partial"
    with open(partial, "w") as file:
        json.dump(rules, file)
    os.replace(partial, PATH)
