"""What EC2 refuses around volumes, and what lasts longer than an instance: volumes that were attached, an address that moves.

MiniStack attaches a volume that another instance has, forgets nothing of an instance that is gone, terminates protected
instances, and has no further private addresses.
"""

from emulator import ec2_state


def install():
    _in_front("AttachVolume", _refused_attachment)
    _in_front("DetachVolume", _refused_detachment)
    _in_front("TerminateInstances", _refused_termination)
    _behind("TerminateInstances", lambda params: _free_volumes())
    ec2_state._ACTION_MAP["ModifyInstanceAttribute"] = _modify_attribute
    ec2_state._ACTION_MAP["AssignPrivateIpAddresses"] = _assign


def _in_front(action, refusal):
    original = ec2_state._ACTION_MAP[action]
    ec2_state._ACTION_MAP[action] = lambda params: refusal(params) or original(params)


def _behind(action, work):
    original = ec2_state._ACTION_MAP[action]

    def call(params):
        answer = original(params)
        work(params)
        return answer

    ec2_state._ACTION_MAP[action] = call


def _refused_attachment(params):
    volume = ec2_state._volumes.get(ec2_state._p(params, "VolumeId"))
    instance = ec2_state._instances.get(ec2_state._p(params, "InstanceId"))
    if volume and volume.get("Attachments"):
        return ec2_state._error("VolumeInUse", f"{volume['VolumeId']} is already attached to an instance", 400)
    if instance and instance["State"]["Name"] not in ("running", "stopped"):
        return ec2_state._error("IncorrectState", f"Instance '{instance['InstanceId']}' is not 'running'.", 400)
    return None


def _refused_detachment(params):
    volume = ec2_state._volumes.get(ec2_state._p(params, "VolumeId"))
    if volume and not volume.get("Attachments"):
        return ec2_state._error("IncorrectState", f"Volume '{volume['VolumeId']}' is in the 'available' state.", 400)
    return None


def _refused_termination(params):
    for name in ec2_state._parse_member_list(params, "InstanceId"):
        if ec2_state._instances.get(name, {}).get("_protected"):
            return ec2_state._error("OperationNotPermitted", f"The instance '{name}' may not be terminated. Modify its "
                                    "'disableApiTermination' instance attribute and try again.", 400)
    return None


def _free_volumes():
    for volume in ec2_state._volumes.values():
        holders = [one["InstanceId"] for one in volume.get("Attachments", [])]
        gone = [name for name in holders if ec2_state._instances.get(name, {}).get("State", {}).get("Name") == "terminated"]
        if gone:
            volume["Attachments"], volume["State"] = [], "available"


def _modify_attribute(params):
    name, value = ec2_state._p(params, "InstanceId"), ec2_state._p(params, "DisableApiTermination.Value")
    if name not in ec2_state._instances:
        return ec2_state._error("InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist", 400)
    if not value:
        return ec2_state._error("InvalidParameterCombination", "No attributes specified.", 400)
    ec2_state._instances[name]["_protected"] = value == "true"
    return ec2_state._xml(200, "ModifyInstanceAttributeResponse", "<return>true</return>")


def _assign(params):
    interface, wanted = ec2_state._p(params, "NetworkInterfaceId"), ec2_state._parse_member_list(params, "PrivateIpAddress")
    alive = [one for one in ec2_state._instances.values() if one["State"]["Name"] != "terminated"]
    owner = next((one for one in alive if f"eni-{one['InstanceId'][2:]}" == interface), None)
    if owner is None:
        return ec2_state._error("InvalidNetworkInterfaceID.NotFound",
                                f"The networkInterface ID '{interface}' does not exist", 400)
    if not wanted:
        import instances
        wanted = [instances.free_address(owner["SubnetId"])]
    for address in wanted:
        if any(one["PrivateIpAddress"] == address for one in alive):
            return ec2_state._error("InvalidParameterValue", f"{address} is a primary private IP address", 400)
        holder = next((one for one in alive if address in one.get("FurtherAddresses", [])), None)
        if holder is not None and ec2_state._p(params, "AllowReassignment") != "true":
            return ec2_state._error("InvalidParameterValue", f"{address} is already assigned", 400)
        if holder is not None:
            holder["FurtherAddresses"].remove(address)
        owner.setdefault("FurtherAddresses", []).append(address)
    given = "".join(f"<item><privateIpAddress>{address}</privateIpAddress></item>" for address in wanted)
    return ec2_state._xml(200, "AssignPrivateIpAddressesResponse",
                          f"<return>true</return><networkInterfaceId>{interface}</networkInterfaceId>"
                          f"<assignedPrivateIpAddressesSet>{given}</assignedPrivateIpAddressesSet>")
