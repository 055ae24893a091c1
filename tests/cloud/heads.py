"""Head nodes, as far as the bucket and the console show them: nothing boots here.

A head node of a stack reports the newest revision (`clusters/NAME/head.json`) when somebody reads its report. Where a
machine reports by itself, as in the tests with real daemons, this keeps silent. Rules of the faults file:

    {"head": "silent"}                                 it never reports; its console says that its set-up is done
    {"head": "set_up_failed", "log": "..."}            it fails, and puts the log into the bucket
    {"head": "no_network", "log": "..."}               only its console shows the log
"""

import base64
import json
import re
import time

import faults
from emulator import ec2_state, s3_state

SAID = re.compile(r"clusters/([^/]+)/status/(?:slurm\.json|set-up\.log)")
ORDER = re.compile(r"clusters/([^/]+)/orders/[^/]+\.json")
FAILED = "hpcctl: set-up failed in line 191: mount_all"


def rule():
    return faults.take(lambda one: "head" in one) or {"head": "reports"}


def head_of(cluster):
    """The head node of a cluster, as long as it runs."""
    for instance in ec2_state._instances.values():
        tags = {tag["Key"]: tag["Value"] for tag in ec2_state._tags.get(instance["InstanceId"], [])}
        ours = tags.get("hpcctl:cluster") == cluster and tags.get("hpcctl:role") == "head"
        if ours and instance["State"]["Name"] == "running":
            return instance["InstanceId"]
    return None


def read(bucket, key):
    """A JSON document; an empty one where there is none."""
    body = s3_state._get_object_data(bucket, key)
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return {}


def say(bucket, cluster):
    """What the head node would have written by now."""
    revision = read(bucket, f"clusters/{cluster}/head.json").get("number")
    instance = head_of(cluster)
    if not revision or not instance:
        return
    how, at = rule(), f"clusters/{cluster}/status"
    before = read(bucket, f"{at}/slurm.json")
    if how["head"] == "reports" and (not before or before.get("made_up")):
        report = {"kind": "hpcctl/slurm-report", "format_version": "1.1", "cluster": cluster, "revision": revision,
                  "instance": instance, "at": int(time.time()), "set_up_failed": None, "queues": [], "made_up": True}
        s3_state._put_object(bucket, f"{at}/slurm.json", json.dumps(report).encode(), {})
    if how["head"] == "set_up_failed":
        mode = "update" if before else "start"
        first = f"hpcctl set-up failed: revision={revision} instance={instance} mode={mode} at=2026-01-01T00:00:00Z"
        s3_state._put_object(bucket, f"{at}/set-up.log", f"{first}\n{how.get('log', FAILED)}\n".encode(), {})


def reports_are_written():
    original = s3_state._get_object

    def get(bucket, key, *rest):
        found = SAID.fullmatch(key)
        if found:
            say(bucket, found[1])
        return original(bucket, key, *rest)

    s3_state._get_object = get


def let_go(wish, head):
    """Volumes that a head node unmounts and detaches."""
    for name in (wish.get("release") or {}).get("volumes", []) if isinstance(wish, dict) else []:
        volume = ec2_state._volumes.get(name, {})
        if any(one["InstanceId"] == head for one in volume.get("Attachments", [])):
            volume["Attachments"], volume["State"] = [], "available"


def orders_are_answered():
    """Orders about file systems that go, which `apply` gives: nothing runs here that could hold one, so each is carried out
    as soon as it is given. A head node that reports by itself answers by itself."""
    original = s3_state._put_object

    def put(bucket, key, body, *rest):
        result = original(bucket, key, body, *rest)
        found = ORDER.fullmatch(key)
        if found and head_of(found[1]) and read(bucket, f"clusters/{found[1]}/status/slurm.json").get("made_up"):
            order = read(bucket, key)
            if "storage" in order.get("order", {}):
                let_go(order["order"]["storage"], head_of(found[1]))
                answer = {"id": order["id"], "done": int(time.time()), "failed": None}
                original(bucket, f"clusters/{found[1]}/status/orders/{order['id']}.json", json.dumps(answer).encode(), {})
        return result

    s3_state._put_object = put


def consoles_can_be_read():
    def console(params):
        instance = ec2_state._p(params, "InstanceId")
        if instance not in ec2_state._instances:
            return ec2_state._error("InvalidInstanceID.NotFound", f"The instance ID '{instance}' does not exist", 400)
        how = rule()
        last = how.get("log", FAILED) if how["head"] in ("set_up_failed", "no_network") else "hpcctl: set-up done (start)"
        text = base64.b64encode(f"cloud-init: first boot\r\n{last}\r\n".encode()).decode()
        body = f"<instanceId>{instance}</instanceId><timestamp>2026-01-01T00:00:00Z</timestamp><output>{text}</output>"
        return ec2_state._xml(200, "GetConsoleOutputResponse", body)

    ec2_state._ACTION_MAP["GetConsoleOutput"] = console


def install():
    reports_are_written()
    orders_are_answered()
    consoles_can_be_read()
