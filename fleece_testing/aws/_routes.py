"""Which operation of a REST service a request is, by botocore's own description of that service."""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import botocore.exceptions
import botocore.loaders
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from botocore.model import OperationModel

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_SHARED = {
    "aidevops": ("devops-agent",),
    "apigateway": ("apigatewayv2",),
    "appconfig": ("appconfigdata",),
    "aps": ("amp",),
    "bedrock": ("bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore-control",),
    "connect-campaigns": ("connectcampaigns",),
    "elasticfilesystem": ("efs",),
    "es": ("opensearch",),
    "execute-api": ("apigatewaymanagementapi",),
    "iotdata": ("iot-data",),
    "kinesisvideo": ("kinesis-video-archived-media",),
    "lex": ("lexv2-models", "lexv2-runtime"),
    "mediastore": ("mediastore-data",),
    "mobiletargeting": ("pinpoint",),
    "s3": ("s3control",),
    "sagemaker": ("sagemaker-runtime", "sagemaker-metrics"),
    "servicecatalog": ("servicecatalog-appregistry",),
    "ses": ("sesv2",),
}
"""REST services of boto3 that sign with another one's name: requests say no more of them than that name."""

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Match:
    """An operation, its protocol, and the parameters that are outside of the body."""

    operation: str
    protocol: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class _Route:
    operation: str
    protocol: str
    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]  # members in the path
    query: Mapping[str, str]  # what must be in the query; an empty value matches any
    headers: frozenset[str]  # what must be in the headers
    members: Mapping[tuple[str, str], str]  # (location, name there) -> member


def _rank(route: _Route) -> tuple[int, int]:
    """The more a route asks for, the earlier it is tried."""
    return len(route.query) + len(route.headers), len(_LABEL.sub("", route.path.pattern))


def signing_name(service: str) -> str:
    """Return the name that a service of boto3 signs its requests with, ``monitoring`` for ``cloudwatch``."""
    model = _model(service)
    return service if model is None else str(model.signing_name)


def check(service: str, operation: str | None) -> None:
    """See that there is such a service in boto3, and such an operation in it: a misspelt one would never be called.

    Raises:
        ValueError: with the nearest name.
    """
    model = _model(service)
    if model is None:
        known = botocore.loaders.Loader().list_available_services("service-2")
        raise ValueError(f"boto3 has no service {service!r}{_nearest(service, known)}")
    if operation is not None and operation not in model.operation_names:
        raise ValueError(f"{service} has no operation {operation!r}{_nearest(operation, model.operation_names)}")


def is_unsigned(service: str, operation: str) -> bool:
    """Whether an operation takes a proof of another kind than a signature, as ``AssumeRoleWithWebIdentity`` does."""
    model = _model(service)
    return (
        model is not None
        and operation in model.operation_names
        and str(model.operation_model(operation).resolved_auth_type) == "none"
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    by_lower_case = {one.lower(): one for one in known}
    return "".join(
        f"; did you mean {by_lower_case[one]!r}?" for one in difflib.get_close_matches(name.lower(), by_lower_case, 1)
    )


def find(service: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Match | None:
    """Return the operation that a request to the service is, or ``None`` when it is none that botocore knows.

    Args:
        service: the name that it signs with.
        method: the HTTP method.
        path: as it was sent, percent-encoded.
        query: the first value of each parameter.
        headers: by their names in lower case.
    """
    for route in _all_routes(service):
        found = route.path.fullmatch(path) if route.method == method else None
        if found and _has(query, route.query) and route.headers <= headers.keys():
            parameters = {label: unquote(value) for label, value in zip(route.labels, found.groups(), strict=True)}
            for (location, name), member in route.members.items():
                source = query if location == "querystring" else headers
                if name in source:
                    parameters[member] = source[name]
            return Match(route.operation, route.protocol, parameters)
    return None


def _has(query: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(name in query and value in ("", query[name]) for name, value in wanted.items())


@functools.cache
def _model(service: str) -> ServiceModel | None:
    try:
        description = botocore.loaders.Loader().load_service_model(service, "service-2")
    except botocore.exceptions.UnknownServiceError:
        return None
    return ServiceModel(description, service)


@functools.cache
def _all_routes(signing_name: str) -> tuple[_Route, ...]:
    """Return the routes of every service that signs with the name, of alike ones that of the service itself first."""
    services = (signing_name, *_SHARED.get(signing_name, ()))
    return tuple(sorted((one for service in services for one in _routes(service)), key=_rank, reverse=True))


@functools.cache
def _routes(service: str) -> tuple[_Route, ...]:
    model = _model(service)
    if model is None or not str(model.resolved_protocol).startswith("rest-"):
        return ()
    operations = [model.operation_model(name) for name in model.operation_names]
    # Of two operations with the same form, such as S3's for notifications, the newer one is meant.
    operations.sort(key=lambda operation: bool(operation.deprecated))
    return tuple(_route(operation, str(model.resolved_protocol)) for operation in operations)


def _route(operation: OperationModel, protocol: str) -> _Route:
    path, _, literal_query = str(operation.http["requestUri"]).partition("?")
    members = _members(operation)
    required = {} if operation.input_shape is None else dict.fromkeys(operation.input_shape.required_members)
    query = dict(item.partition("=")[::2] for item in literal_query.split("&") if item)
    query |= {name: "" for (place, name), member in members.items() if place == "querystring" and member in required}
    return _Route(
        operation=operation.name,
        protocol=protocol,
        method=str(operation.http["method"]),
        path=_pattern(path),
        labels=tuple(members.get(("uri", name), name) for name, _ in _LABEL.findall(path)),
        query=query,
        headers=frozenset(
            name for (place, name), member in members.items() if place == "header" and member in required
        ),
        members={key: member for key, member in members.items() if key[0] in ("querystring", "header")},
    )


def _pattern(path: str) -> re.Pattern[str]:
    """Return the pattern of a path with labels: ``{Bucket}`` is one level, ``{Key+}`` any number."""
    pieces = iter(_LABEL.split(path))  # text, label, plus or nothing, text, label, ...
    pattern = re.escape(next(pieces))
    for _label, greedy, text in zip(pieces, pieces, pieces, strict=True):
        pattern += ("(.+)" if greedy else "([^/]+)") + re.escape(text)
    return re.compile(f"{pattern}/?")


def _members(operation: OperationModel) -> dict[tuple[str, str], str]:
    """Return the input's members that are outside of the body, by where they are and under which name."""
    shape: Any = operation.input_shape
    members: dict[tuple[str, str], str] = {}
    for name, member in () if shape is None else shape.members.items():
        place = member.serialization.get("location")
        if place is not None:
            there = member.serialization.get("name", name)
            members[place, there.lower() if place == "header" else there] = name
    return members
