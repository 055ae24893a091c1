"""What calls touch: the actions and resources that AWS judges them by, and the condition keys that are known of them.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

`World` answers what a call alone does not say (tags, launch templates, profiles); `iam_principals` reads it from the emulator.
A call of which this module does not know what it touches is an error and never a silent yes.
"""

from dataclasses import dataclass

from iam_policy import Access


@dataclass
class World:
    """Account, region and what is there, as functions of ids and names."""

    account: str
    region: str
    tags: object           # an EC2 id -> its tags
    template: object       # the id or name of a launch template -> (id, data)
    role_of_profile: object  # the name or ARN of an instance profile -> the ARN of its role, or None
    path_of_role: object   # the name of a role -> its path
    stack: object          # the name or ARN of a stack, or the ARN of a change set of it -> its ARN
    file_system: object    # the id of a file system, an association, or a task -> its ARN
    subnet_of: object      # an interface's id -> its subnet
    owner: object          # a bucket -> its account

    def arn(self, service, rest, account=None):
        return f"arn:aws:{service}:{self.region}:{self.account if account is None else account}:{rest}"

    def ec2(self, kind, name):
        """An EC2 resource with its tags."""
        return self.arn("ec2", f"{kind}/{name}"), {f"aws:ResourceTag/{key}": [value] for key, value in self.tags(name).items()}


class Unknown(Exception):
    """A call of which nobody knows what it touches."""


# Calls that everybody may make.
FREE = {("sts", "GetCallerIdentity")}
# Calls without a resource of their own, by their action.
ANYTHING = {
    "cloudformation": {"DescribeStackDriftDetectionStatus"},
    "cloudwatch": set(),
    "iam": {"ListRoles"},
    "service-quotas": {"GetServiceQuota"},
    "servicequotas": {"GetServiceQuota"},
}


def wanted(world, service, operation, params):
    """The accesses of one call, in the order in which AWS refuses them."""
    if (service, operation) in FREE:
        return []
    # Every call says its region.
    return [Access(one.action, one.resource, {"aws:RequestedRegion": [world.region], **one.context})
            for one in _wanted(world, service, operation, params)]


def _wanted(world, service, operation, params):
    if operation in ANYTHING.get(service, ()):
        return [Access(f"{service.replace('-', '')}:{operation}")]
    find = {"s3": s3, "ec2": ec2, "cloudformation": cloudformation, "iam": iam, "fsx": fsx, "logs": logs,
            "cloudwatch": cloudwatch, "secretsmanager": secrets, "kms": kms, "fis": fis}.get(service)
    found = find(world, operation, params) if find else None
    if found is None:
        raise Unknown(f"nobody knows what {service}:{operation} touches")
    return found


# ---------------------------------------------------------------- S3


def s3(world, operation, params):
    bucket, key = params.get("Bucket", ""), params.get("Key", "")
    owner = {"aws:ResourceAccount": [world.owner(bucket)]}
    whole = f"arn:aws:s3:::{bucket}"
    versioned = "Version" if params.get("VersionId") else ""
    objects = {"GetObject": f"GetObject{versioned}", "HeadObject": f"GetObject{versioned}", "PutObject": "PutObject",
               "DeleteObject": f"DeleteObject{versioned}"}
    if operation == "DeleteObject" and params.get("IfMatch"):
        # AmazonS3/latest/userguide/conditional-deletes.html: by an entity tag both rights are needed.
        return [Access(f"s3:{action}", f"{whole}/{key}", owner) for action in ("DeleteObject", "GetObject")]
    if operation in objects:
        return [Access(f"s3:{objects[operation]}", f"{whole}/{key}", owner)]
    if operation == "DeleteObjects":
        return [Access("s3:DeleteObjectVersion" if one.get("VersionId") else "s3:DeleteObject", f"{whole}/{one['Key']}", owner)
                for one in (params.get("Delete") or {}).get("Objects") or []]
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html: "permissions to perform the s3:ListBucket action"
    buckets = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "ListObjectVersions": "ListBucketVersions",
               "GetBucketLocation": "GetBucketLocation"}
    if operation in buckets:
        prefix = {"s3:prefix": [params["Prefix"]]} if params.get("Prefix") else {}
        return [Access(f"s3:{buckets[operation]}", whole, {**owner, **prefix})]
    return None


# ---------------------------------------------------------------- EC2


