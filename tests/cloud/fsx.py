"""Amazon FSx for Lustre: file systems, associations and tags, with the error codes of the API reference.

File systems go CREATING -> AVAILABLE -> DELETING -> gone, one `HPC_FSX_DELAY` (seconds, 0.3) a
phase. Data-repository tasks are in `fsx_tasks`. What is checked comes from the API reference
(CreateFileSystem, CreateFileSystemLustreConfiguration, CreateDataRepositoryAssociation) and the
FSx for Lustre user guide.
"""

import base64
import json
import os
import random
import string
import time

import emulator
import faults
import judge_models
from emulator import AccountScopedDict, get_account_id, get_region, hex_id

DELAY = float(os.environ.get("HPC_FSX_DELAY", "0.3"))

file_systems = AccountScopedDict()
associations = AccountScopedDict()
tasks = AccountScopedDict()
_tokens = AccountScopedDict()

THROUGHPUT = {
    ("PERSISTENT_1", "SSD"): (50, 100, 200),
    ("PERSISTENT_1", "HDD"): (12, 40),
    ("PERSISTENT_2", "SSD"): (125, 250, 500, 1000),
}


class Refused(Exception):
    """An API error: its code and message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def handle(action, raw):
    """Answers one request of the FSx API."""
    operation = OPERATIONS.get(action)
    try:
        if not operation:
            raise Refused("UnknownOperationException", f"unknown operation {action}")
        body = json.loads(raw or b"{}")
        fault = faults.take(lambda rule: rule.get("action") == action and "code" in rule)
        if fault:
            raise Refused(fault["code"], fault.get("message", fault["code"]))
        wrong = judge_models.wrong_input(judge_models.model("fsx"), action, body)
        if wrong:
            raise Refused("BadRequest", "; ".join(wrong))
        return _reply(200, _once(action, body, operation))
    except Refused as refused:
        return _reply(400, {"__type": refused.code, "Message": refused.message}, refused.code)


def _reply(status, body, error=None):
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    if error:
        headers["x-amzn-ErrorType"] = error
    return status, headers, json.dumps(_public(body)).encode()


def _public(value):
    """A copy without what is this program's own: `_exported`, `_groups`."""
    if isinstance(value, dict):
        return {key: _public(item) for key, item in value.items() if key not in ("_exported", "_groups")}
    if isinstance(value, list):
        return [_public(item) for item in value]
    return value


def _once(action, body, operation):
    """The operation, run once a client request token; the same token with other input is refused."""
    token = body.get("ClientRequestToken")
    if not token:
        return operation(body)
    key = f"{action} {token}"
    if key in _tokens:
        before, answer = _tokens[key]
        if before != body:
            raise Refused("IncompatibleParameterError",
                          "The client request token was used before with other parameters.")
        return answer()
    answer = operation(body)
    _tokens[key] = (body, lambda: answer)
    return answer


def page(items, body, default=1000):
    """One page of a listing and the token of the next, None at the end."""
    start = 0
    if body.get("NextToken"):
        try:
            start = int(base64.b64decode(body["NextToken"]))
        except ValueError:
            raise Refused("BadRequest", "Invalid NextToken.")
    end = start + int(body.get("MaxResults") or default)
    token = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return items[start:end], ({"NextToken": token} if token else {})


def arn(kind, name):
    return f"arn:aws:fsx:{get_region()}:{get_account_id()}:{kind}/{name}"


def _after(seconds, change):
    """Runs `change` after a while, in this account and region."""

    def wait():
        time.sleep(seconds)
        change()

    emulator.in_background(wait)


# ---------------------------------------------------------------- file systems


def create_file_system(body):
    lustre = body.get("LustreConfiguration") or {}
    if body.get("FileSystemType") != "LUSTRE":
        raise Refused("BadRequest", "Only FileSystemType LUSTRE is supported here.")
    _check_network(body)
    _check_lustre(body, lustre)
    record = _file_system_record(body, lustre)
    file_systems[record["FileSystemId"]] = record
    _after(DELAY, lambda: _settle(record))
    return {"FileSystem": record}


