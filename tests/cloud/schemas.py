"""The CloudFormation provider schemas that cfn-lint carries, and a validator that speaks like AWS.

`violations` gives the sentences CloudFormation puts behind "Properties validation failed for
resource X with message:", as the validator of the CloudFormation registry words them. Numbers and
booleans may be written as strings and the other way round: CloudFormation converts them.

cfn-lint's own keywords (`requiredXor`, `requiredOr`, `dependentExcluded`, `enumCaseInsensitive`)
are what the services themselves demand, so they count too.
"""

import functools
import importlib.util
import json
import pathlib

try:
    import regex
except ImportError:
    import re as regex

REGION = "us-east-1"


@functools.cache
def folder():
    """Where cfn-lint keeps its schemas."""
    package = pathlib.Path(importlib.util.find_spec("cfnlint").origin).parent
    return package / "data" / "schemas"


@functools.cache
def index():
    """Resource type to file name; every region names the same files for the types used here."""
    return json.loads((folder() / "providers" / f"{REGION}.json").read_text())


@functools.cache
def schema(resource_type):
    """A type's provider schema, None when there is none."""
    name = index().get(resource_type)
    path = folder() / "resources" / f"{name}.json"
    return json.loads(path.read_text()) if name and path.is_file() else None


def top_level(resource_type, list_name):
    """Names of the properties in `createOnlyProperties` and its like, whole properties only."""
    paths = (schema(resource_type) or {}).get(list_name) or []
    return tuple(sorted({path.split("/")[2] for path in paths if path.count("/") == 2}))


def nested(resource_type, list_name):
    """Names of the properties that have a part in `createOnlyProperties` and its like."""
    paths = (schema(resource_type) or {}).get(list_name) or []
    return tuple(sorted({path.split("/")[2] for path in paths if path.count("/") > 2}))


def violations(resource_type, properties):
    """All that is wrong with resolved properties: sentences, and ids that must exist.

    Gives `(sentences, references)`; a reference is `(format, value, place)`, for example
    `("AWS::EC2::Subnet.Id", "subnet-1", "#/SubnetIds/0")`.
    """
    found = schema(resource_type)
    if not found:
        return [], []
    walk = _Walk(found)
    plain = _without_system_tags(properties)
    for name in top_level(resource_type, "readOnlyProperties"):
        if name in plain and name not in _written_anyway(found):
            walk.say("#", f"extraneous key [{name}] is not permitted")
    walk.check(found, plain, "#")
    return walk.sentences, walk.references


def _written_anyway(found):
    """Read-only properties that are create-only too may be set (a launch-template's like)."""
    create_only = found.get("createOnlyProperties") or []
    return {path.split("/")[2] for path in create_only if path.count("/") == 2}


def _without_system_tags(properties):
    """The properties without the `aws:` tags that CloudFormation itself adds."""
    plain = dict(properties)
    for name, value in properties.items():
        if name.endswith("Tags") and isinstance(value, list):
            kept = [t for t in value if not (isinstance(t, dict) and str(t.get("Key", "")).startswith("aws:"))]
            plain[name] = kept
            if not kept and value:
                del plain[name]
    return plain


@functools.cache
def _pattern(text):
    try:
        return regex.compile(text)
    except Exception:  # a pattern of a dialect that Python lacks proves nothing
        return None


