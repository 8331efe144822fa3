"""From a Lambda event to a `Request`: pure functions, with no framework imported.

`kind_of` recognises who sent the event, `read_request` translates it. Both look at the event only.

Sources: AWS's pages on "Lambda proxy integrations" (REST APIs), "AWS Lambda proxy integrations for HTTP APIs", "Lambda
function URLs", and "Lambda functions as targets" (load balancers).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from fleece.handlers import _yoke
from fleece.handlers._assemble import assemble, host_of, without_port
from fleece.handlers._http import latin_1
from fleece.handlers._parts import body, decoded, encoded, form_encoded, headers, mapping, pairs, text, texts
from fleece.handlers._paths import split_before_route, split_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._headers import RequestHeaders
    from fleece.handlers._http import Request

Event = dict[str, Any]


class Kind(str, Enum):  # `str` for its hash: an enumeration's own is a Python function, called for each look-up
    """Who sent the event."""

    REST = "API Gateway's REST APIs"
    HTTP_1 = "HTTP APIs with payload 1.0"
    HTTP_2 = "HTTP APIs with payload 2.0"
    FUNCTION_URL = "function URLs"
    ALB = "load balancers"
    ALB_MULTI_VALUE = "load balancers with multi-value headers"
    YOKE = "yoke's request template"


# As names of their own, because until Python 3.12 each attribute of an enumeration is a function's call.
_REST, _HTTP_1, _HTTP_2, _FUNCTION_URL, _ALB, _ALB_MULTI_VALUE, _YOKE = Kind


def kind_of(event: Any) -> Kind:
    """Recognise the event of an HTTP request.

    Raises:
        ValueError: the event is of none of the kinds above.
    """
    if isinstance(event, dict) and event.get("type") != "REQUEST":  # that is an authorizer's, and otherwise alike
        context = event.get("requestContext")
        if isinstance(context, dict):
            if "elb" in context:
                return _ALB_MULTI_VALUE if "multiValueHeaders" in event else _ALB
            if "http" in context and event.get("version") == "2.0":
                return _FUNCTION_URL if ".lambda-url." in str(context.get("domainName")) else _HTTP_2
            if "httpMethod" in event:
                return _HTTP_1 if event.get("version") == "1.0" else _REST
        if _yoke.recognises(event):
            return _YOKE
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
    return _READERS[kind](kind, event, base_path)


def _description(event: Any) -> str:
    if not isinstance(event, dict):
        return f"of type {type(event).__name__}"
    names = ", ".join(sorted(map(str, event))[:8])
    return f"a dict with the keys {names}" if names else "an empty dict"


def _read_payload_1(kind: Kind, event: Event, base_path: str | None) -> Request:
    """Read what REST APIs send, and HTTP APIs when they are asked for payload 1.0."""
    context = event["requestContext"]  # an object, as `kind_of` has seen
    received = headers(event, "multiValueHeaders", "headers")
    host = host_of(context, received)
    path = text(event, "path")
    if kind is _REST:
        path = decoded(path)
    return assemble(
        text(event, "httpMethod"),
        _split(kind, event, path, host, "resource", base_path),
        # Arrives decoded.
        form_encoded(pairs(event, "multiValueQueryStringParameters", "queryStringParameters")),
        received,
        body(event),
        remote_addr=text(mapping(context, "identity"), "sourceIp"),
        server_name=host,
        protocol=text(context, "protocol"),
    )


def _read_payload_2(kind: Kind, event: Event, base_path: str | None) -> Request:
    """Read what HTTP APIs send by default, and function URLs always."""
    context = event["requestContext"]
    http = mapping(context, "http")
    received = headers(event, "", "headers")
    cookies = texts(event, "cookies")
    if cookies:
        received = received.with_value("cookie", latin_1("; ".join(cookies)))
    host = host_of(context, received)
    path = text(event, "rawPath")
    if kind is _FUNCTION_URL:
        path = decoded(path)
    return assemble(
        text(http, "method"),
        _split(kind, event, path, host, "routeKey", base_path),
        # The map beside it joins repeated names with commas, and cannot be taken apart again.
        encoded(text(event, "rawQueryString")),
        received,
        body(event),
        remote_addr=text(http, "sourceIp"),
        server_name=host,
        protocol=text(http, "protocol"),
    )


def _read_balancer(_kind: Kind, event: Event, base_path: str | None) -> Request:
    received = headers(event, "multiValueHeaders", "headers")
    query = pairs(event, "multiValueQueryStringParameters", "queryStringParameters")
    return assemble(
        text(event, "httpMethod"),
        split_prefix(decoded(text(event, "path")), base_path or ""),
        encoded("&".join([f"{name}={value}" for name, value in query])),  # both arrive encoded
        received,
        body(event),
        remote_addr=_balancers_client(received),
        scheme="http",
        # And no name of the server: the event has none but `Host`, which is whatever the client wrote.
    )


_READERS: dict[Kind, Callable[[Kind, Event, str | None], Request]] = {
    _REST: _read_payload_1,
    _HTTP_1: _read_payload_1,
    _HTTP_2: _read_payload_2,
    _FUNCTION_URL: _read_payload_2,
    _ALB: _read_balancer,
    _ALB_MULTI_VALUE: _read_balancer,
    _YOKE: lambda _kind, event, base_path: _yoke.read(event, base_path),
}


def _split(kind: Kind, event: Event, path: str, host: str, route_in: str, base_path: str | None) -> tuple[str, str]:
    """Split the path of an API Gateway event into what belongs to the deployment, and what to the application."""
    if base_path is not None:
        return split_prefix(path, base_path)
    if kind is _FUNCTION_URL:
        return "", path
    stage = text(event["requestContext"], "stage").replace("$default", "")  # which is no name
    if ".execute-api." not in host:
        # ``routeKey`` has the method before the path, ``resource`` has not.
        route = text(event, route_in).rpartition(" ")[2]
        script_name, rest = split_before_route(path, route, mapping(event, "pathParameters"))
        if kind is _HTTP_2 and (script_name == f"/{stage}" or not route.startswith("/")):
            # Its path has a named stage on every domain, but the URLs of a custom one have none.
            return "", split_prefix(path, stage)[1]
        return script_name, rest
    if kind is _REST:
        return (f"/{stage}" if stage else ""), path  # which has no stage in it, unlike an HTTP API's
    return split_prefix(path, stage)


def _balancers_client(received: RequestHeaders) -> str:
    """Return the address that the load balancer saw: it appends it to whatever the client claimed."""
    return without_port(received.last_value("x-forwarded-for").rpartition(",")[2].strip())
