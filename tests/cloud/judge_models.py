"""What an AWS request says, by botocore's own service models, and what is wrong with it.

`analyse` names the service and the operation, decodes the parameters of any protocol that hpcctl's
SDK crates use (query, ec2, json, rest-xml, rest-json) and lists violations: unknown operations and
parameters, missing required ones, wrong types, values outside an enum, lengths, ranges, patterns.
"""

import functools
import json
import re
import threading
import urllib.parse
from dataclasses import dataclass, field

import botocore.session
from botocore.validate import ParamValidator

# Names in the credential scope that are not botocore's name of the service.
SIGNING_NAMES = {"monitoring": "cloudwatch", "elasticfilesystem": "efs", "elasticloadbalancing": "elbv2",
                 "servicequotas": "service-quotas", "tagging": "resourcegroupstaggingapi", "states": "stepfunctions"}

# Headers that belong to the protocol and to no operation.
COMMON_HEADERS = ("x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amz-target",
                  "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-api-version", "x-amz-sdk-checksum-algorithm")

_session = botocore.session.get_session()
_lock = threading.Lock()


@dataclass
class Judgement:
    """A request, understood."""

    service: str | None = None
    operation: str | None = None
    params: dict = field(default_factory=dict)
    violations: list = field(default_factory=list)
    who: str | None = None

    @property
    def key(self):
        return f"{self.service}:{self.operation}"


@functools.cache
def _load(name):
    if name not in _session.get_available_services():
        return None
    return _session.get_service_model(name)


def model(signing_name):
    """The service model behind a credential scope's service name."""
    with _lock:
        return _load(SIGNING_NAMES.get(signing_name, signing_name))