class _Walk:
    """One validation: collects sentences and references on the way through a value."""

    def __init__(self, root):
        self.root = root
        self.sentences = []
        self.references = []

    def say(self, place, sentence):
        self.sentences.append(f"{place}: {sentence}")

    def passes(self, part, value):
        """Whether a sub-schema takes the value, without keeping what it says."""
        trial = _Walk(self.root)
        trial.check(part, value, "#")
        return not trial.sentences

    def check(self, part, value, place):
        part = self.resolve(part)
        if not isinstance(part, dict):
            return
        value, fits = _coerce(part.get("type"), value)
        if not fits:
            self.say(place, f"expected type: {_expected(part['type'])}, found: {_kind(value)}")
            return
        self.check_scalar(part, value, place)
        if isinstance(value, dict):
            self.check_object(part, value, place)
        elif isinstance(value, list):
            self.check_array(part, value, place)
        self.check_combination(part, value, place)

    def resolve(self, part):
        while isinstance(part, dict) and "$ref" in part:
            target = self.root
            for step in part["$ref"].lstrip("#/").split("/"):
                target = target.get(step, {})
            part = target
        return part

    def check_scalar(self, part, value, place):
        if "enum" in part and not any(_equal(value, choice) for choice in part["enum"]):
            self.say(place, f"{_text(value)} is not a valid enum value")
        if "enumCaseInsensitive" in part and _text(value).lower() not in [
            _text(choice).lower() for choice in part["enumCaseInsensitive"]
        ]:
            self.say(place, f"{_text(value)} is not a valid enum value")
        if "const" in part and not _equal(value, part["const"]):
            self.say(place, f"{_text(value)} is not equal to {_text(part['const'])}")
        if isinstance(value, str):
            self.check_string(part, value, place)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.check_number(part, value, place)

    def check_string(self, part, value, place):
        if len(value) < part.get("minLength", 0):
            self.say(place, f"expected minLength: {part['minLength']}, actual: {len(value)}")
        if len(value) > part.get("maxLength", len(value)):
            self.say(place, f"expected maxLength: {part['maxLength']}, actual: {len(value)}")
        pattern = _pattern(part["pattern"]) if "pattern" in part else None
        if pattern and not pattern.search(value):
            self.say(place, f"failed validation constraint for keyword [pattern] {part['pattern']}")
        if str(part.get("format", "")).startswith("AWS::"):
            self.references.append((part["format"], value, place))

    def check_number(self, part, value, place):
        if value < part.get("minimum", value):
            self.say(place, f"{value} is not greater or equal to {part['minimum']}")
        if value > part.get("maximum", value):
            self.say(place, f"{value} is not less or equal to {part['maximum']}")

    def check_object(self, part, value, place):
        known = part.get("properties") or {}
        patterns = part.get("patternProperties") or {}
        for key, item in value.items():
            if key in known:
                self.check(known[key], item, f"{place}/{key}")
                continue
            matching = [sub for text, sub in patterns.items() if _pattern(text) and _pattern(text).search(key)]
            for sub in matching:
                self.check(sub, item, f"{place}/{key}")
            extra = part.get("additionalProperties", True)
            if not matching and extra is False:
                self.say(place, f"extraneous key [{key}] is not permitted")
            elif not matching and isinstance(extra, dict):
                self.check(extra, item, f"{place}/{key}")
        for key in part.get("required") or []:
            if key not in value:
                self.say(place, f"required key [{key}] not found")
        self.check_together(part, value, place)

    def check_together(self, part, value, place):
        """Keys that need, exclude or replace one another."""
        needs = {**(part.get("dependencies") or {}), **(part.get("dependentRequired") or {})}
        for key, others in needs.items():
            if key in value and isinstance(others, list):
                for other in others:
                    if other not in value:
                        self.say(place, f"property [{other}] is required by [{key}]")
        for key, others in (part.get("dependentExcluded") or {}).items():
            for other in others:
                if key in value and other in value:
                    self.say(place, f"property [{other}] must not be set together with [{key}]")
        for group in _groups(part.get("requiredXor")):
            if sum(key in value for key in group) != 1:
                self.say(place, f"exactly one of {group} is required")
        for group in _groups(part.get("requiredOr")):
            if not any(key in value for key in group):
                self.say(place, f"at least one of {group} is required")

    def check_array(self, part, value, place):
        if len(value) < part.get("minItems", 0):
            self.say(place, f"expected minimum item count: {part['minItems']}, found: {len(value)}")
        if len(value) > part.get("maxItems", len(value)):
            self.say(place, f"expected maximum item count: {part['maxItems']}, found: {len(value)}")
        if part.get("uniqueItems"):
            seen = {json.dumps(item, sort_keys=True, default=str) for item in value}
            if len(seen) != len(value):
                self.say(place, "array items are not unique")
        if "items" in part:
            for number, item in enumerate(value):
                self.check(part["items"], item, f"{place}/{number}")

    def check_combination(self, part, value, place):
        for sub in part.get("allOf") or []:
            self.check(sub, value, place)
        if part.get("anyOf") and not any(self.passes(sub, value) for sub in part["anyOf"]):
            self.say(place, f"#: no subschema matched out of the total {len(part['anyOf'])} subschemas")
        if part.get("oneOf"):
            count = sum(self.passes(sub, value) for sub in part["oneOf"])
            if count != 1:
                self.say(place, f"#: {count} subschemas matched instead of one")
        if "not" in part and self.passes(part["not"], value):
            self.say(place, "subject must not be valid against the 'not' schema")
        if "if" in part:
            branch = "then" if self.passes(part["if"], value) else "else"
            if branch in part:
                self.check(part[branch], value, place)


def _groups(value):
    """`requiredXor` is written as one list of names or as a list of such lists."""
    if not value:
        return []
    return value if isinstance(value[0], list) else [value]


def _coerce(types, value):
    """`value` as one of `types`, by CloudFormation's conversions, and whether it can be one."""
    if types is None:
        return value, True
    wanted = [types] if isinstance(types, str) else types
    for name in wanted:
        if _is(name, value):
            return value, True
    for name in wanted:
        converted = _convert(name, value)
        if converted is not None:
            return converted, True
    return value, False


def _is(name, value):
    if name in ("integer", "number"):
        whole = isinstance(value, int) or isinstance(value, float) and (name == "number" or value.is_integer())
        return whole and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool, "object": dict, "array": list}.get(name, object))


def _convert(name, value):
    if name == "string" and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if name == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if name in ("integer", "number") and isinstance(value, str):
        try:
            return int(value) if name == "integer" else float(value)
        except ValueError:
            return None
    return None


def _equal(left, right):
    return left == right or (not isinstance(left, (dict, list)) and _text(left) == _text(right))


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


_NAMES = {"string": "String", "integer": "Integer", "number": "Number", "boolean": "Boolean",
          "object": "JSONObject", "array": "JSONArray"}


def _expected(types):
    names = [types] if isinstance(types, str) else types
    return ", ".join(_NAMES.get(name, name) for name in names)


def _kind(value):
    for name in ("boolean", "integer", "number", "string", "object", "array"):
        if _is(name, value):
            return _NAMES[name]
    return type(value).__name__
