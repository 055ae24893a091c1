"""CreateFleet of type instant, with capacity that can run out.

MiniStack's fleet spreads over all overrides and never fails. Here the pools (a launch template
with one override) are tried in order of priority, each gives what capacity it has, and a pool that
cannot give all it was asked for adds an entry to `Errors`, as EC2 does: what could be launched is
in `Instances`, both may be filled. `MinTargetCapacity` makes it all or nothing.

Capacity is the faults file's: `{"action": "CreateFleet", "type": "hpc7a.96xlarge", "code":
"InsufficientInstanceCapacity", "available": 2}`. Other requests (maintain, request) go to MiniStack.
"""

import re

import emulator
import faults
from emulator import ec2_state, hex_id

_answers = {}


def create_fleet(params):
    get = lambda key: ec2_state._p(params, key)
    if get("Type") != "instant":
        return _original(params)
    token = get("ClientToken")
    if token and token in _answers:
        return _answers[token]
    try:
        answer = _instant(params, get)
    except _Refused as refused:
        return ec2_state._error(refused.code, str(refused), 400)
    if token:
        _answers[token] = answer
    return answer


class _Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def _instant(params, get):
    prefix = "TargetCapacitySpecification."
    wanted = int(get(f"{prefix}TotalTargetCapacity") or 1)
    purchase = get(f"{prefix}DefaultTargetCapacityType") or "on-demand"
    options = "SpotOptions" if purchase == "spot" else "OnDemandOptions"
    minimum = int(get(f"{options}.MinTargetCapacity") or 0)
    capacities, errors, grants, open_ = _Capacities(), [], [], wanted
    for pool in _pools(params, get):
        if not open_:
            break
        given, error = capacities.grant(pool, purchase, open_)
        open_ -= given
        if given:
            grants.append((pool, given))
        if error:
            errors.append((pool, error))
    if wanted - open_ < minimum:
        grants = []
    fleet = f"fleet-{emulator.request_id()}"
    launched = [(pool, _launch(pool, count, params, get, fleet, purchase == "spot")) for pool, count in grants]
    _remember(fleet, wanted, purchase, launched, params)
    body = (f"<fleetId>{fleet}</fleetId><errorSet>{''.join(_error_xml(p, e, purchase) for p, e in errors)}</errorSet>"
            f"<fleetInstanceSet>{''.join(_instances_xml(p, i, purchase) for p, i in launched)}</fleetInstanceSet>")
    return ec2_state._xml(200, "CreateFleetResponse", body)


class _Capacities:
    """What the faults file leaves of each pool, during one request; a rule is used once a request."""

    def __init__(self):
        self.used = []

    def grant(self, pool, purchase, wanted):
        """How many of `wanted` the pool gives, and `(code, message)` when that is fewer."""
        rule = next((rule for rule in self.used if _fits(rule, pool, purchase)), None)
        if rule is None:
            rule = faults.take(lambda rule: rule.get("action") == "CreateFleet" and _fits(rule, pool, purchase))
            if rule is None:
                return wanted, None
            self.used.append(rule)
        given = min(wanted, rule.get("available", 0))
        if given == wanted:
            return given, None
        code = rule.get("code", "InsufficientInstanceCapacity")
        return given, (code, rule.get("message", _message(code, pool)))


def _fits(rule, pool, purchase):
    return (
        rule.get("type") in (None, pool["type"])
        and rule.get("subnet") in (None, pool["subnet"])
        and rule.get("purchase") in (None, purchase)
    )


def _message(code, pool):
    if code == "InsufficientInstanceCapacity":
        return (f"We currently do not have sufficient {pool['type']} capacity in the Availability Zone you requested "
                f"({pool['zone']}). Our system will be working on provisioning additional capacity.")
    return {
        "MaxSpotInstanceCountExceeded": "Max spot instance count exceeded",
        "VcpuLimitExceeded": "You have requested more vCPU capacity than your current vCPU limit allows.",
        "UnfulfillableCapacity": "Unable to fulfill capacity due to your request configuration.",
        "UnauthorizedOperation": "You are not authorized to perform this operation.",
    }.get(code, code)


