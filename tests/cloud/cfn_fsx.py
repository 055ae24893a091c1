"""AWS::FSx::FileSystem and AWS::FSx::DataRepositoryAssociation, on the FSx service of `fsx`.

Like CloudFormation they wait until what they made is AVAILABLE, and until what they delete is gone.
"""

import time

import emulator
import fsx
from emulator import client, provisioners, register

WHOLE_NUMBERS = ("StorageCapacity", "PerUnitStorageThroughput", "ImportedFileChunkSize",
                 "AutomaticBackupRetentionDays", "Iops", "SizeGiB", "ThroughputCapacity")
IN_PLACE = ("DataCompressionType", "WeeklyMaintenanceStartTime", "AutoImportPolicy",
            "AutomaticBackupRetentionDays", "DailyAutomaticBackupStartTime", "PerUnitStorageThroughput")


def _typed(value, key=None):
    """Template values in the types of the API: numbers and booleans may be written as strings."""
    if isinstance(value, dict):
        return {name: _typed(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, key) for item in value]
    if key in WHOLE_NUMBERS:
        return int(value)
    if isinstance(value, str) and value in ("true", "false") and key != "Value":
        return value == "true"
    return value


def _create_file_system(logical_id, props, stack_name):
    keys = ("FileSystemType", "StorageCapacity", "StorageType", "SubnetIds", "SecurityGroupIds",
            "LustreConfiguration", "FileSystemTypeVersion", "KmsKeyId")
    request = _typed({key: props[key] for key in keys if key in props})
    made = client("fsx").create_file_system(**request)["FileSystem"]
    fsx.file_systems[made["FileSystemId"]]["Tags"] = list(props.get("Tags") or [])
    _wait(lambda: fsx.file_systems[made["FileSystemId"]]["Lifecycle"] != "CREATING")
    return made["FileSystemId"], _file_system(made["FileSystemId"])


def _file_system(name):
    record = fsx.file_systems[name]
    return {
        "Id": name,
        "DNSName": record["DNSName"],
        "LustreMountName": record["LustreConfiguration"]["MountName"],
        "ResourceARN": record["ResourceARN"],
    }


def _update_file_system(physical_id, old, new, stack_name):
    old_lustre, new_lustre = (_typed(props.get("LustreConfiguration") or {}) for props in (old, new))
    change = {key: new_lustre[key] for key in IN_PLACE if new_lustre.get(key) != old_lustre.get(key)
              and key in new_lustre}
    request = {"LustreConfiguration": change} if change else {}
    if str(new.get("StorageCapacity")) != str(old.get("StorageCapacity")):
        request["StorageCapacity"] = int(new["StorageCapacity"])
    if request:
        client("fsx").update_file_system(FileSystemId=physical_id, **request)
    fsx.file_systems[physical_id]["Tags"] = list(new.get("Tags") or [])
    return physical_id, _file_system(physical_id)


def _delete_file_system(physical_id, props):
    if physical_id in fsx.file_systems:
        client("fsx").delete_file_system(FileSystemId=physical_id)
        _wait(lambda: physical_id not in fsx.file_systems)


def _create_association(logical_id, props, stack_name):
    keys = ("FileSystemId", "FileSystemPath", "DataRepositoryPath", "BatchImportMetaDataOnCreate",
            "ImportedFileChunkSize", "S3")
    request = _typed({key: props[key] for key in keys if key in props})
    made = client("fsx").create_data_repository_association(**request)["Association"]["AssociationId"]
    fsx.associations[made]["Tags"] = list(props.get("Tags") or [])
    _wait(lambda: fsx.associations[made]["Lifecycle"] != "CREATING")
    return made, _association(made)


def _association(name):
    return {"AssociationId": name, "ResourceARN": fsx.associations[name]["ResourceARN"]}


def _update_association(physical_id, old, new, stack_name):
    change = _typed({key: new[key] for key in ("ImportedFileChunkSize", "S3") if key in new})
    client("fsx").update_data_repository_association(AssociationId=physical_id, **change)
    _wait(lambda: fsx.associations[physical_id]["Lifecycle"] != "UPDATING")
    fsx.associations[physical_id]["Tags"] = list(new.get("Tags") or [])
    return physical_id, _association(physical_id)


def _delete_association(physical_id, props):
    if physical_id in fsx.associations:
        client("fsx").delete_data_repository_association(AssociationId=physical_id)
        _wait(lambda: physical_id not in fsx.associations)


def _wait(done, seconds=60):
    end = time.time() + seconds
    while not done():
        if time.time() > end:
            raise TimeoutError("the FSx resource did not get ready")
        time.sleep(0.05)


def install():
    """Registers both types."""
    register("AWS::FSx::FileSystem", _create_file_system, _delete_file_system, _update_file_system)
    register("AWS::FSx::DataRepositoryAssociation", _create_association, _delete_association, _update_association)
    for kind in ("FileSystem", "DataRepositoryAssociation"):
        provisioners._STACK_TAG_PROPERTY[f"AWS::FSx::{kind}"] = ("Tags", "list")