def ec2(world, operation, params):
    action = f"ec2:{operation}"
    if operation.startswith("Describe") and operation != "DescribeInstanceAttribute":
        return [Access(action)]
    if operation == "CreateFleet":
        return fleet(world, params)
    if operation == "CreateTags":
        names = {"aws:TagKeys": [tag["Key"] for tag in params.get("Tags", [])],
                 **{f"aws:RequestTag/{tag['Key']}": [tag.get("Value", "")] for tag in params.get("Tags", [])}}
        return [_on(world, action, KINDS[name.split("-")[0]], name, names) for name in params.get("Resources", [])]
    if operation == "AssignPrivateIpAddresses":
        name = params["NetworkInterfaceId"]
        return [_on(world, action, "network-interface", name, {"ec2:Subnet": [world.arn("ec2", f"subnet/{world.subnet_of(name)}")]})]
    if operation == "GetGroupsForCapacityReservation":
        return [_on(world, action, "capacity-reservation", params["CapacityReservationId"])]
    names = params.get("InstanceIds") or [params[key] for key in ("InstanceId",) if params.get(key)]
    found = [_on(world, action, "instance", name) for name in names]
    if operation in ("AttachVolume", "DetachVolume"):
        return [_on(world, action, "volume", params["VolumeId"]), *found]
    known = {"TerminateInstances", "StopInstances", "StartInstances", "ModifyInstanceAttribute", "GetConsoleOutput",
             "DescribeInstanceAttribute"}
    return found if operation in known else None


KINDS = {"i": "instance", "vol": "volume", "eni": "network-interface", "lt": "launch-template", "fleet": "fleet"}


def _on(world, action, kind, name, more=None):
    arn, tags = world.ec2(kind, name)
    return Access(action, arn, {**tags, **(more or {})})


def fleet(world, params):
    """A fleet launches by RunInstances in the caller's name, with all that the launch template names."""
    found = [Access("ec2:CreateFleet", world.arn("ec2", "fleet/*"))]
    given = [one for one in params.get("TagSpecifications", []) if one.get("ResourceType") == "instance"]
    for one in params.get("LaunchTemplateConfigs", []):
        name = one["LaunchTemplateSpecification"]
        name, data = world.template(name.get("LaunchTemplateId") or name.get("LaunchTemplateName"))
        found += [_on(world, action, "launch-template", name) for action in ("ec2:CreateFleet", "ec2:RunInstances")]
        subnets = [part["SubnetId"] for part in one.get("Overrides", []) if part.get("SubnetId")]
        found += run(world, data, subnets, given)
    return found


