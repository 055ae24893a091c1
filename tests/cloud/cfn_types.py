"""CloudFormation resource types that MiniStack lacks: EC2's, IAM::RolePolicy, Budgets::Budget.

`Ref` and `Fn::GetAtt` give what the AWS CloudFormation reference says of each type. FSx has
`cfn_fsx` to itself.
"""

import json

import emulator
from emulator import client, get_account_id, hex_id, provisioners, register, set_tags


def generated_name(stack_name, logical_id):
    """A physical name as CloudFormation makes them up."""
    return f"{stack_name}-{logical_id}-{hex_id('', 12).upper()}"


def _retag(attributes_of):
    """An update handler for a type whose tags alone change in place."""

    def update(physical_id, old, new, stack_name):
        attributes, resource_id = attributes_of(physical_id)
        set_tags(resource_id, new)
        return physical_id, attributes

    return update


# ---------------------------------------------------------------- placement groups, addresses, gateways


def _create_placement_group(logical_id, props, stack_name):
    name = generated_name(stack_name, logical_id)
    request = {"GroupName": name, "Strategy": props.get("Strategy", "cluster")}
    if "PartitionCount" in props:
        request["PartitionCount"] = int(props["PartitionCount"])
    if "SpreadLevel" in props:
        request["SpreadLevel"] = props["SpreadLevel"]
    group = client("ec2").create_placement_group(**request)["PlacementGroup"]
    set_tags(group["GroupId"], props)
    return name, {"GroupName": name, "GroupId": group["GroupId"]}


def _placement_group(physical_id):
    group = client("ec2").describe_placement_groups(GroupNames=[physical_id])["PlacementGroups"][0]
    return {"GroupName": physical_id, "GroupId": group["GroupId"]}, group["GroupId"]


def _delete_placement_group(physical_id, props):
    client("ec2").delete_placement_group(GroupName=physical_id)


def _create_address(logical_id, props, stack_name):
    address = client("ec2").allocate_address(Domain="vpc")
    set_tags(address["AllocationId"], props)
    if props.get("InstanceId"):
        client("ec2").associate_address(AllocationId=address["AllocationId"], InstanceId=props["InstanceId"])
    return address["PublicIp"], {"AllocationId": address["AllocationId"], "PublicIp": address["PublicIp"]}


def _address(physical_id):
    found = client("ec2").describe_addresses(PublicIps=[physical_id])["Addresses"][0]
    return {"AllocationId": found["AllocationId"], "PublicIp": physical_id}, found["AllocationId"]


def _update_address(physical_id, old, new, stack_name):
    attributes, allocation = _address(physical_id)
    set_tags(allocation, new)
    if new.get("InstanceId") and new.get("InstanceId") != old.get("InstanceId"):
        client("ec2").associate_address(AllocationId=allocation, InstanceId=new["InstanceId"])
    return physical_id, attributes


def _delete_address(physical_id, props):
    client("ec2").release_address(AllocationId=_address(physical_id)[1])


def _create_nat_gateway(logical_id, props, stack_name):
    request = {"SubnetId": props["SubnetId"], "ConnectivityType": props.get("ConnectivityType", "public")}
    if "AllocationId" in props:
        request["AllocationId"] = props["AllocationId"]
    gateway = client("ec2").create_nat_gateway(**request)["NatGateway"]["NatGatewayId"]
    set_tags(gateway, props)
    return gateway, {"NatGatewayId": gateway, "EniId": hex_id("eni-")}


def _delete_nat_gateway(physical_id, props):
    client("ec2").delete_nat_gateway(NatGatewayId=physical_id)


# ---------------------------------------------------------------- security group rules


