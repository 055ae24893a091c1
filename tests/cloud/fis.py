"""A fake of AWS Fault Injection Service: it knows spot interruptions and nothing else.

No emulator has FIS. Four calls of its REST API are here: CreateExperimentTemplate, StartExperiment,
GetExperiment, DeleteExperimentTemplate. Every request is checked by botocore's model of the service
and by what the user guide says of `aws:ec2:send-spot-instance-interruptions`.

A minute of an experiment lasts HPC_FIS_MINUTE seconds (0.5). Two such minutes before its end the
notice is written to the file HPC_INTERRUPTIONS, `{"i-...": {"action": "terminate", "time": "..."}}`,
where a fake of the instance metadata can read it; at the end the instances are terminated.
"""

import datetime
import json
import os
import re
import threading
import time

import emulator
import faults
import judge_models
from emulator import AccountScopedDict, client, ec2_state, get_account_id, get_region, hex_id, iam_state

MINUTE = float(os.environ.get("HPC_FIS_MINUTE", "0.5"))
NOTICES = os.environ.get("HPC_INTERRUPTIONS")

templates = AccountScopedDict()
experiments = AccountScopedDict()
_tokens = AccountScopedDict()
_lock = threading.Lock()


class Refused(Exception):
    """An API error: status, code and message."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def handle(method, path, raw):
    """Answers one request."""
    route = re.fullmatch(r"/(experimentTemplates|experiments)(?:/([^/]+))?", path)
    name = ROUTES.get((method, route[1], bool(route[2]))) if route else None
    try:
        if not name:
            raise Refused("UnknownOperationException", f"the fake has no {method} {path}", 404)
        body = json.loads(raw or b"{}")
        params = {**body, "id": route[2]} if route[2] else body
        fault = faults.take(lambda rule: rule.get("action") == name and "code" in rule)
        if fault:
            raise Refused(fault["code"], fault.get("message", fault["code"]))
        wrong = judge_models.wrong_input(judge_models.model("fis"), name, params)
        if wrong:
            raise Refused("ValidationException", "; ".join(wrong))
        return _reply(200, OPERATIONS[name](params))
    except Refused as refused:
        return _reply(refused.status, {"message": refused.message}, refused.code)


def _reply(status, body, code=None):
    headers = {"Content-Type": "application/json", **({"x-amzn-ErrorType": code} if code else {})}
    return status, headers, json.dumps(body).encode()


def create_template(params):
    """A template; one client token makes one."""
    token = ("template", params["clientToken"])
    if token in _tokens:
        return {"experimentTemplate": templates[_tokens[token]]}
    if params["stopConditions"] != [{"source": "none"}]:
        raise Refused("ValidationException", "the fake knows no stop conditions but `none`")
    targets = params.get("targets") or {}
    for target in targets.values():
        _check_target(target)
    for action in params["actions"].values():
        _check_action(action, targets)
    _check_role(params["roleArn"])
    template = {key: params[key] for key in ("description", "targets", "actions", "stopConditions", "roleArn")}
    template.update(id=hex_id("EXT"), tags=params.get("tags") or {})
    templates[template["id"]] = template
    _tokens[token] = template["id"]
    return {"experimentTemplate": template}


def _check_target(target):
    if target["resourceType"] != "aws:ec2:spot-instance" or target["selectionMode"] != "ALL" or not target.get("resourceArns"):
        raise Refused("ValidationException", "the fake knows targets of type aws:ec2:spot-instance by ARN, all of them")


def _check_action(action, targets):
    if action["actionId"] != "aws:ec2:send-spot-instance-interruptions":
        raise Refused("ValidationException", f"the fake does not know the action {action['actionId']}")
    span = re.fullmatch(r"PT(\d+)M", (action.get("parameters") or {}).get("durationBeforeInterruption", ""))
    if not span or not 2 <= int(span[1]) <= 15:
        raise Refused("ValidationException", "durationBeforeInterruption must be from PT2M to PT15M")
    if list(action.get("targets") or {}) != ["SpotInstances"] or action["targets"]["SpotInstances"] not in targets:
        raise Refused("ValidationException", "the action's target must be called SpotInstances and be one of the template's")


def _check_role(arn):
    """FIS must be able to take the role on, and the role must allow what the action does."""
    role = iam_state._roles.get(arn.rpartition("/")[2])
    if not role or role["Arn"] != arn:
        raise Refused("ValidationException", f"The role {arn} does not exist or cannot be assumed")
    if "fis.amazonaws.com" not in json.dumps(role["AssumeRolePolicyDocument"]):
        raise Refused("ValidationException", f"The role {arn} cannot be assumed by FIS")
    if "ec2:SendSpotInstanceInterruptions" not in json.dumps(role, default=str):
        raise Refused("ValidationException", f"The role {arn} does not allow ec2:SendSpotInstanceInterruptions")


def start(params):
    """An experiment; its template may be deleted while it runs."""
    token = ("experiment", params["clientToken"])
    if token not in _tokens:
        template = templates.get(params["experimentTemplateId"])
        if not template:
            raise Refused("ResourceNotFoundException", "There is no such experiment template", 404)
        experiment = {
            "id": hex_id("EXP"), "experimentTemplateId": template["id"], "roleArn": template["roleArn"],
            "state": {"status": "initiating", "reason": "Experiment is initiating."},
            "startTime": time.time(), "tags": params.get("tags") or {},
        }
        experiments[experiment["id"]] = experiment
        _tokens[token] = experiment["id"]
        emulator.in_background(_run, experiment, template)
    return {"experiment": experiments[_tokens[token]]}


def _run(experiment, template):
    arns = [arn for target in template["targets"].values() for arn in target["resourceArns"]]
    ids = [arn.rpartition("/")[2] for arn in arns]
    missing = next((arn for arn, name in zip(arns, ids) if not _is_spot(arn, name)), None)
    if missing:
        experiment["state"] = {"status": "failed", "reason": f"Target resolution returned empty set: {missing}"}
        return
    experiment["state"] = {"status": "running", "reason": "Experiment is running."}
    span = next(iter(template["actions"].values()))["parameters"]["durationBeforeInterruption"]
    minutes = int(span[2:-1])
    time.sleep((minutes - 2) * MINUTE)
    _give_notice(ids)
    time.sleep(2 * MINUTE)
    client("ec2").terminate_instances(InstanceIds=ids)
    experiment["state"] = {"status": "completed", "reason": "Experiment completed."}
    experiment["endTime"] = time.time()


def _is_spot(arn, instance):
    found = ec2_state._instances.get(instance)
    here = arn == f"arn:aws:ec2:{get_region()}:{get_account_id()}:instance/{instance}"
    return here and found and found["State"]["Name"] == "running" and found.get("InstanceLifecycle") == "spot"


def _give_notice(ids):
    at = datetime.datetime.fromtimestamp(time.time() + 2 * MINUTE, datetime.timezone.utc)
    with _lock:
        if not NOTICES:
            return
        try:
            with open(NOTICES) as file:
                known = json.load(file)
        except (OSError, ValueError):
            known = {}
        known.update({name: {"action": "terminate", "time": at.strftime("%Y-%m-%dT%H:%M:%SZ")} for name in ids})
        with open(f"{NOTICES}.partial", "w") as file:
            json.dump(known, file, indent=1)
        os.replace(f"{NOTICES}.partial", NOTICES)


def get(params):
    found = experiments.get(params["id"])
    if not found:
        raise Refused("ResourceNotFoundException", "There is no such experiment", 404)
    return {"experiment": found}


def delete_template(params):
    template = templates.pop(params["id"], None)
    if not template:
        raise Refused("ResourceNotFoundException", "There is no such experiment template", 404)
    return {"experimentTemplate": template}


ROUTES = {
    ("POST", "experimentTemplates", False): "CreateExperimentTemplate",
    ("DELETE", "experimentTemplates", True): "DeleteExperimentTemplate",
    ("POST", "experiments", False): "StartExperiment",
    ("GET", "experiments", True): "GetExperiment",
}
OPERATIONS = {
    "CreateExperimentTemplate": create_template,
    "DeleteExperimentTemplate": delete_template,
    "StartExperiment": start,
    "GetExperiment": get,
}


def install():
    """Adds the service to the emulator."""
    module = emulator.add_rest_service("fis", handle)
    module.reset = lambda: [shelf.clear() for shelf in (templates, experiments, _tokens)]