def _settle(record):
    if record["Lifecycle"] == "CREATING":
        record["Lifecycle"] = "AVAILABLE"


def _check_network(body):
    subnets = body.get("SubnetIds") or []
    if len(subnets) != 1:
        raise Refused("InvalidNetworkSettings", "A Lustre file system needs exactly one subnet.")
    if subnets[0] not in emulator.ec2_state._subnets:
        raise Refused("InvalidNetworkSettings", f"The subnet ID '{subnets[0]}' does not exist.")
    for group in body.get("SecurityGroupIds") or []:
        if group not in emulator.ec2_state._security_groups:
            raise Refused("InvalidNetworkSettings", f"The security group '{group}' does not exist.")


def _check_lustre(body, lustre):
    kind = lustre.get("DeploymentType", "SCRATCH_1")
    media = body.get("StorageType", "SSD")
    _check_throughput(kind, media, lustre)
    _check_capacity(kind, media, body.get("StorageCapacity"), lustre)
    _check_version(kind, body.get("FileSystemTypeVersion"))
    if kind.startswith("SCRATCH"):
        for key in ("AutomaticBackupRetentionDays", "DailyAutomaticBackupStartTime", "CopyTagsToBackups"):
            if lustre.get(key):
                raise Refused("BadRequest", f"{key} is not supported for SCRATCH deployment types.")
    if lustre.get("EfaEnabled") and kind != "PERSISTENT_2":
        raise Refused("BadRequest", "EFA is supported on PERSISTENT_2 file systems only.")
    _check_repository(kind, lustre)


def _check_throughput(kind, media, lustre):
    throughput = lustre.get("PerUnitStorageThroughput")
    if kind.startswith("SCRATCH"):
        if media != "SSD":
            raise Refused("BadRequest", f"StorageType {media} is not supported for {kind}.")
        if throughput is not None:
            raise Refused("BadRequest", "PerUnitStorageThroughput is only valid for PERSISTENT deployment types.")
        return
    allowed = THROUGHPUT.get((kind, media))
    if not allowed and media != "INTELLIGENT_TIERING":
        raise Refused("BadRequest", f"StorageType {media} is not supported for {kind}.")
    if allowed and throughput not in allowed:
        raise Refused("InvalidPerUnitStorageThroughput",
                      f"PerUnitStorageThroughput {throughput} is invalid for {kind} {media}. Valid values are {allowed}.")


def _check_capacity(kind, media, capacity, lustre):
    if media == "INTELLIGENT_TIERING":
        return
    if media == "HDD":
        step = 6000 if lustre.get("PerUnitStorageThroughput") == 12 else 1800
        good = capacity and capacity % step == 0
    else:
        step = 3600 if kind == "SCRATCH_1" else 2400
        good = capacity in (1200, 2400) or capacity and capacity >= step and capacity % step == 0
    if not good:
        raise Refused("BadRequest", f"Storage capacity {capacity} GiB is invalid for {kind} {media}; "
                                    f"valid values are 1200, 2400 and increments of {step} GiB.")


def _check_version(kind, version):
    if version and version not in ("2.10", "2.12", "2.15"):
        raise Refused("BadRequest", f"Invalid Lustre version {version}.")
    if version == "2.10" and kind == "PERSISTENT_2":
        raise Refused("BadRequest", "Lustre version 2.10 is not supported for PERSISTENT_2.")