def _register_rule(direction, peer):
    """AWS::EC2::SecurityGroupIngress or Egress; `peer` is the property that names the other group."""

    def permission(props):
        rule = {"IpProtocol": str(props["IpProtocol"])}
        said = {"Description": props["Description"]} if props.get("Description") else {}
        for key in ("FromPort", "ToPort"):
            if key in props:
                rule[key] = int(props[key])
        prefix_list = props.get("SourcePrefixListId") or props.get("DestinationPrefixListId")
        if props.get(peer):
            rule["UserIdGroupPairs"] = [{"GroupId": props[peer], **said}]
        elif props.get("CidrIp"):
            rule["IpRanges"] = [{"CidrIp": props["CidrIp"], **said}]
        elif props.get("CidrIpv6"):
            rule["Ipv6Ranges"] = [{"CidrIpv6": props["CidrIpv6"], **said}]
        elif prefix_list:
            rule["PrefixListIds"] = [{"PrefixListId": prefix_list, **said}]
        else:
            raise ValueError(f"the rule names no {peer}, CidrIp, CidrIpv6 or prefix list")
        return [rule]

    def create(logical_id, props, stack_name):
        authorize = getattr(client("ec2"), f"authorize_security_group_{direction}")
        answer = authorize(GroupId=props["GroupId"], IpPermissions=permission(props))
        rules = answer.get("SecurityGroupRules") or [{"SecurityGroupRuleId": hex_id("sgr-")}]
        name = rules[0]["SecurityGroupRuleId"]
        return name, {"Id": name}

    def update(physical_id, old, new, stack_name):
        return physical_id, {"Id": physical_id}  # only the description changes in place

    def delete(physical_id, props):
        if props["GroupId"] in emulator.ec2_state._security_groups:
            revoke = getattr(client("ec2"), f"revoke_security_group_{direction}")
            revoke(GroupId=props["GroupId"], IpPermissions=permission(props))

    register(f"AWS::EC2::SecurityGroup{direction.capitalize()}", create, delete, update)


# ---------------------------------------------------------------- instances, interfaces, volumes


def _create_instance(logical_id, props, stack_name):
    request = {key: props[key] for key in ("ImageId", "InstanceType", "SubnetId", "SecurityGroupIds",
                                           "KeyName", "PrivateIpAddress") if key in props}
    if "UserData" in props:
        request["UserData"] = props["UserData"]
    if props.get("IamInstanceProfile"):
        request["IamInstanceProfile"] = {"Name": _profile_name(props["IamInstanceProfile"])}
    if props.get("LaunchTemplate"):
        request["LaunchTemplate"] = {key: str(value) for key, value in props["LaunchTemplate"].items()}
    for card in props.get("NetworkInterfaces") or []:
        if str(card.get("DeviceIndex", "0")) == "0":
            request.update({key: value for key, value in {
                "SubnetId": card.get("SubnetId"), "SecurityGroupIds": card.get("GroupSet")}.items() if value})
    instance = client("ec2").run_instances(MinCount=1, MaxCount=1, **request)["Instances"][0]
    set_tags(instance["InstanceId"], props)
    emulator.ec2_state._instances[instance["InstanceId"]]["UserData"] = props.get("UserData", "")
    _protect(instance["InstanceId"], props)
    return instance["InstanceId"], _instance(instance["InstanceId"])


def _protect(physical_id, props):
    protected = str(props.get("DisableApiTermination", False)).lower()
    client("ec2").modify_instance_attribute(InstanceId=physical_id, DisableApiTermination={"Value": protected == "true"})


def _profile_name(value):
    """The instance profile a template names; AWS takes the name here, never the ARN."""
    if value not in emulator.iam_state._instance_profiles:
        raise ValueError(f"Value ({value}) for parameter iamInstanceProfile.name is invalid. "
                         "Invalid IAM Instance Profile name (Service: Ec2, Status Code: 400)")
    return value


def _instance(physical_id):
    found = client("ec2").describe_instances(InstanceIds=[physical_id])
    instance = found["Reservations"][0]["Instances"][0]
    return {
        "InstanceId": physical_id,
        "PrivateIp": instance.get("PrivateIpAddress", ""),
        "PublicIp": instance.get("PublicIpAddress", ""),
        "PrivateDnsName": instance.get("PrivateDnsName", ""),
        "PublicDnsName": instance.get("PublicDnsName", ""),
        "AvailabilityZone": instance.get("Placement", {}).get("AvailabilityZone", ""),
        "VpcId": instance.get("VpcId", ""),
        "State.Code": str(instance["State"]["Code"]),
        "State.Name": instance["State"]["Name"],
    }