def _pools(params, get):
    """Every launch template with every override, by priority, then in the order of the request."""
    pools = []
    number = 1
    while any(key.startswith(f"LaunchTemplateConfigs.{number}.") for key in params):
        start = f"LaunchTemplateConfigs.{number}."
        spec = {key: get(f"{start}LaunchTemplateSpecification.{key}")
                for key in ("LaunchTemplateId", "LaunchTemplateName", "Version")}
        template = _template(spec)
        overrides = 1
        while any(key.startswith(f"{start}Overrides.{overrides}.") for key in params):
            over = {key: get(f"{start}Overrides.{overrides}.{key}")
                    for key in ("InstanceType", "SubnetId", "AvailabilityZone", "Priority", "ImageId")}
            pools.append(_pool(spec, template, over))
            overrides += 1
        if overrides == 1:
            pools.append(_pool(spec, template, {}))
        number += 1
    if not pools:
        raise _Refused("MissingParameter", "The request must contain the parameter LaunchTemplateConfigs")
    return sorted(pools, key=lambda pool: pool["priority"])


def _template(spec):
    """The data of the launch template version that was asked for; unknown versions are refused."""
    templates = ec2_state._launch_templates
    record = templates.get(spec["LaunchTemplateId"]) or next(
        (t for t in templates.values() if t["LaunchTemplateName"] == spec["LaunchTemplateName"]), None)
    if not record:
        raise _Refused("InvalidLaunchTemplateId.NotFound", "The specified launch template does not exist.")
    version = spec["Version"] or "$Default"
    number = {"$Default": record["DefaultVersionNumber"], "$Latest": record["LatestVersionNumber"]}.get(version, version)
    for one in record["Versions"]:
        if str(one["VersionNumber"]) == str(number):
            spec.update(LaunchTemplateId=record["LaunchTemplateId"], LaunchTemplateName=record["LaunchTemplateName"],
                        Version=str(number))
            return one["LaunchTemplateData"]
    raise _Refused("InvalidLaunchTemplateId.VersionNotFound", f"Could not find launch template version {version}")


