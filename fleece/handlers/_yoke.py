"""Events made by the request template that the yoke tool puts in front of a function in API Gateway.

Its parts::

    operation
    rawContext   httpMethod, identity.sourceIp, ...
    parameters
      gateway    resource-path, http-method, stage, ...
      request    header, querystring, path (all single-valued), body (decoded JSON)
      requestor  source-ip, ...
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fleece.handlers._assemble import assemble, host_of
from fleece.handlers._parts import form_encoded, headers, mapping, pairs, text
from fleece.handlers._paths import expand, split_prefix

if TYPE_CHECKING:
    from fleece.handlers._http import Request

_WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS")


def recognises(event: dict[str, Any]) -> bool:
    """Whether the event was made by the template."""
    parameters = event.get("parameters")
    return isinstance(parameters, dict) and "gateway" in parameters and "request" in parameters


def read(event: dict[str, Any], base_path: str | None = None) -> Request:
    """Translate the event.

    Raises:
        BadRequestError: a part has a type that the template never gives it.
    """
    context = mapping(event, "rawContext")
    parameters = mapping(event, "parameters")
    gateway = mapping(parameters, "gateway")
    request = mapping(parameters, "request")
    requestor = mapping(parameters, "requestor")
    method = text(context, "httpMethod") or text(gateway, "http-method")
    path = expand(text(gateway, "resource-path"), dict(pairs(request, "", "path")))
    received = headers(request, "", "header")
    return assemble(
        method,
        split_prefix(path, base_path or ""),
        form_encoded(pairs(request, "", "querystring")),
        received,
        _body(request.get("body"), method),
        remote_addr=text(mapping(context, "identity"), "sourceIp") or text(requestor, "source-ip"),
        server_name=host_of({}, received),
    )


def _body(value: Any, method: str) -> bytes:
    # Where the client sent nothing, the template says "" or {}: only a method that has a body can mean that {}.
    if value is None or value == "" or (value == {} and method.upper() in _WITHOUT_BODY):
        return b""
    return json.dumps(value).encode()