def _update_instance(physical_id, old, new, stack_name):
    record = emulator.ec2_state._instances[physical_id]
    if new.get("IamInstanceProfile"):
        _profile_name(new["IamInstanceProfile"])
    record["InstanceType"] = new.get("InstanceType", record["InstanceType"])
    record["UserData"] = new.get("UserData", "")
    if new.get("SecurityGroupIds"):
        groups = emulator.ec2_state._security_groups
        record["SecurityGroups"] = [
            {"GroupId": group, "GroupName": groups[group]["GroupName"]} for group in new["SecurityGroupIds"]]
    _protect(physical_id, new)
    set_tags(physical_id, new)
    return physical_id, _instance(physical_id)


def _delete_instance(physical_id, props):
    client("ec2").terminate_instances(InstanceIds=[physical_id])


def _create_interface(logical_id, props, stack_name):
    request = {"SubnetId": props["SubnetId"]}
    for ours, theirs in (("GroupSet", "Groups"), ("PrivateIpAddress", "PrivateIpAddress"),
                         ("Description", "Description"), ("InterfaceType", "InterfaceType")):
        if ours in props:
            request[theirs] = props[ours]
    made = client("ec2").create_network_interface(**request)["NetworkInterface"]
    set_tags(made["NetworkInterfaceId"], props)
    return made["NetworkInterfaceId"], _interface(made["NetworkInterfaceId"])[0]


def _interface(physical_id):
    found = client("ec2").describe_network_interfaces(NetworkInterfaceIds=[physical_id])["NetworkInterfaces"][0]
    return {
        "Id": physical_id,
        "PrimaryPrivateIpAddress": found.get("PrivateIpAddress", ""),
        "SecondaryPrivateIpAddresses": [],
        "VpcId": found.get("VpcId", ""),
    }, physical_id


def _delete_interface(physical_id, props):
    client("ec2").delete_network_interface(NetworkInterfaceId=physical_id)


def _create_volume(logical_id, props, stack_name):
    request = {"AvailabilityZone": props["AvailabilityZone"]}
    for key in ("VolumeType", "SnapshotId", "KmsKeyId"):
        if key in props:
            request[key] = props[key]
    for key in ("Size", "Iops", "Throughput"):
        if key in props:
            request[key] = int(props[key])
    if "Encrypted" in props:
        request["Encrypted"] = str(props["Encrypted"]).lower() == "true"
    volume = client("ec2").create_volume(**request)["VolumeId"]
    set_tags(volume, props)
    return volume, {"VolumeId": volume}


def _update_volume(physical_id, old, new, stack_name):
    change = {key: int(new[key]) for key in ("Size", "Iops", "Throughput") if new.get(key) not in (None, old.get(key))}
    if new.get("VolumeType") not in (None, old.get("VolumeType")):
        change["VolumeType"] = new["VolumeType"]
    if change:
        client("ec2").modify_volume(VolumeId=physical_id, **change)
    set_tags(physical_id, new)
    return physical_id, {"VolumeId": physical_id}


def _delete_volume(physical_id, props):
    client("ec2").delete_volume(VolumeId=physical_id)
    # A volume's tags go with it; MiniStack still lists them.
    emulator.ec2_state._tags.pop(physical_id, None)


def _create_attachment(logical_id, props, stack_name):
    client("ec2").attach_volume(VolumeId=props["VolumeId"], InstanceId=props["InstanceId"],
                                Device=props.get("Device", "/dev/sdf"))
    return f"{props['VolumeId']}|{props['InstanceId']}", {}


def _delete_attachment(physical_id, props):
    client("ec2").detach_volume(VolumeId=props["VolumeId"], InstanceId=props["InstanceId"])


def _create_flow_log(logical_id, props, stack_name):
    request = {
        "ResourceIds": [props["ResourceId"]],
        "ResourceType": props["ResourceType"],
        "TrafficType": props.get("TrafficType", "ALL"),
    }
    for ours, theirs in (("LogDestinationType", "LogDestinationType"), ("LogDestination", "LogDestination"),
                         ("LogGroupName", "LogGroupName"), ("LogFormat", "LogFormat"),
                         ("DeliverLogsPermissionArn", "DeliverLogsPermissionArn")):
        if ours in props:
            request[theirs] = props[ours]
    made = client("ec2").create_flow_logs(**request)["FlowLogIds"][0]
    set_tags(made, props)
    return made, {"Id": made}


