"""Data-repository tasks: PENDING -> EXECUTING -> SUCCEEDED, FAILED or CANCELED, and what they move.

An export task copies the file system's simulated files below its linked directories to the linked S3
paths, so that a test can see that data arrived, and skips what it exported before. What lies outside a
linked directory is not looked at. A task beside automatic export is refused, as the user guide says ("Exporting
changes to the data repository"). The files are in the JSON file
HPC_FSX_FILES, read at each task: `{"fs-0123...": {"results/a.dat": "text", "big.bin": 4096}}`, text
or a number of bytes; the key `*` serves every file system without an entry of its own. Without any,
a file system holds `DEFAULT_FILES`.

Files fail by the faults file: `{"action": "CreateDataRepositoryTask", "files": {"big.bin":
"FileSizeTooLarge"}}`; a failed file makes the task FAILED. When the task's report is enabled, the
failed files are written to `<Report.Path>/<task id>/failures.csv` (`report.csv` for imports), with
the fields FilePath, FileStatus and ErrorCode, no heading, quoted as the user guide says
("Working with task completion reports").
"""

import json
import os
import time

import emulator
import faults
import fsx
from fsx import Refused, arn, hex_id

FILES = os.environ.get("HPC_FSX_FILES", "")

DEFAULT_FILES = {
    "results/case.out": "converged\n",
    "results/fields/u.dat": 4096,
    "restart/step-100.chk": 2048,
}

UNFINISHED = ("PENDING", "EXECUTING")


def create_task(body):
    record = fsx.find_file_system(body["FileSystemId"])
    _check(body, record)
    name = hex_id("task-")
    task = {
        "TaskId": name,
        "Lifecycle": "PENDING",
        "Type": body["Type"],
        "CreationTime": round(time.time(), 3),
        "ResourceARN": arn("task", name),
        "FileSystemId": record["FileSystemId"],
        "Paths": body.get("Paths", []),
        "Report": body["Report"],
        "Tags": body.get("Tags", []),
    }
    fsx.tasks[name] = task
    rule = faults.for_action("CreateDataRepositoryTask") or {}
    emulator.in_background(_run, task, record, rule)
    return {"DataRepositoryTask": dict(task)}


def _check(body, record):
    if record["Lifecycle"] != "AVAILABLE":
        raise Refused("BadRequest", f"File system {record['FileSystemId']} is {record['Lifecycle']}, not AVAILABLE.")
    if not _links(record):
        raise Refused("BadRequest", "The file system is not linked to a data repository.")
    if any(t["FileSystemId"] == record["FileSystemId"] and t["Lifecycle"] in UNFINISHED for t in fsx.tasks.values()):
        raise Refused("DataRepositoryTaskExecuting",
                      "An existing data repository task is currently executing on the file system.")
    report = body["Report"]
    if report.get("Enabled"):
        for key in ("Path", "Format", "Scope"):
            if not report.get(key):
                raise Refused("BadRequest", f"Report {key} is required if the report is enabled.")
        targets = [target.rstrip("/") for _, target in _links(record)]
        if not any(f"{report['Path'].rstrip('/')}/".startswith(f"{target}/") for target in targets):
            raise Refused("BadRequest", f"The report path must be within the export path {', '.join(targets)}.")
    if body["Type"] == "EXPORT_TO_REPOSITORY" and any(_exports_itself(a) for a in _associations(record)):
        raise Refused("BadRequest", "Automatic export and export data repository tasks cannot run at the same time: "
                                    "disable automatic export first.")
    for path in body.get("Paths", []):
        if body["Type"] == "EXPORT_TO_REPOSITORY" and (path.startswith("/") or "://" in path):
            raise Refused("BadRequest", f"Path '{path}' must be relative to the mount point of the file system.")
        if body["Type"] == "IMPORT_METADATA_FROM_REPOSITORY" and not path.startswith("s3://"):
            raise Refused("BadRequest", f"Path '{path}' must have the format s3://bucket/prefix.")


def _associations(record):
    return [association for association in fsx.associations.values()
            if association["FileSystemId"] == record["FileSystemId"]]


def _exports_itself(association):
    policy = (association.get("S3") or {}).get("AutoExportPolicy") or {}
    return bool(policy.get("Events")) or association["Lifecycle"] == "UPDATING"


def _links(record):
    """`(directory on the file system, s3://... it is linked to)`, directory without slashes around it."""
    legacy = record["LustreConfiguration"].get("DataRepositoryConfiguration")
    if legacy:
        return [("", legacy["ExportPath"])]
    return [
        (association["FileSystemPath"].strip("/"), association["DataRepositoryPath"])
        for association in _associations(record) if association["Lifecycle"] in ("AVAILABLE", "UPDATING")
    ]


def files_of(name):
    """The simulated files of a file system, as bytes by path."""
    try:
        with open(FILES) as file:
            known = json.load(file)
    except (OSError, ValueError):
        known = {}
    files = known.get(name, known.get("*", DEFAULT_FILES))
    return {path: (b"\0" * body if isinstance(body, int) else body.encode()) for path, body in files.items()}


