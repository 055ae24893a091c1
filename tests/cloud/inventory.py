"""What the account, the region and its zones have beside what was made in the emulator: a fake, for no emulator has it.

The file HPC_GROUND says what there is:

    {"images": {"ami-...": {"architecture": "x86_64", "root": "/dev/sda1"}},
     "reservations": {"cr-...": {"type": "p4d.24xlarge", "placement_group": "near", "groups": ["arn:..."]}},
     "keys": {"arn:...": "Enabled"},
     "secrets": ["arn:..."],
     "lustre": {"fs-...": "abcdefgh"},
     "not_offered": {"hpc6a.48xlarge": ["us-east-1a"]},
     "quotas": {"L-1216C47A": 64}}

Every zone offers every type that `not_offered` does not take from it (none listed: no zone offers it). A quota that the file
does not name is far away. Of Service Quotas there is GetServiceQuota alone. Images that are `deprecated` are shown to who asks for them. MiniStack ignores the filters `group-id` and
`key-name` of EC2; here they count.
"""

import json
import os
from xml.sax.saxutils import escape

import emulator
import fsx
import judge_models
from emulator import ec2_state, get_account_id, get_region, json_response, kms_state, secrets_state

GROUND = os.environ.get("HPC_GROUND")
FAR_AWAY = 1_000_000.0


def ground(key):
    """A part of the file, as it is now."""
    try:
        with open(GROUND, encoding="utf-8") as file:
            return json.load(file).get(key, {})
    except (OSError, TypeError, ValueError):
        return {}


def _filtered(action, name, id_list):
    """The action with a filter that MiniStack does not know: as ids, of which the unknown are left out."""
    original = ec2_state._ACTION_MAP[action]

    def answer(params):
        wanted = ec2_state._parse_filters(params).get(name)
        if wanted is None:
            return original(params)
        shelf = {"GroupId": ec2_state._security_groups, "KeyName": ec2_state._key_pairs}[id_list]
        known = [one for one in wanted if one in shelf]
        plain = {key: value for key, value in params.items() if not key.startswith("Filter.")}
        # No id at all would be all of them.
        plain.update({f"{id_list}.{i}": one for i, one in enumerate(known, 1)})
        if known:
            return original(plain)
        shape = {"GroupId": ("DescribeSecurityGroupsResponse", "<securityGroupInfo/>"),
                 "KeyName": ("DescribeKeyPairsResponse", "<keySet/>")}[id_list]
        return ec2_state._xml(200, *shape)

    ec2_state._ACTION_MAP[action] = answer