def _check_repository(kind, lustre):
    source, target = lustre.get("ImportPath"), lustre.get("ExportPath")
    if (source or target) and kind == "PERSISTENT_2":
        raise Refused("BadRequest", "ImportPath and ExportPath are not supported for PERSISTENT_2; "
                                    "create a data repository association instead.")
    if target and not source:
        raise Refused("BadRequest", "ExportPath needs an ImportPath.")
    for key in ("AutoImportPolicy", "ImportedFileChunkSize"):
        if lustre.get(key) and not source:
            raise Refused("BadRequest", f"{key} needs an ImportPath.")
    if source and bucket_of(source) not in emulator.s3_state._buckets:
        raise Refused("InvalidImportPath", f"The bucket of {source} does not exist or cannot be accessed.")
    if target and bucket_of(target) != bucket_of(source):
        raise Refused("InvalidExportPath", "ExportPath must use the same S3 bucket as ImportPath.")


def bucket_of(path):
    """`s3://bucket/prefix` -> `bucket`."""
    return path.removeprefix("s3://").partition("/")[0]


def _file_system_record(body, lustre):
    name = hex_id("fs-")
    kind = lustre.get("DeploymentType", "SCRATCH_1")
    mount = "fsx" if kind == "SCRATCH_1" else "".join(random.choices(string.ascii_lowercase + string.digits, k=8))
    subnet = emulator.ec2_state._subnets[body["SubnetIds"][0]]
    return {
        "OwnerId": get_account_id(),
        "CreationTime": round(time.time(), 3),
        "FileSystemId": name,
        "FileSystemType": "LUSTRE",
        "Lifecycle": "CREATING",
        "StorageCapacity": body.get("StorageCapacity"),
        "StorageType": body.get("StorageType", "SSD"),
        "VpcId": subnet["VpcId"],
        "SubnetIds": body["SubnetIds"],
        "_groups": list(body.get("SecurityGroupIds") or []),
        "NetworkInterfaceIds": [hex_id("eni-")],
        "DNSName": f"{name}.fsx.{get_region()}.amazonaws.com",
        "KmsKeyId": body.get("KmsKeyId", f"arn:aws:kms:{get_region()}:{get_account_id()}:key/aws-fsx"),
        "ResourceARN": arn("file-system", name),
        "Tags": body.get("Tags", []),
        "FileSystemTypeVersion": body.get("FileSystemTypeVersion", "2.12" if kind == "PERSISTENT_2" else "2.10"),
        "LustreConfiguration": _lustre_record(lustre, kind, mount),
    }


def _lustre_record(lustre, kind, mount):
    record = {
        "DeploymentType": kind,
        "MountName": mount,
        "DataCompressionType": lustre.get("DataCompressionType", "NONE"),
        "WeeklyMaintenanceStartTime": lustre.get("WeeklyMaintenanceStartTime", "4:05:00"),
        "CopyTagsToBackups": bool(lustre.get("CopyTagsToBackups", False)),
    }
    for key in ("PerUnitStorageThroughput", "DriveCacheType", "AutomaticBackupRetentionDays",
                "DailyAutomaticBackupStartTime", "EfaEnabled", "MetadataConfiguration",
                "RootSquashConfiguration", "LogConfiguration"):
        if key in lustre:
            record[key] = lustre[key]
    source = lustre.get("ImportPath")
    if source:
        default_export = f"s3://{bucket_of(source)}/FSxLustre{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        record["DataRepositoryConfiguration"] = {
            "Lifecycle": "AVAILABLE",
            "ImportPath": source,
            "ExportPath": lustre.get("ExportPath", default_export),
            "AutoImportPolicy": lustre.get("AutoImportPolicy", "NONE"),
            "ImportedFileChunkSize": lustre.get("ImportedFileChunkSize", 1024),
        }
    return record


def find_file_system(name):
    if name not in file_systems:
        raise Refused("FileSystemNotFound", f"File system '{name}' does not exist.")
    return file_systems[name]


def describe_file_systems(body):
    names = body.get("FileSystemIds")
    found = [find_file_system(name) for name in names] if names else list(file_systems.values())
    shown, token = page(found, body)
    return {"FileSystems": shown, **token}


