"""Where MiniStack says something else than AWS, and what to do about it.

Each function mends one thing and names it.
"""

import json
import re
import time
import urllib.parse
from xml.etree import ElementTree

import emulator
import judge_models
from emulator import (
    HANDLERS, drift, ec2_state, get_account_id, get_region, handlers, helpers, hex_id, rds_state, secrets_state,
)


# EC2 user guide, "Create a launch template": the service model leaves the type a plain string.
INTERFACE_TYPES = ("interface", "efa", "efa-only")


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


def secret_ref_is_its_arn():
    """`Ref` of a secret is the ARN on AWS; MiniStack gives the name."""
    original = dict(HANDLERS["AWS::SecretsManager::Secret"])

    def name(arn):
        return next((key for key, secret in secrets_state._secrets.items() if secret["ARN"] == arn), arn)

    def by_arn(result):
        return result[1]["Id"], result[1]

    HANDLERS["AWS::SecretsManager::Secret"] = {
        "create": lambda *args: by_arn(original["create"](*args)),
        "update": lambda arn, *args: by_arn(original["update"](name(arn), *args)),
        "update_with_logical_id": True,
        "delete": lambda arn, props: original["delete"](name(arn), props),
    }
    reader, properties = drift._DRIFT_READERS["AWS::SecretsManager::Secret"]
    drift._DRIFT_READERS["AWS::SecretsManager::Secret"] = (
        lambda arn, props: reader(name(arn), props), properties)


def databases_have_managed_passwords():
    """`ManageMasterUserPassword` makes a secret `rds!...`, given by GetAtt MasterUserSecret.SecretArn.

    MiniStack takes the property and makes nothing.
    """
    for resource_type, records, prefix in (("AWS::RDS::DBInstance", rds_state._instances, "rds!db-"),
                                           ("AWS::RDS::DBCluster", rds_state._clusters, "rds!cluster-")):
        _manage_password(resource_type, records, prefix)
    plain = rds_state._instance_xml

    def with_secret(instance):
        secret = instance.get("MasterUserSecret")
        said = (f"<MasterUserSecret><SecretArn>{secret['SecretArn']}</SecretArn>"
                "<SecretStatus>active</SecretStatus></MasterUserSecret>") if secret else ""
        return plain(instance) + said

    rds_state._instance_xml = with_secret


def _manage_password(resource_type, records, prefix):
    handler = HANDLERS[resource_type]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def managed(result, props):
        name, attributes = result
        record = records[name]
        if str(props.get("ManageMasterUserPassword", "")).lower() == "true" and not record.get("MasterUserSecret"):
            record["MasterUserSecret"] = {"SecretArn": _new_secret(prefix, record), "SecretStatus": "active"}
        secret = record.get("MasterUserSecret")
        return name, {**attributes, **({"MasterUserSecret.SecretArn": secret["SecretArn"]} if secret else {})}

    def remove(name, props):
        secret = (records.get(name) or {}).get("MasterUserSecret")
        delete(name, props)
        for key, value in list(secrets_state._secrets.items()):
            if secret and value["ARN"] == secret["SecretArn"]:
                secrets_state._secrets.pop(key)

    handler["create"] = lambda logical_id, props, *rest: managed(create(logical_id, props, *rest), props)
    handler["update"] = lambda name, old, new, *rest: managed(update(name, old, new, *rest), new)
    handler["delete"] = remove


def _new_secret(prefix, record):
    name = prefix + emulator.request_id()
    arn = f"arn:aws:secretsmanager:{get_region()}:{get_account_id()}:secret:{name}-{hex_id('', 6)}"
    now = int(time.time())
    text = json.dumps({"username": record.get("MasterUsername", "admin"), "password": hex_id("", 32)})
    secrets_state._secrets[name] = {
        "ARN": arn, "Name": name, "Description": "Secret associated with an RDS database", "Tags": [],
        "CreatedDate": now, "LastChangedDate": now, "LastAccessedDate": None, "DeletedDate": None,
        "RotationEnabled": False, "RotationLambdaARN": None, "RotationRules": None, "ReplicationStatus": [],
        "KmsKeyId": None,
        "Versions": {emulator.request_id(): {"SecretString": text, "SecretBinary": None, "CreatedDate": now,
                                             "Stages": ["AWSCURRENT"]}},
    }
    return arn