def offerings(params):
    absent = ground("not_offered")
    types = ec2_state._parse_filters(params).get("instance-type", [])
    zones = [get_region() + letter for letter in "abc"]
    offered = lambda kind, zone: kind not in absent or (absent[kind] and zone not in absent[kind])
    items = "".join(
        f"<item><instanceType>{escape(kind)}</instanceType><locationType>availability-zone</locationType>"
        f"<location>{zone}</location></item>"
        for kind in types for zone in zones if offered(kind, zone))
    return ec2_state._xml(200, "DescribeInstanceTypeOfferingsResponse",
                          f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>")


def reservations(params):
    def item(name, known):
        group = known.get("placement_group")
        arn = f"arn:aws:ec2:{get_region()}:{get_account_id()}:placement-group/{group}"
        inside = f"<placementGroupArn>{escape(arn)}</placementGroupArn>" if group else ""
        return (f"<item><capacityReservationId>{escape(name)}</capacityReservationId>"
                f"<instanceType>{escape(known['type'])}</instanceType><state>active</state>{inside}</item>")

    items = "".join(item(name, known) for name, known in sorted(ground("reservations").items()))
    return ec2_state._xml(200, "DescribeCapacityReservationsResponse",
                          f"<capacityReservationSet>{items}</capacityReservationSet>")


def groups_of_reservation(params):
    known = ground("reservations").get(params.get("CapacityReservationId", [""])[0])
    if known is None:
        return ec2_state._error("InvalidCapacityReservationId.NotFound", "The capacity reservation does not exist", 400)
    items = "".join(f"<item><groupArn>{escape(arn)}</groupArn></item>" for arn in known.get("groups", []))
    return ec2_state._xml(200, "GetGroupsForCapacityReservationResponse",
                          f"<capacityReservationGroupSet>{items}</capacityReservationGroupSet>")


def keys_and_secrets():
    """Keys and secrets of the file, by ARN: nobody chooses the ARN of one that is made."""
    key, secret = kms_state._describe_key, secrets_state._describe_secret

    def describe_key(data):
        state = ground("keys").get(data.get("KeyId")) if isinstance(ground("keys"), dict) else None
        if state is None:
            return key(data)
        name = data["KeyId"]
        return json_response({"KeyMetadata": {"KeyId": name.rpartition("/")[2], "Arn": name, "Enabled": state == "Enabled",
                                              "KeyState": state}})

    def describe_secret(data):
        if data.get("SecretId") not in list(ground("secrets")):
            return secret(data)
        return json_response({"ARN": data["SecretId"], "Name": data["SecretId"].rpartition(":")[2]})

    kms_state._describe_key, secrets_state._describe_secret = describe_key, describe_secret


def images():
    """The images of the file besides the vendors'."""
    plain = ec2_state._ACTION_MAP["DescribeImages"]
    vendors = list(ec2_state._STUB_AMIS)
    view = ec2_state._stub_image_view

    def viewed(*stub):
        answer = view(*stub)
        known = ground("images").get(stub[0])
        if known:
            answer["Architecture"] = known.get("architecture", "x86_64")
        return answer

    def answer(params):
        asked = lambda name: (params.get(name) or ["false"])[0] == "true"
        hidden = lambda known: known.get("deprecated") and not asked("IncludeDeprecated")
        own = [(name, f"own/{name}", "of the account", "", known.get("root", "/dev/sda1"), "123456789012", None)
               for name, known in ground("images").items() if not hidden(known)]
        ec2_state._STUB_AMIS[:] = vendors + own
        return plain(params)

    ec2_state._stub_image_view = viewed
    ec2_state._ACTION_MAP["DescribeImages"] = answer


def file_systems():
    """The file systems of the file, by id only: they are nobody's to delete."""
    plain = fsx.OPERATIONS["DescribeFileSystems"]

    def answer(body):
        names = body.get("FileSystemIds") or []
        known = ground("lustre")
        if not names or not all(name in known for name in names):
            return plain(body)
        return {"FileSystems": [
            {"FileSystemId": name, "FileSystemType": "LUSTRE", "Lifecycle": "AVAILABLE", "StorageCapacity": 1200,
             "LustreConfiguration": {"DeploymentType": "PERSISTENT_2", "MountName": known[name]}}
            for name in names]}

    fsx.OPERATIONS["DescribeFileSystems"] = answer


def quota(action, raw):
    body = json.loads(raw or b"{}")
    wrong = judge_models.wrong_input(judge_models.model("servicequotas"), action, body)
    if action != "GetServiceQuota" or wrong:
        words = "; ".join(wrong) if wrong else f"the fake has no {action}"
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": "IllegalArgumentException"}
        return 400, headers, json.dumps({"__type": "IllegalArgumentException", "Message": words}).encode()
    value = float(ground("quotas").get(body["QuotaCode"], FAR_AWAY))
    answer = {"Quota": {"ServiceCode": body["ServiceCode"], "QuotaCode": body["QuotaCode"], "Value": value}}
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def install():
    _filtered("DescribeSecurityGroups", "group-id", "GroupId")
    _filtered("DescribeKeyPairs", "key-name", "KeyName")
    ec2_state._ACTION_MAP["DescribeInstanceTypeOfferings"] = offerings
    ec2_state._ACTION_MAP["DescribeCapacityReservations"] = reservations
    ec2_state._ACTION_MAP["GetGroupsForCapacityReservation"] = groups_of_reservation
    images()
    keys_and_secrets()
    file_systems()
    emulator.add_json_service("servicequotas", "ServiceQuotasV20190624", quota)
