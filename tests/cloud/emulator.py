"""The one door into MiniStack: every other module of the test cloud reaches its internals from here.

MiniStack (PyPI) keeps each service's state in dictionaries of its own process and provisions
CloudFormation resources through a table of handlers. The plug-in adds to that table, calls the
services over HTTP like any client, and reads the dictionaries where no API gives the answer.
"""

import contextvars
import os
import random
import threading
import types
import uuid

import boto3
from botocore.config import Config

import ministack.app as app
import ministack.core.router as router
from ministack.core.responses import AccountScopedDict, get_account_id, get_region, json_response
from ministack.services import ec2 as ec2_state
from ministack.services import efs as efs_state
from ministack.services import iam as iam_state
from ministack.services import kms as kms_state
from ministack.services import rds as rds_state
from ministack.services import s3 as s3_state
from ministack.services import secretsmanager as secrets_state
from ministack.services.cloudformation import drift, handlers, helpers, provisioners, stacks

PORT = os.environ.get("GATEWAY_PORT", "4566")

HANDLERS = provisioners._RESOURCE_HANDLERS

__all__ = [
    "AccountScopedDict", "HANDLERS", "add_json_service", "add_rest_service", "app", "client", "drift", "ec2_state", "efs_state",
    "get_account_id", "get_region", "handlers", "helpers", "hex_id", "iam_state", "in_background", "json_response",
    "kms_state", "provisioners", "rds_state", "register", "request_id", "s3_state", "secrets_state", "set_tags", "stacks", "user_tags",
]

_clients = {}
_clients_lock = threading.Lock()


def client(service):
    """A boto3 client of this very emulator, in the account and region of the running request."""
    key = (service, get_account_id(), get_region())
    with _clients_lock:
        if key not in _clients:
            _clients[key] = boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{PORT}",
                region_name=key[2],
                aws_access_key_id=key[1],  # MiniStack reads a 12-digit key as the account
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return _clients[key]


def hex_id(prefix, digits=17):
    """An id as EC2 and FSx form them: `hex_id("fs-")` is `fs-0123456789abcdef0`."""
    return prefix + "".join(random.choices("0123456789abcdef", k=digits))


def request_id():
    return str(uuid.uuid4())


def in_background(function, *args):
    """Runs `function` on a thread that keeps the account and region of the running request."""
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(function, *args), daemon=True)
    thread.start()
    return thread


def register(resource_type, create, delete, update=None):
    """Adds a CloudFormation type.

    `create(logical_id, props, stack_name)` and `update(physical_id, old, new, stack_name)` return
    the physical id (what `Ref` gives) and a dictionary of attributes (what `Fn::GetAtt` gives).
    """
    HANDLERS[resource_type] = {"create": create, "delete": delete}
    if update:
        HANDLERS[resource_type]["update"] = update


def add_json_service(name, target_prefix, handle):
    """Adds a service of the JSON 1.1 protocol; `handle(action, body)` answers each request."""
    answer = lambda method, path, headers, body: handle((headers.get("x-amz-target") or "").rpartition(".")[2], body)
    return _add_service(name, answer, {"target_prefixes": [target_prefix]})


def add_rest_service(name, handle):
    """Adds a service that is known by its name in the signature; `handle(method, path, body)` answers each request."""
    return _add_service(name, lambda method, path, headers, body: handle(method, path, body), {"credential_scope": name})


def _add_service(name, answer, patterns):
    module = types.ModuleType(f"ministack.services.{name}")

    async def handle_request(method, path, headers, body, query_params):
        return answer(method, path, headers, body)

    module.handle_request = handle_request
    module.get_state = lambda: None
    module.load_persisted_state = module._restore_state = lambda state: None
    module.reset = lambda: None
    app._loaded_modules[name] = module
    app.SERVICE_REGISTRY[name] = {"module": name}
    app.SERVICE_HANDLERS[name] = app._lazy_handler(name)
    router.SERVICE_PATTERNS[name] = {"host_patterns": [rf"{name}\."], **patterns}
    return module


def user_tags(props, key="Tags"):
    """The tags of a template's resource that a user may set, in the EC2 API's shape."""
    return [
        {"Key": str(tag["Key"]), "Value": str(tag.get("Value", ""))}
        for tag in props.get(key) or []
        if not str(tag["Key"]).startswith("aws:")
    ]


def set_tags(resource_id, props, key="Tags"):
    """Makes an EC2 resource's tags those of the template, `aws:` ones included.

    Written to the emulator's state, since the API refuses `aws:` keys from everyone but AWS.
    """
    ec2_state._tags[resource_id] = [
        {"Key": str(tag["Key"]), "Value": str(tag.get("Value", ""))} for tag in props.get(key) or []
    ]