def _run(task, record, rule):
    """A task's life, on its own thread."""
    time.sleep(fsx.DELAY)
    if task["Lifecycle"] != "PENDING":
        return
    task["StartTime"] = round(time.time(), 3)
    task["Lifecycle"] = "EXECUTING"
    time.sleep(fsx.DELAY + rule.get("sleep", 0))
    if task["Lifecycle"] != "EXECUTING":
        return
    try:
        _execute(task, record, rule)
    except Exception as error:
        _end(task, "FAILED", f"{type(error).__name__}: {error}")


def _execute(task, record, rule):
    if "reason" in rule:
        return _end(task, "FAILED", rule["reason"])
    chosen, missing = _chosen(task, record)
    if missing:
        return _end(task, "FAILED", f"The path {missing} does not exist on the file system.")
    failed = {path: code for path, code in rule.get("files", {}).items() if path in chosen}
    good = {path: body for path, body in chosen.items() if path not in failed}
    if task["Type"] == "EXPORT_TO_REPOSITORY":
        failed.update(_export(record, good))
    now = round(time.time(), 3)
    task["Status"] = {
        "TotalCount": len(chosen),
        "SucceededCount": len(chosen) - len(failed),
        "FailedCount": len(failed),
        "LastUpdatedTime": now,
    }
    if failed and task["Report"].get("Enabled"):
        _report(task, failed)
    if failed:
        return _end(task, "FAILED", f"{len(failed)} of {len(chosen)} files failed. "
                                    "See the completion report for the failed files.")
    _end(task, "SUCCEEDED")


def _end(task, lifecycle, message=None):
    task["EndTime"] = round(time.time(), 3)
    task.setdefault("Status", {"TotalCount": 0, "SucceededCount": 0, "FailedCount": 0,
                               "LastUpdatedTime": task["EndTime"]})
    if message:
        task["FailureDetails"] = {"Message": message}
    task["Lifecycle"] = lifecycle


def _chosen(task, record):
    """The files that the task's paths name and that changed since their last export, and a path that names none."""
    files = files_of(record["FileSystemId"])
    if task["Type"] != "EXPORT_TO_REPOSITORY":
        return files, None
    chosen = {}
    for path in task["Paths"] or [""]:
        under = path.strip("/")
        named = {p: b for p, b in files.items() if not under or p == under or p.startswith(f"{under}/")}
        if under and not named:
            return {}, path
        chosen.update(named)
    exported = record.setdefault("_exported", {})
    linked = {path: body for path, body in chosen.items() if _target(record, path)}
    return {path: body for path, body in linked.items() if exported.get(path) != body}, None


def _export(record, files):
    """Copies files to the linked bucket; gives the error code by path of those that could not be."""
    failed = {}
    for path, body in files.items():
        bucket, _, key = _target(record, path).removeprefix("s3://").partition("/")
        try:
            emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
            record["_exported"][path] = body
        except Exception:
            failed[path] = "S3Error"
    return failed


def _target(record, path):
    for directory, target in _links(record):
        if not directory:
            return f"{target.rstrip('/')}/{path}"
        if path.startswith(f"{directory}/"):
            return f"{target.rstrip('/')}/{path.removeprefix(f'{directory}/')}"
    return None


def _report(task, failed):
    """Writes the completion report of a task."""
    name = "report.csv" if task["Type"] == "IMPORT_METADATA_FROM_REPOSITORY" else "failures.csv"
    bucket, _, prefix = task["Report"]["Path"].removeprefix("s3://").partition("/")
    key = "/".join(part for part in (prefix.strip("/"), task["TaskId"], name) if part)
    lines = [f"{_quoted(path)},failed,{code}\n" for path, code in failed.items()]
    emulator.client("s3").put_object(Bucket=bucket, Key=key, Body="".join(lines).encode())


def _quoted(path):
    """`@a` -> `\"\"\"@a\"\"\"`, `a,b` -> `"a,b"`, `a"b` -> `"a""b"`: the examples of the user guide."""
    text = f'"{path}"' if path[:1] in "@+-=" else path
    if any(character in text for character in '",\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def describe_tasks(body):
    names = body.get("TaskIds")
    found = [_find(name) for name in names] if names else list(fsx.tasks.values())
    keys = {"file-system-id": "FileSystemId", "task-lifecycle": "Lifecycle"}
    shown, token = fsx.page(fsx.filtered(found, body.get("Filters"), keys), body)
    return {"DataRepositoryTasks": shown, **token}


def _find(name):
    if name not in fsx.tasks:
        raise Refused("DataRepositoryTaskNotFound", f"The data repository task {name} could not be found.")
    return fsx.tasks[name]


def cancel_task(body):
    task = _find(body["TaskId"])
    if task["Lifecycle"] not in UNFINISHED:
        raise Refused("DataRepositoryTaskEnded", "The data repository task could not be canceled because it has ended.")
    task["Lifecycle"] = "CANCELING"
    fsx._after(fsx.DELAY, lambda: _end(task, "CANCELED"))
    return {"TaskId": body["TaskId"], "Lifecycle": "CANCELING"}


OPERATIONS = {
    "CreateDataRepositoryTask": create_task,
    "DescribeDataRepositoryTasks": describe_tasks,
    "CancelDataRepositoryTask": cancel_task,
}
