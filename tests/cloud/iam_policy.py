"""IAM policies, and whether they allow something: an explicit deny wins, then an allow, and what nobody allows is denied.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html

What it does not know of a policy is an error and never a silent yes. Policies of resources and organisations, boundaries and
managed policies are not looked at.
"""

import fnmatch
import functools
import re
from dataclasses import dataclass, field

KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition"}
OPERATORS = {"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnLike", "ArnEquals", "Bool", "Null"}
EXACT = {"StringEquals", "StringNotEquals"}


@dataclass
class Access:
    """An action on a resource, and what is known of the call: condition keys with lists of values."""

    action: str
    resource: str = "*"
    context: dict = field(default_factory=dict)

    def values(self, key):
        """The values of a condition key; the names of keys know no case."""
        return next((value for name, value in self.context.items() if name.lower() == key.lower()), [])


class Unknown(Exception):
    """A part of a policy that this module does not know."""


def check(document):
    """The statements of a policy document; raises `Unknown`."""
    found = _list(document["Statement"])
    for statement in found:
        strange = set(statement) - KNOWN
        if strange or statement.get("Effect") not in ("Allow", "Deny") or "Action" not in statement or "Resource" not in statement:
            raise Unknown(f"a statement with {sorted(statement)}")
        for word in statement.get("Condition") or {}:
            _operator(word)
    return found


def denial(documents, access):
    """Why policies do not allow an access, in AWS's words; None: they do."""
    fitting = [one["Effect"] for document in documents for one in check(document) if _fits(one, access)]
    if "Deny" in fitting:
        return "with an explicit deny in an identity-based policy"
    if "Allow" in fitting:
        return None
    return f"because no identity-based policy allows the {access.action} action"


def _fits(statement, access):
    return (
        any(_like(one.lower(), access.action.lower()) for one in _list(statement["Action"]))
        and any(_like(one, access.resource) for one in _list(statement["Resource"]))
        and all(_holds(word, key, _list(wanted), access)
                for word, pairs in (statement.get("Condition") or {}).items() for key, wanted in pairs.items())
    )


def _operator(word):
    """`ForAllValues:StringEqualsIfExists` as its set, its operator and whether the key may be missing."""
    group, _, rest = word.rpartition(":")
    plain = rest.removesuffix("IfExists")
    if group not in ("", "ForAllValues", "ForAnyValue") or plain not in OPERATORS:
        raise Unknown(f"the operator {word}")
    return group, plain, plain != rest


def _holds(word, key, wanted, access):
    group, operator, if_exists = _operator(word)
    found = access.values(key)
    if operator == "Null":
        return any((_text(one) == "true") == (not found) for one in wanted)
    negated = "Not" in operator
    if not found:
        return if_exists or negated or group == "ForAllValues"
    one = lambda value: any(_compares(operator, _text(want), _text(value)) for want in wanted) != negated
    return all(map(one, found)) if group == "ForAllValues" else any(map(one, found))


def _compares(operator, wanted, value):
    if operator in EXACT:
        return wanted == value
    if operator == "Bool":
        return wanted.lower() == value.lower()
    return _like(wanted, value)


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(pattern, text):
    return bool(_pattern(pattern).fullmatch(text))


@functools.cache
def _pattern(text):
    """Only `*` and `?` mean something."""
    return re.compile(fnmatch.translate(text.replace("[", "[[]")))


def _list(value):
    return value if isinstance(value, list) else [value]
