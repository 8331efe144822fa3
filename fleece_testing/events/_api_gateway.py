"""Events of API Gateway's REST and HTTP APIs, and of function URLs, which speak payload 2.0 as well.

The functions here say what is where in the path; the rest of each event is in `_payloads`.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_mapping, checked_text, checked_texts
from fleece_testing.events._payloads import EXECUTE_API, FUNCTION_URL, SOURCE_IP, payload_1, payload_2, short_id
from fleece_testing.events._request import Event, Headers, HTTPRequest, Query, match_route

if TYPE_CHECKING:
    from collections.abc import Mapping

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


def rest(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    route: str | None = None,
    stage: str = "prod",
    domain: str = EXECUTE_API,
    base_path: str = "",
    authorizer: Mapping[str, Any] | None = None,
    stage_variables: Mapping[str, str] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
) -> Event:
    """Build the event of a REST API's Lambda proxy integration.

    Args:
        method: the HTTP method.
        path: the path, as in a URL; it may end with a query.
        query: see `fleece_testing.events.request`.
        headers: see there.
        body: see there; bytes arrive base64-encoded, as with binary media types configured.
        route: the resource, such as ``/users/{id}``. Default: ``/{proxy+}``.
        stage: the stage, which is not part of the event's path.
        domain: the host name; another one than API Gateway's own is a custom domain.
        base_path: the base path mapping of a custom domain, which is part of the event's path.
        authorizer: what the authorizer gave.
        stage_variables: the stage's variables.
        source_ip: the client's address.
        request_id: default: a new one.

    Examples:
        >>> rest("GET", "/users/1", route="/users/{id}")["pathParameters"]
        {'id': '1'}
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers, body=body)
    whole = _prefixed(base_path, sent.path)
    in_url = whole if base_path or domain != EXECUTE_API else _prefixed(stage, whole)
    return payload_1(
        sent,
        path=whole,
        parameters_from=sent.path,
        route=route,
        domain=domain,
        source_ip=source_ip,
        stage_variables=stage_variables,
        is_http_api=False,
        context={
            "httpMethod": sent.method,
            "path": in_url,
            "stage": stage,
            "requestId": request_id or str(uuid.uuid4()),
            **({} if authorizer is None else {"authorizer": checked_mapping("authorizer", authorizer)}),
        },
    )


def http_1(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    route: str | None = None,
    stage: str = "$default",
    domain: str = EXECUTE_API,
    base_path: str = "",
    authorizer: Mapping[str, Any] | None = None,
    stage_variables: Mapping[str, str] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
) -> Event:
    """Build the event of an HTTP API with payload 1.0; the arguments are those of `rest`.

    The path arrives decoded, and begins with the stage, unless that is ``$default``. Header names arrive in lower case.

    Examples:
        >>> http_1("GET", "/users/1")["version"]
        '1.0'
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers, body=body)
    whole = _prefixed(_stage_prefix(stage, domain) or base_path, sent.decoded_path)
    event = payload_1(
        sent,
        path=whole,
        parameters_from=sent.decoded_path,
        route=route,
        domain=domain,
        source_ip=source_ip,
        stage_variables=stage_variables,
        is_http_api=True,
        context={
            "httpMethod": sent.method,
            "path": whole,
            "stage": stage,
            "requestId": request_id or short_id(),
            **({} if authorizer is None else {"authorizer": checked_mapping("authorizer", authorizer)}),
        },
    )
    return {"version": "1.0", **event}


def http(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    route: str | None = None,
    stage: str = "$default",
    domain: str = EXECUTE_API,
    base_path: str = "",
    authorizer: Mapping[str, Any] | None = None,
    stage_variables: Mapping[str, str] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
) -> Event:
    """Build the event of an HTTP API with payload 2.0; the arguments are those of `rest`.

    The path arrives decoded, and begins with the stage, unless that is ``$default``. Without a `route` it is the API's
    ``$default`` one. The authorizer is what API Gateway puts there: ``{"jwt": {...}}``, ``{"lambda": {...}}``,
    ``{"iam": {...}}``.

    Examples:
        >>> http("GET", "/users/1", stage="prod")["rawPath"]
        '/prod/users/1'
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers, body=body)
    parameters = match_route(route, sent.decoded_path) if route else {}
    event = payload_2(
        sent,
        path=_prefixed(_stage_prefix(stage, domain) or base_path, sent.decoded_path),
        route_key=f"{sent.method} {route}" if route else "$default",
        domain=domain,
        stage=stage,
        source_ip=source_ip,
        request_id=request_id or short_id(),
        authorizer=authorizer,
    )
    if parameters:
        event["pathParameters"] = parameters
    if stage_variables:
        event["stageVariables"] = checked_texts("stage_variables", stage_variables)
    return event


def function_url(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    domain: str = FUNCTION_URL,
    authorizer: Mapping[str, Any] | None = None,
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
) -> Event:
    """Build the event of a function URL; the arguments are those of `rest`. The path arrives encoded.

    Examples:
        >>> function_url("GET", "/users/1")["requestContext"]["http"]["path"]
        '/users/1'
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers, body=body)
    return payload_2(
        sent,
        path=sent.path,
        route_key="$default",
        domain=domain,
        stage="$default",
        source_ip=source_ip,
        request_id=request_id or str(uuid.uuid4()),
        authorizer=authorizer,
    )


def _prefixed(prefix: str, path: str) -> str:
    prefix = checked_text("stage or base_path", prefix).strip("/")
    return f"/{prefix}{path}" if prefix else path


def _stage_prefix(stage: str, domain: str) -> str:
    return stage if stage != "$default" and ".execute-api." in checked_text("domain", domain) else ""