def analyse(method, path, headers, body):
    """The judgement of one request."""
    judgement = Judgement()
    url = urllib.parse.urlsplit(path)
    query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
    scope = re.search(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", headers.get("Authorization", "")) or \
        re.search(r"[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", query.get("X-Amz-Credential", ""))
    if not scope:
        judgement.operation = f"{method} {url.path[:60]}"
        judgement.violations.append("unsigned request")
        return judgement
    judgement.service = scope.group(2)
    service = model(judgement.service)
    if not service:
        judgement.operation = f"{method} {url.path[:60]}"
        judgement.violations.append(f"unknown service {judgement.service}")
        return judgement
    try:
        _decode(judgement, service, method, url, query, headers, body)
    except Exception as error:  # a judge that cannot read must say so, not crash the test
        judgement.violations.append(f"the judge could not decode the request: {type(error).__name__} {error}")
    return judgement


def _decode(judgement, service, method, url, query, headers, body):
    target = headers.get("X-Amz-Target")
    protocol = service.metadata["protocol"]
    if target:
        judgement.operation = target.rpartition(".")[2]
        if _known(judgement, service):
            judgement.params = json.loads(body or b"{}")
            _check(judgement, service)
    elif protocol.startswith("rest"):
        _decode_rest(judgement, service, method, url, query, headers, body)
    elif url.path.startswith("/service/"):  # smithy-rpc-v2-cbor: the name is in the path, the body is binary
        judgement.operation = url.path.rpartition("/")[2]
        _known(judgement, service)
    else:
        _decode_form(judgement, service, body)


def _known(judgement, service):
    if judgement.operation in service.operation_names:
        return True
    judgement.violations.append(f"unknown operation {judgement.operation}")
    return False


def _check(judgement, service):
    judgement.violations += wrong_input(service, judgement.operation, judgement.params)


def wrong_input(service, operation, params):
    """Everything that is wrong with an operation's decoded parameters."""
    shape = service.operation_model(operation).input_shape
    if not shape:
        return []
    report = ParamValidator().validate(params, shape)
    found = report.generate_report().split("\n") if report.has_errors() else []
    check_values(shape, params, operation, found)
    return found


def check_values(shape, value, place, violations):
    """What botocore's own validator leaves out: unknown keys, enums, patterns, the longest list."""
    if value is None:
        return
    limit = shape.metadata.get("max")
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, item in value.items():
            if key in shape.members:
                check_values(shape.members[key], item, f"{place}.{key}", violations)
            else:
                violations.append(f"unknown parameter {place}.{key}")
    elif shape.type_name == "list" and isinstance(value, list):
        for number, item in enumerate(value):
            check_values(shape.member, item, f"{place}[{number}]", violations)
        if limit and len(value) > limit:
            violations.append(f"{place}: {len(value)} items, at most {limit} are allowed")
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, item in value.items():
            check_values(shape.value, item, f"{place}.{key}", violations)
    elif shape.type_name == "string" and isinstance(value, str):
        _check_text(shape, value, place, violations)
    elif limit is not None and isinstance(value, (int, float)) and not isinstance(value, bool) and value > limit:
        violations.append(f"{place}: {value} is greater than {limit}")


def _check_text(shape, value, place, violations):
    choices = getattr(shape, "enum", None)
    pattern = shape.metadata.get("pattern")
    limit = shape.metadata.get("max")
    if choices and value not in choices:
        violations.append(f"{place}: {value!r} is not one of {choices[:8]}")
    if limit and len(value) > limit:
        violations.append(f"{place}: {len(value)} characters, at most {limit} are allowed")
    if pattern:
        try:
            if not re.search(f"^(?:{pattern})$", value, re.S):
                violations.append(f"{place}: {value[:40]!r} does not match {pattern[:60]}")
        except re.error:
            pass  # a pattern of a dialect that Python lacks proves nothing


# ---------------------------------------------------------------- query and ec2


def _decode_form(judgement, service, body):
    form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    judgement.operation = form.pop("Action", None)
    version = form.pop("Version", None)
    if not _known(judgement, service):
        return
    if version != service.api_version:
        judgement.violations.append(f"API version {version}, not {service.api_version}")
    shape = service.operation_model(judgement.operation).input_shape
    ec2 = service.metadata["protocol"] == "ec2"
    judgement.params = (_form_value(shape, form, "", ec2, judgement.violations) or {}) if shape else {}
    judgement.violations += [f"unknown parameter {key}={value[:40]!r}" for key, value in form.items()]
    _check(judgement, service)


SCALARS = {"integer": int, "long": int, "float": float, "double": float,
           "boolean": lambda text: {"true": True, "false": False}[text.lower()]}


def _form_value(shape, form, prefix, ec2, violations):
    """The value at `prefix`, taken out of the form: what stays in it nobody understands."""
    if shape.type_name == "structure":
        return _form_structure(shape, form, prefix, ec2, violations)
    if shape.type_name == "list":
        return _form_list(shape, form, prefix, ec2, violations)
    if shape.type_name == "map":
        return _form_map(shape, form, prefix, ec2, violations)
    if prefix not in form:
        return None
    text = form.pop(prefix)
    try:
        return SCALARS.get(shape.type_name, str)(text)
    except (ValueError, KeyError):
        violations.append(f"{prefix}: {text!r} is not a {shape.type_name}")
        return None


def _form_structure(shape, form, prefix, ec2, violations):
    found = {}
    for name, member in shape.members.items():
        said = member.serialization
        wire = said.get("name", name)
        if ec2:
            wire = said.get("queryName") or wire[:1].upper() + wire[1:]
        value = _form_value(member, form, f"{prefix}.{wire}" if prefix else wire, ec2, violations)
        if value is not None:
            found[name] = value
    return found or (None if prefix else {})


def _numbers(form, prefix):
    """The item numbers below a prefix, in order."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)(\.|$)")
    return sorted({int(match.group(1)) for key in form for match in [pattern.match(key)] if match})


def _form_list(shape, form, prefix, ec2, violations):
    flat = ec2 or shape.serialization.get("flattened")
    start = prefix if flat else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
    numbers = _numbers(form, start)
    if not numbers and form.get(prefix) == "":
        form.pop(prefix)
        return []
    return [_form_value(shape.member, form, f"{start}.{n}", ec2, violations) for n in numbers] or None


def _form_map(shape, form, prefix, ec2, violations):
    start = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    return {
        form.pop(f"{start}.{n}.{key_name}", ""): _form_value(shape.value, form, f"{start}.{n}.{value_name}", ec2, violations)
        for n in _numbers(form, start)
    } or None


# ---------------------------------------------------------------- rest-xml and rest-json


def _decode_rest(judgement, service, method, url, query, headers, body):
    found = _match(service, method, url.path, query, headers)
    if not found:
        judgement.operation = f"{method} {url.path[:60]}"
        judgement.violations.append("no operation has this method and path")
        return
    judgement.operation, labels, literals = found
    shape = service.operation_model(judgement.operation).input_shape
    members = shape.members if shape else {}
    places = {(m.serialization.get("location"), m.serialization.get("name", n).lower()): n for n, m in members.items()}
    judgement.params = {places.get(("uri", name.lower()), name): value for name, value in labels.items()}
    for name, value in query.items():
        known = places.get(("querystring", name.lower()))
        if known:
            judgement.params[known] = _scalar(members[known], value)
        elif name not in literals and name != "x-id" and not name.startswith("X-Amz-"):
            judgement.violations.append(f"unknown query parameter {name}")
    for name, value in headers.items():
        name = name.lower()
        known = places.get(("header", name))
        if known:
            judgement.params[known] = _scalar(members[known], value)
        elif name.startswith("x-amz-") and not name.startswith(("x-amz-meta-", "x-amz-checksum-")) \
                and name not in COMMON_HEADERS:
            judgement.violations.append(f"unknown header {name}")
    if service.metadata["protocol"] == "rest-json" and body:
        judgement.params.update(json.loads(body))
        _check(judgement, service)
    else:
        _check_rest_xml(judgement, shape)


def _check_rest_xml(judgement, shape):
    """All but the body: required labels, query parameters and headers, and their values."""
    if not shape:
        return
    for name in shape.required_members:
        if name not in judgement.params and shape.members[name].serialization.get("location"):
            judgement.violations.append(f"missing required parameter {name}")
    check_values(shape, judgement.params, judgement.operation, judgement.violations)


def _scalar(shape, text):
    try:
        return SCALARS.get(shape.type_name, str)(text)
    except (ValueError, KeyError):
        return text


def _match(service, method, path, query, headers):
    """The operation with the most specific template that fits: its name, its labels, its fixed query names."""
    best = None
    for name, pattern, literals in _templates(service.service_name, method):
        match = pattern.fullmatch(path)
        if not match or any(query.get(key) != value for key, value in literals.items() if value is not None):
            continue
        if any(key not in query for key in literals):
            continue
        copies = "x-amz-copy-source" in {key.lower() for key in headers.keys()}
        if name in ("CopyObject", "UploadPartCopy") and not copies or name in ("PutObject", "UploadPart") and copies:
            continue
        required = service.operation_model(name).input_shape
        missing = [m for m in (required.required_members if required else [])
                   if required.members[m].serialization.get("location") == "querystring"
                   and required.members[m].serialization.get("name") not in query]
        if missing:
            continue
        chosen = query.get("x-id") == name
        rank = (chosen, len(literals), _required_queries(required), pattern.groups * -1)
        labels = {key: urllib.parse.unquote(value) for key, value in match.groupdict().items()}
        if best is None or rank > best[0]:
            best = (rank, name, labels, literals)
    return best and best[1:]


def _required_queries(shape):
    return sum(shape.members[m].serialization.get("location") == "querystring" for m in shape.required_members) if shape else 0


@functools.cache
def _templates(service_name, method):
    """`(operation, pattern of the path, fixed query)` for every operation of a method."""
    service = _load(service_name)
    found = []
    for name in service.operation_names:
        http = service.operation_model(name).http
        if http["method"] != method:
            continue
        path, _, query = http["requestUri"].partition("?")
        literals = {}
        for part in filter(None, query.split("&")):
            key, equals, value = part.partition("=")
            if key != "x-id":
                literals[key] = value if equals else None
        found.append((name, re.compile(_path_pattern(service_name, path)), literals))
    return found


def _path_pattern(service_name, template):
    text = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\+}", "+}")
    text = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", text)
    text = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text)
    return text + ("/?" if text.endswith("[^/]+)") else "")
