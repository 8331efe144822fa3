"""What `fleece.authpolicy` is given, checked: nothing passes that would mean something else in an IAM policy.

Each function takes whatever a program may pass, and returns it in the form that the policy has it in, or raises
`PolicyError` with what was given.
"""

from __future__ import annotations

import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PolicyError(ValueError, NameError):
    """An authorizer was told to give an answer that API Gateway would not accept.

    A `ValueError`, as mistakes in arguments are, and a `NameError`, which is what 1.2.1 raised.
    """


class HttpVerb:
    """The HTTP methods that API Gateway has, and `ALL` for every one of them."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    HEAD = "HEAD"
    DELETE = "DELETE"
    OPTIONS = "OPTIONS"
    ALL = "*"


ANY = "*"
VERBS = (
    HttpVerb.GET,
    HttpVerb.POST,
    HttpVerb.PUT,
    HttpVerb.PATCH,
    HttpVerb.HEAD,
    HttpVerb.DELETE,
    HttpVerb.OPTIONS,
)

REST_API_ID = re.compile(r"[A-Za-z0-9]+")
REGION = re.compile(r"[a-z]+(?:-[a-z0-9]+)+")
STAGE = re.compile(r"[A-Za-z0-9_-]+|\$default")
_ACCOUNT = re.compile(r"[0-9]{1,12}")
# RFC 3986's path characters, the braces of API Gateway's resources, and the wildcard. Not ``${``, with which IAM's
# policy variables begin, and not ``?``, which ends a path and is a wildcard of IAM's too.
_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!&'()*+,;=:@%{}/]|\$(?!\{))+")
_METHOD_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):execute-api:(?P<region>[^:*]+):(?P<account>[^:]+):(?P<api>[^/:*]+)/(?P<stage>[^/*]+)"
    r"(?:/.*)?",
    re.DOTALL,
)

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


def verb(value: object) -> str:
    """Return an HTTP verb in capitals, ``*`` for all of them."""
    name = value.upper() if isinstance(value, str) else ""
    if name in (HttpVerb.ALL, "ALL"):
        return HttpVerb.ALL
    if name not in VERBS:
        raise PolicyError(f"There is no HTTP verb {value!r}: use one of {', '.join(VERBS)} or HttpVerb.ALL")
    return name


def path(value: object) -> str:
    """Return a path without the slash that it begins with."""
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise PolicyError(f"{value!r} is not the path of a resource: give it percent-encoded, as in /pets/7 or /pets/*")
    return value.removeprefix("/")


def account(value: object) -> str:
    """Return the number of an account with the zeros that it begins with."""
    digits = str(value) if isinstance(value, (str, int)) else ""
    if not _ACCOUNT.fullmatch(digits):
        raise PolicyError(f"aws_account_id must be the 12 digits of an AWS account: {value!r} was given")
    return digits.zfill(12)


def part(name: str, value: object, form: re.Pattern[str]) -> str:
    """Return a part of an ARN; every one of them when there is none."""
    if value is None or value in ("", ANY):
        return ANY
    if not isinstance(value, str) or not form.fullmatch(value):
        raise PolicyError(f"{name} is not of its form (leave it out for all): {value!r} was given")
    return value


def partition(region: str) -> str:
    """Return the partition of AWS that a region is in."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def method_arn(value: object) -> re.Match[str]:
    """Return the parts of a method's ARN, but for method and path."""
    found = _METHOD_ARN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PolicyError(f"{value!r} is not the ARN of a method: give the event's methodArn or routeArn")
    return found


def text(name: str, value: object) -> str | None:
    """Return a string, or None as it is."""
    if value is not None and not isinstance(value, str):
        raise PolicyError(f"{name} must be a string: {value!r} was given")
    return value


def conditions(value: Any) -> dict[str, dict[str, Any]]:
    """Return IAM's conditions, which are not empty: IAM would take that for none, or for one that nothing meets."""
    try:
        copied = {operator: dict(keys) for operator, keys in dict(value).items()}
    except (TypeError, ValueError):
        copied = {}
    if not copied or not all(keys and all(map(_has_values, keys.values())) for keys in copied.values()):
        raise PolicyError(f"Conditions must be of the form {{operator: {{key: values}}}}: {value!r} was given")
    return copied


def _has_values(value: object) -> bool:
    return bool(value) if isinstance(value, (list, tuple)) else value is not None


def context(value: Any, *, nested: bool = False) -> dict[str, Any]:
    """Return what is handed on to the API, empty when there is nothing."""
    try:
        copied = dict(value or {})
    except (TypeError, ValueError):
        raise PolicyError(f"context must be a dict: {value!r} was given") from None
    for name, item in copied.items():
        if not isinstance(name, str):
            raise PolicyError(f"The names in context must be strings: {name!r} was given")
        if not _is_plain(item) and not (nested and _is_json(item)):
            raise PolicyError(f"API Gateway does not take this value in context, under {name!r}: {item!r}")
    return copied


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(item) for name, item in value.items())
    return value is None or _is_plain(value) or (isinstance(value, (list, tuple)) and all(map(_is_json, value)))