def _pool(spec, template, over):
    cards = template.get("NetworkInterfaces") or [{}]
    subnet = over.get("SubnetId") or cards[0].get("SubnetId") or template.get("SubnetId") or ""
    if subnet and subnet not in ec2_state._subnets:
        raise _Refused("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
    placed = subnet or ec2_state._DEFAULT_SUBNET_ID
    return {
        "spec": spec,
        "data": template,
        "type": over.get("InstanceType") or template.get("InstanceType") or "m5.large",
        "subnet": placed,
        "zone": ec2_state._subnets.get(placed, {}).get("AvailabilityZone", ""),
        "groups": cards[0].get("Groups") or template.get("SecurityGroupIds") or None,
        "image": over.get("ImageId") or template.get("ImageId") or "",
        "over": {key: value for key, value in over.items() if value},
        "priority": float(over.get("Priority") or "inf"),
    }


def _launch(pool, count, params, get, fleet, spot):
    """Starts instances and tags them: the template's tags, then the request's, then AWS's own."""
    data = pool["data"]
    for group in pool["groups"] or []:
        if group not in ec2_state._security_groups:
            raise _Refused("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
    launched = ec2_state._launch_instances_internal(
        image_id=pool["image"], instance_type=pool["type"], subnet_id=pool["subnet"], count=count,
        key_name=data.get("KeyName", ""), user_data=data.get("UserData", ""), sg_ids=pool["groups"],
        iam_profile=_profile(data.get("IamInstanceProfile") or {}))
    tags = {**_template_tags(data), **_request_tags(params, get)}
    tags.update({"aws:ec2:fleet-id": fleet, "aws:ec2launchtemplate:id": pool["spec"]["LaunchTemplateId"],
                 "aws:ec2launchtemplate:version": pool["spec"]["Version"]})
    spot = get("TargetCapacitySpecification.DefaultTargetCapacityType") == "spot"
    for instance in launched:
        if spot:
            instance["InstanceLifecycle"] = "spot"
        ec2_state._tags[instance["InstanceId"]] = [{"Key": key, "Value": value} for key, value in tags.items()]
        instance["Placement"] = {**instance.get("Placement", {}), "AvailabilityZone": pool["zone"],
                                 **{k: v for k, v in (data.get("Placement") or {}).items() if k == "GroupName"}}
    return [instance["InstanceId"] for instance in launched]


def _profile(wanted):
    if not wanted:
        return None
    profiles = emulator.iam_state._instance_profiles
    name = wanted.get("Name") or wanted.get("Arn", "").rpartition("/")[2]
    if name not in profiles:
        raise _Refused("InvalidParameterValue", f"Value ({name}) for parameter iamInstanceProfile.name is invalid. "
                                                "Invalid IAM Instance Profile name")
    return ec2_state._resolve_iam_instance_profile(iam_name=name, allow_missing=True)[0]


def _template_tags(data):
    return {
        tag["Key"]: str(tag.get("Value", ""))
        for spec in data.get("TagSpecifications") or [] if spec.get("ResourceType") == "instance"
        for tag in spec.get("Tags") or []
    }


def _request_tags(params, get):
    """The instance tags of `TagSpecification.N.Tag.M` (EC2 names lists in the singular on the wire)."""
    tags = {}
    for key in params:
        match = re.fullmatch(r"(TagSpecifications?\.\d+)\.(Tags?\.\d+)\.Key", key)
        if match and get(f"{match[1]}.ResourceType") == "instance":
            tags[get(key)] = get(f"{match[1]}.{match[2]}.Value")
    return tags


def _remember(fleet, wanted, purchase, launched, params):
    """Keeps the fleet where DescribeFleets looks."""
    count = float(sum(len(instances) for _, instances in launched))
    spot = purchase == "spot"
    ec2_state._fleets[fleet] = {
        "FleetId": fleet, "FleetState": "active", "ActivityStatus": "fulfilled", "Type": "instant",
        "CreateTime": ec2_state._now_ts(), "FulfilledCapacity": count,
        "FulfilledOnDemandCapacity": 0.0 if spot else count,
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": wanted, "OnDemandTargetCapacity": 0 if spot else wanted,
            "SpotTargetCapacity": wanted if spot else 0, "DefaultTargetCapacityType": purchase},
        "LaunchTemplateConfigs": [], "Tags": [],
        "Instances": [{"InstanceIds": instances, "InstanceType": pool["type"], "Lifecycle": purchase,
                       "LaunchTemplateSpec": pool["spec"]} for pool, instances in launched],
    }


def _source_xml(pool):
    spec, over = pool["spec"], pool["over"]
    fields = "".join(f"<{key[0].lower()}{key[1:]}>{value}</{key[0].lower()}{key[1:]}>" for key, value in over.items())
    return ("<launchTemplateAndOverrides><launchTemplateSpecification>"
            f"<launchTemplateId>{spec['LaunchTemplateId']}</launchTemplateId><version>{spec['Version']}</version>"
            f"</launchTemplateSpecification><overrides>{fields}</overrides></launchTemplateAndOverrides>")


def _error_xml(pool, error, purchase):
    code, message = error
    return (f"<item>{_source_xml(pool)}<lifecycle>{purchase}</lifecycle><errorCode>{code}</errorCode>"
            f"<errorMessage>{message}</errorMessage></item>")


def _instances_xml(pool, instances, purchase):
    names = "".join(f"<item>{name}</item>" for name in instances)
    return (f"<item>{_source_xml(pool)}<lifecycle>{purchase}</lifecycle><instanceIds>{names}</instanceIds>"
            f"<instanceType>{pool['type']}</instanceType></item>")


def _described(instance):
    """An instance with its lifecycle, which MiniStack leaves out."""
    text = _plain(instance)
    if instance.get("InstanceLifecycle") == "spot":
        text = text.replace("<instanceType>", "<instanceLifecycle>spot</instanceLifecycle><instanceType>", 1)
    return text


_original = ec2_state._ACTION_MAP["CreateFleet"]
_plain = ec2_state._instance_xml


def install():
    ec2_state._ACTION_MAP["CreateFleet"] = create_fleet
    ec2_state._instance_xml = _described