def _delete_flow_log(physical_id, props):
    client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


def _create_key_pair(logical_id, props, stack_name):
    if "PublicKeyMaterial" in props:
        made = client("ec2").import_key_pair(KeyName=props["KeyName"], PublicKeyMaterial=props["PublicKeyMaterial"])
    else:
        made = client("ec2").create_key_pair(KeyName=props["KeyName"])
    return props["KeyName"], {"KeyPairId": made["KeyPairId"], "KeyFingerprint": made.get("KeyFingerprint", "")}


def _delete_key_pair(physical_id, props):
    client("ec2").delete_key_pair(KeyName=physical_id)


# ---------------------------------------------------------------- not EC2


def _put_role_policy(logical_id, props, stack_name):
    document = props.get("PolicyDocument", {})
    client("iam").put_role_policy(
        RoleName=props["RoleName"], PolicyName=props["PolicyName"],
        PolicyDocument=document if isinstance(document, str) else json.dumps(document))
    return f"{props['PolicyName']}|{props['RoleName']}", {}


def _update_role_policy(physical_id, old, new, stack_name):
    return physical_id, _put_role_policy(None, new, stack_name)[1]


def _delete_role_policy(physical_id, props):
    client("iam").delete_role_policy(RoleName=props["RoleName"], PolicyName=props["PolicyName"])


def _budget(props, name):
    budget = json.loads(json.dumps(props["Budget"]))
    budget["BudgetName"] = name
    if "BudgetLimit" in budget:
        budget["BudgetLimit"]["Amount"] = str(budget["BudgetLimit"]["Amount"])
    return budget


def _create_budget(logical_id, props, stack_name):
    name = props["Budget"].get("BudgetName") or generated_name(stack_name, logical_id)
    client("budgets").create_budget(AccountId=get_account_id(), Budget=_budget(props, name))
    _notify(name, props)
    return name, {"Id": name}


def _notify(name, props):
    for entry in props.get("NotificationsWithSubscribers") or []:
        notification = dict(entry["Notification"])
        notification["Threshold"] = float(notification["Threshold"])
        client("budgets").create_notification(
            AccountId=get_account_id(), BudgetName=name, Notification=notification,
            Subscribers=entry["Subscribers"])


def _update_budget(physical_id, old, new, stack_name):
    client("budgets").update_budget(AccountId=get_account_id(), NewBudget=_budget(new, physical_id))
    return physical_id, {"Id": physical_id}


def _delete_budget(physical_id, props):
    client("budgets").delete_budget(AccountId=get_account_id(), BudgetName=physical_id)


def install():
    """Registers the types and lets stack tags reach those that take tags."""
    register("AWS::EC2::PlacementGroup", _create_placement_group, _delete_placement_group, _retag(_placement_group))
    register("AWS::EC2::EIP", _create_address, _delete_address, _update_address)
    register("AWS::EC2::NatGateway", _create_nat_gateway, _delete_nat_gateway,
             _retag(lambda name: ({"NatGatewayId": name, "EniId": hex_id("eni-")}, name)))
    _register_rule("ingress", "SourceSecurityGroupId")
    _register_rule("egress", "DestinationSecurityGroupId")
    register("AWS::EC2::Instance", _create_instance, _delete_instance, _update_instance)
    register("AWS::EC2::NetworkInterface", _create_interface, _delete_interface, _retag(_interface))
    register("AWS::EC2::Volume", _create_volume, _delete_volume, _update_volume)
    register("AWS::EC2::VolumeAttachment", _create_attachment, _delete_attachment)
    register("AWS::EC2::FlowLog", _create_flow_log, _delete_flow_log, _retag(lambda name: ({"Id": name}, name)))
    register("AWS::EC2::KeyPair", _create_key_pair, _delete_key_pair)
    register("AWS::IAM::RolePolicy", _put_role_policy, _delete_role_policy, _update_role_policy)
    register("AWS::Budgets::Budget", _create_budget, _delete_budget, _update_budget)
    for kind in ("PlacementGroup", "EIP", "NatGateway", "Instance", "NetworkInterface", "Volume", "FlowLog"):
        provisioners._STACK_TAG_PROPERTY[f"AWS::EC2::{kind}"] = ("Tags", "list")