def run(world, data, subnets, given):
    """What an instance of this launch template is made of."""
    action = "ec2:RunInstances"
    specifications = [*data.get("TagSpecifications", []), *given]
    tags = lambda kind: {tag["Key"]: tag.get("Value", "") for one in specifications if one.get("ResourceType") == kind
                         for tag in one.get("Tags", [])}
    asked = lambda kind: {f"aws:RequestTag/{key}": [value] for key, value in tags(kind).items()}
    cards = data.get("NetworkInterfaces") or [{}]
    groups = data.get("SecurityGroupIds") or cards[0].get("Groups") or []
    ids = [("subnet", name) for name in sorted(set(subnets))] + [("security-group", name) for name in groups]
    if (data.get("Placement") or {}).get("GroupName"):
        ids.append(("placement-group", data["Placement"]["GroupName"]))
    reserved = (data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    if reserved.get("CapacityReservationId"):
        ids.append(("capacity-reservation", reserved["CapacityReservationId"]))
    found = [Access(action, world.arn("ec2", "instance/*"), asked("instance")),
             Access(action, world.arn("ec2", "volume/*"), asked("volume")),
             Access(action, world.arn("ec2", "network-interface/*"), asked("network-interface")),
             Access(action, world.arn("ec2", f"image/{data.get('ImageId', '*')}", account=""))]
    found += [_on(world, action, kind, name) for kind, name in ids]
    group = reserved.get("CapacityReservationResourceGroupArn")
    found += [Access(one, group) for one in ("ec2:RunInstances", "resource-groups:ListGroupResources") if group]
    born = {"ec2:CreateAction": ["RunInstances"]}
    found += [Access("ec2:CreateTags", world.arn("ec2", f"{kind}/*"), {**born, **asked(kind), "aws:TagKeys": list(tags(kind))})
              for kind in ("instance", "volume", "network-interface") if tags(kind)]
    return found + pass_role(world, data) + keys(world, data)


def pass_role(world, data):
    profile = data.get("IamInstanceProfile") or {}
    role = world.role_of_profile(profile.get("Arn") or profile.get("Name") or "")
    return [Access("iam:PassRole", role, {"iam:PassedToService": ["ec2.amazonaws.com"]})] if role else []


def keys(world, data):
    """The customer's keys of the disks: the launch uses them in the caller's name, through EC2.
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html"""
    found = {(device.get("Ebs") or {}).get("KmsKeyId") for device in data.get("BlockDeviceMappings", [])} - {None}
    actions = ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom")
    through = {"kms:ViaService": [f"ec2.{world.region}.amazonaws.com"], "kms:GrantIsForAWSResource": ["true"]}
    return [Access(f"kms:{action}", key, through) for key in sorted(found) for action in actions]


# ---------------------------------------------------------------- the others


def cloudformation(world, operation, params):
    # A change set's ARN says enough; the resource is its stack in any case.
    name = params.get("StackName") or params.get("ChangeSetName")
    resource = world.stack(name) if name else "*"
    found = [Access(f"cloudformation:{operation}", resource)]
    if operation == "CreateStack" and params.get("Tags"):
        found.append(Access("cloudformation:TagResource", resource))
    return found


def iam(world, operation, params):
    action = f"iam:{operation}"
    if operation == "SimulatePrincipalPolicy":
        return [Access(action, params["PolicySourceArn"])]
    if operation == "GetInstanceProfile":
        return [Access(action, f"arn:aws:iam::{world.account}:instance-profile/{params['InstanceProfileName']}")]
    if "RoleName" not in params:
        return None
    path = params.get("Path") or world.path_of_role(params["RoleName"])
    role = f"arn:aws:iam::{world.account}:role{path}{params['RoleName']}"
    tagged = [Access("iam:TagRole", role)] if operation == "CreateRole" and params.get("Tags") else []
    return [Access(action, role), *tagged]


def fsx(world, operation, params):
    action = f"fsx:{operation}"
    if operation.startswith("Describe"):
        names = params.get("FileSystemIds") or params.get("AssociationIds") or params.get("TaskIds") or []
        return [Access(action, world.file_system(name)) for name in names] or [Access(action)]
    if operation == "CreateDataRepositoryTask":
        task = world.arn("fsx", "task/*")
        tagged = [Access("fsx:TagResource", task)] if params.get("Tags") else []
        return [Access(action, world.file_system(params["FileSystemId"])), Access(action, task), *tagged]
    name = params.get("AssociationId") or params.get("TaskId")
    return [Access(action, world.file_system(name))] if name else None


def logs(world, operation, params):
    if operation == "DescribeLogGroups":
        return [Access(f"logs:{operation}")]
    stream = params.get("logStreamName", "")
    return [Access(f"logs:{operation}", world.arn("logs", f"log-group:{params['logGroupName']}:log-stream:{stream}"))]


def cloudwatch(world, operation, params):
    space = {"cloudwatch:namespace": [params["Namespace"]]} if params.get("Namespace") else {}
    return [Access(f"cloudwatch:{operation}", "*", space)] if operation == "PutMetricData" else None


def kms(world, operation, params):
    return [Access(f"kms:{operation}", params["KeyId"])] if operation == "DescribeKey" else None


def secrets(world, operation, params):
    return [Access(f"secretsmanager:{operation}", params["SecretId"])]


def fis(world, operation, params):
    template = world.arn("fis", "experiment-template/*")
    if operation == "CreateExperimentTemplate":
        tagged = [Access("fis:TagResource", template)] if params.get("tags") else []
        role = [Access("iam:PassRole", params["roleArn"], {"iam:PassedToService": ["fis.amazonaws.com"]})]
        # An experiment's actions are resources too.
        does = [Access("fis:CreateExperimentTemplate", world.arn("fis", f"action/{one['actionId']}"))
                for one in params.get("actions", {}).values()]
        return [Access("fis:CreateExperimentTemplate", template), *does, *tagged, *role]
    if operation == "StartExperiment":
        return [Access("fis:StartExperiment", template), Access("fis:StartExperiment", world.arn("fis", "experiment/*"))]
    alone = {"GetExperiment": world.arn("fis", f"experiment/{params.get('id')}"),
             "DeleteExperimentTemplate": world.arn("fis", f"experiment-template/{params.get('id')}")}
    return [Access(f"fis:{operation}", alone[operation])] if operation in alone else None