def attributes_are_complete():
    """`Fn::GetAtt` values that MiniStack does not give, or gives wrong."""
    _add_attributes("AWS::EC2::VPC", lambda name, props: {"CidrBlock": props.get("CidrBlock", "")})
    for kind in ("SecurityGroup", "SubnetRouteTableAssociation"):
        _add_attributes(f"AWS::EC2::{kind}", lambda name, props: {"Id": name})
    _add_attributes("AWS::EC2::Subnet", lambda name, props: {"NetworkAclAssociationId": name.replace("subnet", "aclassoc")})
    _add_attributes("AWS::EC2::Route", lambda name, props: {"CidrBlock": name.rpartition("|")[2]})
    _add_attributes("AWS::EC2::VPCGatewayAttachment", lambda name, props: {"AttachmentType": name.partition("|")[0]})
    _add_attributes("AWS::EFS::MountTarget", lambda name, props: {"Id": name})
    _add_attributes("AWS::SecretsManager::SecretTargetAttachment", lambda name, props: {"Id": name})
    _add_attributes("AWS::RDS::DBInstance", lambda name, props: {"Endpoint.HostedZoneId": "Z2R2ITUGPM61AM"})
    _add_attributes("AWS::S3::Bucket", lambda name, props: {
        "DomainName": f"{name}.s3.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{get_region()}.amazonaws.com"})


def launch_templates_are_checked():
    """A launch template's data goes to EC2 unseen in MiniStack: enums, unknown keys and taken names pass."""
    handler = HANDLERS["AWS::EC2::LaunchTemplate"]
    create, update = handler["create"], handler["update"]
    shape = judge_models.model("ec2").shape_for("RequestLaunchTemplateData")

    def check(props):
        wrong = []
        data = props.get("LaunchTemplateData") or {}
        judge_models.check_values(shape, data, "LaunchTemplateData", wrong)
        for card in data.get("NetworkInterfaces") or []:
            if card.get("InterfaceType", "interface") not in INTERFACE_TYPES:
                wrong.append(f"invalid interface type {card['InterfaceType']}")
        if wrong:
            raise ValueError(f"Invalid launch template: {'; '.join(wrong)} (Service: Ec2, Status Code: 400)")

    def checked_create(logical_id, props, stack_name):
        check(props)
        name = props.get("LaunchTemplateName")
        if any(t["LaunchTemplateName"] == name for t in ec2_state._launch_templates.values()):
            raise ValueError("Launch template name already in use. (Service: Ec2, Status Code: 400)")
        return create(logical_id, props, stack_name)

    def checked_update(name, old, new, *rest):
        check(new)
        return update(name, old, new, *rest)

    handler["create"], handler["update"] = checked_create, checked_update


def template_urls_are_real_ones():
    """A TemplateURL names an object as S3 does: `https://BUCKET.s3.REGION.amazonaws.com/KEY` or path style.

    MiniStack reads the path alone, so it takes any host and no virtual-hosted address.
    """
    original = helpers._resolve_document

    def resolve(params, body_key, url_key, label):
        url = handlers._p(params, url_key)
        if not url or handlers._p(params, body_key):
            return original(params, body_key, url_key, label)
        path = _object_path(url)
        if not path:
            return None, handlers._error("ValidationError", f"S3 error: Domain name specified in {url} is not a valid S3 domain")
        return original({**params, url_key: f"https://s3.amazonaws.com/{path}"}, body_key, url_key, label)

    helpers._resolve_document = resolve


def _object_path(url):
    """`bucket/key` of an S3 address, None of any other."""
    parts = urllib.parse.urlsplit(url)
    host = re.fullmatch(r"(?:(.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?", parts.hostname or "")
    if parts.scheme != "https" or not host:
        return None
    path = urllib.parse.unquote(parts.path.lstrip("/"))
    return f"{host[1]}/{path}" if host[1] else path


def terminated_instances_free_their_volumes():
    """Volumes with DeleteOnTermination go with the instance; MiniStack keeps them, in use."""
    original = ec2_state._ACTION_MAP["TerminateInstances"]

    def terminate(params):
        answer = original(params)
        for name, volume in list(ec2_state._volumes.items()):
            for attachment in volume.get("Attachments", []):
                instance = ec2_state._instances.get(attachment["InstanceId"], {})
                if attachment.get("DeleteOnTermination") and instance.get("State", {}).get("Name") == "terminated":
                    ec2_state._volumes.pop(name, None)
        return answer

    ec2_state._ACTION_MAP["TerminateInstances"] = terminate


def dry_runs_change_nothing():
    """`DryRun` answers DryRunOperation, status 412; MiniStack runs the call."""
    for action in ("RunInstances", "CreateFleet", "TerminateInstances", "CreateTags", "CreateLaunchTemplate"):
        original = ec2_state._ACTION_MAP[action]

        def front(params, original=original):
            if ec2_state._p(params, "DryRun").lower() == "true":
                return ec2_state._error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
            return original(params)

        ec2_state._ACTION_MAP[action] = front