def update_file_system(body):
    record = find_file_system(body["FileSystemId"])
    if record["Lifecycle"] != "AVAILABLE":
        raise Refused("BadRequest", f"File system is {record['Lifecycle']}, not AVAILABLE.")
    lustre = body.get("LustreConfiguration") or {}
    capacity = body.get("StorageCapacity")
    kind = record["LustreConfiguration"]["DeploymentType"]
    if capacity and capacity != record["StorageCapacity"]:
        if kind == "SCRATCH_1":
            raise Refused("BadRequest", "Storage capacity cannot be increased for SCRATCH_1.")
        if capacity < record["StorageCapacity"] * 1.1:
            raise Refused("BadRequest", "The new storage capacity must be at least 10 percent greater.")
        _check_capacity(kind, record["StorageType"], capacity, record["LustreConfiguration"])
        record["StorageCapacity"] = capacity
    record["LustreConfiguration"].update({
        key: value for key, value in lustre.items()
        if key in ("DataCompressionType", "WeeklyMaintenanceStartTime", "AutomaticBackupRetentionDays",
                   "PerUnitStorageThroughput", "RootSquashConfiguration", "LogConfiguration")
    })
    if "AutoImportPolicy" in lustre and "DataRepositoryConfiguration" in record["LustreConfiguration"]:
        record["LustreConfiguration"]["DataRepositoryConfiguration"]["AutoImportPolicy"] = lustre["AutoImportPolicy"]
    return {"FileSystem": record}


def delete_file_system(body):
    name = body["FileSystemId"]
    record = find_file_system(name)
    if any(task["FileSystemId"] == name and task["Lifecycle"] in ("PENDING", "EXECUTING") for task in tasks.values()):
        raise Refused("BadRequest", "The file system has data repository tasks that are PENDING or EXECUTING.")
    if record["Lifecycle"] != "DELETING":
        record["Lifecycle"] = "DELETING"
        _after(DELAY, lambda: _forget(name))
    return {"FileSystemId": name, "Lifecycle": "DELETING"}


def _forget(name):
    file_systems.pop(name, None)
    for key, association in list(associations.items()):
        if association["FileSystemId"] == name:
            associations.pop(key, None)


# ---------------------------------------------------------------- data repository associations


def create_association(body):
    record = find_file_system(body["FileSystemId"])
    if record["LustreConfiguration"]["DeploymentType"] == "SCRATCH_1":
        raise Refused("UnsupportedOperation", "Data repository associations are not supported on SCRATCH_1.")
    if "DataRepositoryConfiguration" in record["LustreConfiguration"]:
        raise Refused("BadRequest", "The file system is linked by ImportPath already.")
    if record.get("FileSystemTypeVersion") == "2.10":
        raise Refused("UnsupportedOperation", "Data repository associations need Lustre 2.12 or 2.15.")
    if bucket_of(body["DataRepositoryPath"]) not in emulator.s3_state._buckets:
        raise Refused("BadRequest", f"The bucket of {body['DataRepositoryPath']} does not exist or cannot be accessed.")
    mine = [a for a in associations.values() if a["FileSystemId"] == record["FileSystemId"]]
    if len(mine) >= 8:
        raise Refused("ServiceLimitExceeded", "A file system can have at most 8 data repository associations.")
    for other in mine:
        _refuse_overlap(other["FileSystemPath"], body.get("FileSystemPath", "/"), "file system path")
        _refuse_overlap(other["DataRepositoryPath"], body["DataRepositoryPath"], "data repository path")
    name = hex_id("dra-")
    association = {
        "AssociationId": name,
        "ResourceARN": arn("association", f"{record['FileSystemId']}/{name}"),
        "FileSystemId": record["FileSystemId"],
        "Lifecycle": "CREATING",
        "FileSystemPath": body.get("FileSystemPath", "/"),
        "DataRepositoryPath": body["DataRepositoryPath"],
        "BatchImportMetaDataOnCreate": bool(body.get("BatchImportMetaDataOnCreate", False)),
        "ImportedFileChunkSize": body.get("ImportedFileChunkSize", 1024),
        "S3": body.get("S3", {}),
        "Tags": body.get("Tags", []),
        "CreationTime": round(time.time(), 3),
    }
    associations[name] = association
    _after(DELAY, lambda: _settle(association))
    return {"Association": association}


