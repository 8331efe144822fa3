"""From a Lambda event to a `Request`: pure functions, with no framework imported.

`kind_of` recognises who sent the event, `read_request` translates it. Both look at the event only.

Sources: AWS's pages on "Lambda proxy integrations" (REST APIs), "AWS Lambda proxy integrations for HTTP APIs", "Lambda
function URLs", and "Lambda functions as targets" (load balancers).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fleece.handlers import _yoke
from fleece.handlers._http import Request, latin_1
from fleece.handlers._parts import BadRequestError, body, encoded, form_encoded, mapping, pairs, text, texts
from fleece.handlers._paths import split_before_route, split_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._http import Headers

Event = dict[str, Any]

_METHOD = re.compile(r"[A-Z][A-Z-]*")
_PORTS = {"http": 80, "https": 443}
_PORT_DIGITS = 6


class Kind(Enum):
    """Who sent the event."""

    REST = "API Gateway's REST APIs"
    HTTP_1 = "HTTP APIs with payload 1.0"
    HTTP_2 = "HTTP APIs with payload 2.0"
    FUNCTION_URL = "function URLs"
    ALB = "load balancers"
    ALB_MULTI_VALUE = "load balancers with multi-value headers"
    YOKE = "yoke's request template"


def kind_of(event: Any) -> Kind:
    """Recognise the event of an HTTP request.

    Raises:
        ValueError: the event is of none of the kinds above.
    """
    if isinstance(event, dict) and event.get("type") != "REQUEST":  # that is an authorizer's, and otherwise alike
        context = event.get("requestContext")
        if isinstance(context, dict):
            if "elb" in context:
                return Kind.ALB_MULTI_VALUE if "multiValueHeaders" in event else Kind.ALB
            if "http" in context and event.get("version") == "2.0":
                return Kind.FUNCTION_URL if ".lambda-url." in str(context.get("domainName")) else Kind.HTTP_2
            if "httpMethod" in event:
                return Kind.HTTP_1 if event.get("version") == "1.0" else Kind.REST
        if _yoke.recognises(event):
            return Kind.YOKE
    raise ValueError(
        f"The event is no HTTP request of a kind that fleece knows ({', '.join(kind.value for kind in Kind)}): "
        f"it is {_description(event)}"
    )


def read_request(kind: Kind, event: Event, base_path: str | None = None) -> Request:
    """Translate an event of the kind that `kind_of` said.

    Args:
        kind: what `kind_of` said.
        event: the event.
        base_path: ``/v1``, the part of the path that belongs to the deployment and not to the application. By default
            it is found from the stage and the route.

    Raises:
        BadRequestError: a part of the event has a wrong type or content.
    """
    return _completed(_READERS[kind](kind, event, base_path))


def _description(event: Any) -> str:
    if not isinstance(event, dict):
        return f"of type {type(event).__name__}"
    names = ", ".join(sorted(map(str, event))[:8])
    return f"a dict with the keys {names}" if names else "an empty dict"


def _read_payload_1(kind: Kind, event: Event, base_path: str | None) -> Request:
    """Read what REST APIs send, and HTTP APIs when they are asked for payload 1.0."""
    context = mapping(event, "requestContext")
    received = pairs(event, "multiValueHeaders", "headers")
    host = text(context, "domainName") or _first(received, "host")
    path = text(event, "path")
    if kind is Kind.REST:
        path = unquote(path)
    script_name, path = _split(kind, event, path, host, text(event, "resource"), base_path)
    return Request(
        method=text(event, "httpMethod"),
        script_name=script_name,
        path=path,
        query=form_encoded(pairs(event, "multiValueQueryStringParameters", "queryStringParameters")),
        headers=received,
        body=body(event),
        remote_addr=text(mapping(context, "identity"), "sourceIp"),
        server_name=host,
        protocol=text(context, "protocol"),
    )


def _read_payload_2(kind: Kind, event: Event, base_path: str | None) -> Request:
    """Read what HTTP APIs send by default, and function URLs always."""
    context = mapping(event, "requestContext")
    http = mapping(context, "http")
    received = pairs(event, "", "headers")
    cookies = texts(event, "cookies")
    if cookies:
        received.append(("cookie", "; ".join(cookies)))
    host = text(context, "domainName") or _first(received, "host")
    path = text(event, "rawPath")
    if kind is Kind.FUNCTION_URL:
        path = unquote(path)
    script_name, path = _split(kind, event, path, host, text(event, "routeKey").partition(" ")[2], base_path)
    return Request(
        method=text(http, "method"),
        script_name=script_name,
        path=path,
        # The map beside it joins repeated names with commas, and cannot be taken apart again.
        query=encoded(text(event, "rawQueryString")),
        headers=received,
        body=body(event),
        remote_addr=text(http, "sourceIp"),
        server_name=host,
        protocol=text(http, "protocol"),
    )


def _read_balancer(_kind: Kind, event: Event, base_path: str | None) -> Request:
    received = pairs(event, "multiValueHeaders", "headers")
    query = pairs(event, "multiValueQueryStringParameters", "queryStringParameters")
    script_name, path = split_prefix(unquote(text(event, "path")), base_path or "")
    return Request(
        method=text(event, "httpMethod"),
        script_name=script_name,
        path=path,
        query=encoded("&".join(f"{name}={value}" for name, value in query)),  # both arrive encoded
        headers=received,
        body=body(event),
        remote_addr=_balancers_client(received),
        scheme="http",
        server_name=_first(received, "host"),
    )


def _read_yoke(_kind: Kind, event: Event, base_path: str | None) -> Request:
    request = _yoke.read(event)
    script_name, path = split_prefix(request.path, base_path or "")
    return request._replace(script_name=script_name, path=path, server_name=_first(request.headers, "host"))


_READERS: dict[Kind, Callable[[Kind, Event, str | None], Request]] = {
    Kind.REST: _read_payload_1,
    Kind.HTTP_1: _read_payload_1,
    Kind.HTTP_2: _read_payload_2,
    Kind.FUNCTION_URL: _read_payload_2,
    Kind.ALB: _read_balancer,
    Kind.ALB_MULTI_VALUE: _read_balancer,
    Kind.YOKE: _read_yoke,
}


def _split(kind: Kind, event: Event, path: str, host: str, route: str, base_path: str | None) -> tuple[str, str]:
    """Split the path of an API Gateway event into what belongs to the deployment, and what to the application."""
    if base_path is not None:
        return split_prefix(path, base_path)
    if kind is Kind.FUNCTION_URL:
        return "", path
    if ".execute-api." not in host:
        return split_before_route(path, route, mapping(event, "pathParameters"))
    stage = text(mapping(event, "requestContext"), "stage")
    if kind is Kind.REST:
        return (f"/{stage}" if stage else ""), path  # which has no stage in it, unlike an HTTP API's
    return split_prefix(path, "" if stage == "$default" else stage)


def _completed(request: Request) -> Request:
    """Check the method, put the headers in form, and fill in what HTTP promises and events leave out."""
    method = request.method.upper()
    if not _METHOD.fullmatch(method):
        raise BadRequestError("The event has no HTTP method")
    scheme, port = request.scheme, ""
    received = []
    for spelling, text_value in request.headers:
        name = spelling.lower()
        value = text_value if text_value.isascii() else latin_1(text_value)
        if name == "x-forwarded-proto":  # written by the sender of the event over what the client sent, as the next
            scheme = value.lower() if value.lower() in _PORTS else scheme
        elif name == "x-forwarded-port":
            port = value
        elif name in {"content-length", "transfer-encoding"}:
            continue
        received.append((name, value))
    if request.body:
        received.append(("content-length", str(len(request.body))))
    path = request.path
    return Request(
        method,
        path if path.startswith("/") else f"/{path}",
        request.query,
        received,
        request.body,
        request.script_name,
        request.remote_addr,
        scheme,
        _without_port(request.server_name) or "localhost",
        int(port) if port.isdecimal() and len(port) < _PORT_DIGITS else _PORTS[scheme],
        request.protocol or "HTTP/1.1",
    )


def _first(received: Headers, name: str) -> str:
    return next((value for key, value in received if key.lower() == name), "")


def _balancers_client(received: Headers) -> str:
    """Return the address that the load balancer saw: it appends it to whatever the client claimed."""
    claims = ",".join(value for name, value in received if name.lower() == "x-forwarded-for")
    return _without_port(claims.rpartition(",")[2].strip())


def _without_port(address: str) -> str:
    """Return ``host`` of ``host:1234``, ``::1`` of ``[::1]:1234``, and anything else as it is."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