def instances_are_filtered_by_id():
    """The filter `instance-id`, which MiniStack does not know: unlike the parameter, it forgives unknown ids."""
    original = ec2_state._matches_filters

    def matches(instance, filters):
        ids = filters.get("instance-id")
        return (not ids or instance["InstanceId"] in ids) and original(instance, filters)

    ec2_state._matches_filters = matches


def instances_show_their_interfaces():
    """Every instance has a network interface, which some programs take its address from; MiniStack shows none."""
    original = ec2_state._instance_xml

    def with_interface(instance):
        shown = original(instance)
        return f"{shown[:shown.rindex('</item>')]}{_interface(instance)}</item>"

    ec2_state._instance_xml = with_interface


def _interface(instance):
    number, address = instance["InstanceId"][2:], instance["PrivateIpAddress"]
    groups = "".join(f"<item><groupId>{group['GroupId']}</groupId><groupName>{group['GroupName']}</groupName></item>"
                     for group in instance.get("SecurityGroups", []))
    further = "".join(f"<item><privateIpAddress>{one}</privateIpAddress><primary>false</primary></item>"
                      for one in instance.get("FurtherAddresses", []))
    names = (f"<privateIpAddress>{address}</privateIpAddress>"
             f"<privateDnsName>{instance['PrivateDnsName']}</privateDnsName>")
    return ("<networkInterfaceSet><item>"
            f"<networkInterfaceId>eni-{number}</networkInterfaceId><subnetId>{instance['SubnetId']}</subnetId>"
            f"<vpcId>{instance['VpcId']}</vpcId><description/><status>in-use</status>{names}"
            f"<sourceDestCheck>true</sourceDestCheck><groupSet>{groups}</groupSet>"
            f"<attachment><attachmentId>eni-attach-{number}</attachmentId><deviceIndex>0</deviceIndex>"
            f"<networkCardIndex>0</networkCardIndex><status>attached</status>"
            f"<attachTime>{instance['LaunchTime']}</attachTime><deleteOnTermination>true</deleteOnTermination>"
            f"</attachment><privateIpAddressesSet><item>{names}<primary>true</primary></item>{further}</privateIpAddressesSet>"
            "<interfaceType>interface</interfaceType></item></networkInterfaceSet>")


def instances_come_in_pages():
    """DescribeInstances heeds MaxResults and NextToken; MiniStack gives all. A page counts reservations."""
    original = ec2_state._ACTION_MAP["DescribeInstances"]

    def describe(params):
        size = ec2_state._p(params, "MaxResults")
        status, headers, body = original(params)
        if not size or status != 200:
            return status, headers, body
        start = int(ec2_state._p(params, "NextToken") or 0)
        if start == 0 and body.count(b"<reservationId>") <= int(size):
            return status, headers, body
        return status, headers, _one_page(body, start, start + int(size))

    ec2_state._ACTION_MAP["DescribeInstances"] = describe


def _one_page(body, start, end):
    """The reservations `start` to `end` of a DescribeInstances answer, with the token of the next."""
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    ElementTree.register_namespace("", space)
    root = ElementTree.fromstring(body)
    reservations = root.find(f"{{{space}}}reservationSet")
    everything = list(reservations)
    for one in everything[:start] + everything[end:]:
        reservations.remove(one)
    for stale in root.findall(f"{{{space}}}nextToken"):
        root.remove(stale)
    if end < len(everything):
        ElementTree.SubElement(root, f"{{{space}}}nextToken").text = str(end)
    return ElementTree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add_attributes(resource_type, more):
    handler = HANDLERS[resource_type]
    create, update = handler["create"], handler.get("update")

    def with_more(result, props):
        physical_id, attributes = result
        return physical_id, {**attributes, **more(physical_id, props)}

    handler["create"] = lambda logical_id, props, *rest: with_more(create(logical_id, props, *rest), props)
    if update:
        handler["update"] = lambda name, old, new, *rest: with_more(update(name, old, new, *rest), new)


def install():
    instances_are_filtered_by_id()
    capabilities_are_demanded()
    instance_profile_ref_is_its_name()
    secret_ref_is_its_arn()
    databases_have_managed_passwords()
    attributes_are_complete()
    launch_templates_are_checked()
    template_urls_are_real_ones()
    terminated_instances_free_their_volumes()
    dry_runs_change_nothing()
    instances_show_their_interfaces()
    instances_come_in_pages()