def _refuse_overlap(one, other, what):
    a, b = one.rstrip("/") + "/", other.rstrip("/") + "/"
    if a.startswith(b) or b.startswith(a):
        raise Refused("BadRequest", f"The {what} {other} overlaps {one} of another association.")


def find_association(name):
    if name not in associations:
        raise Refused("DataRepositoryAssociationNotFound", f"No data repository association {name}.")
    return associations[name]


def describe_associations(body):
    names = body.get("AssociationIds")
    found = [find_association(name) for name in names] if names else list(associations.values())
    keys = {"file-system-id": "FileSystemId"}
    found = filtered(found, body.get("Filters"), keys)
    shown, token = page(found, body)
    return {"Associations": shown, **token}


def filtered(items, filters, keys):
    """Those that every filter takes; unknown filters take all."""
    for one in filters or []:
        key = keys.get(one["Name"])
        if key:
            items = [item for item in items if item.get(key) in one["Values"]]
    return items


def update_association(body):
    association = find_association(body["AssociationId"])
    if association["Lifecycle"] != "AVAILABLE":
        raise Refused("BadRequest", f"The association is {association['Lifecycle']}, not AVAILABLE.")
    association["Lifecycle"] = "UPDATING"
    _after(DELAY, lambda: association["Lifecycle"] == "UPDATING" and association.update(Lifecycle="AVAILABLE"))
    for key in ("ImportedFileChunkSize", "S3"):
        if key in body:
            association[key] = body[key]
    return {"Association": association}


def delete_association(body):
    association = find_association(body["AssociationId"])
    association["Lifecycle"] = "DELETING"
    _after(DELAY, lambda: associations.pop(body["AssociationId"], None))
    return {"AssociationId": body["AssociationId"], "Lifecycle": "DELETING",
            "DeleteDataInFileSystem": bool(body.get("DeleteDataInFileSystem", False))}


# ---------------------------------------------------------------- tags


def _tagged(body):
    for shelf in (file_systems, associations, tasks):
        for record in shelf.values():
            if record["ResourceARN"] == body["ResourceARN"]:
                return record
    raise Refused("ResourceNotFound", f"Resource {body['ResourceARN']} does not exist.")


def list_tags(body):
    shown, token = page(_tagged(body).get("Tags", []), body)
    return {"Tags": shown, **token}


def tag_resource(body):
    record = _tagged(body)
    new = {tag["Key"] for tag in body["Tags"]}
    record["Tags"] = [tag for tag in record.get("Tags", []) if tag["Key"] not in new] + body["Tags"]
    return {}


def untag_resource(body):
    record = _tagged(body)
    record["Tags"] = [tag for tag in record.get("Tags", []) if tag["Key"] not in body["TagKeys"]]
    return {}


OPERATIONS = {
    "CreateFileSystem": create_file_system,
    "DescribeFileSystems": describe_file_systems,
    "UpdateFileSystem": update_file_system,
    "DeleteFileSystem": delete_file_system,
    "CreateDataRepositoryAssociation": create_association,
    "DescribeDataRepositoryAssociations": describe_associations,
    "UpdateDataRepositoryAssociation": update_association,
    "DeleteDataRepositoryAssociation": delete_association,
    "ListTagsForResource": list_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}


def install():
    """Adds the service to the emulator."""
    import fsx_tasks

    OPERATIONS.update(fsx_tasks.OPERATIONS)
    module = emulator.add_json_service("fsx", "AWSSimbaAPIService", handle)
    module.reset = lambda: [shelf.clear() for shelf in (file_systems, associations, tasks, _tokens)]
