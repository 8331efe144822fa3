"""The last step from an event to a `Request`: what the readers found is checked, and completed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fleece.handlers._http import Request
from fleece.handlers._parts import BadRequestError, is_text, text

if TYPE_CHECKING:
    from fleece.handlers._headers import RequestHeaders

_METHOD = re.compile(r"[A-Z][A-Z0-9!#$%&'*+.^_`|~-]*")
_PORTS = {"http": 80, "https": 443}
_PORT_DIGITS = 6


def assemble(
    method: str,
    script_name_and_path: tuple[str, str],
    query: str,
    headers: RequestHeaders,
    body: bytes,
    *,
    remote_addr: str,
    scheme: str = "https",
    server_name: str = "",
    protocol: str = "",
) -> Request:
    """Make a request of its parts, and fill in what HTTP promises and events leave out.

    Raises:
        BadRequestError: there is no method, or the path is no text.
    """
    method = _checked(method)
    script_name, path = script_name_and_path
    if not is_text(script_name + path):
        raise BadRequestError("The path is not valid text")
    if "transfer-encoding" in headers.names.last:
        headers = headers.without("transfer-encoding")
    if body or "content-length" in headers.names.last:
        headers = headers.with_value("content-length", str(len(body)))
    # Both are written by the sender of the event, over what the client sent.
    forwarded = headers.last_value("x-forwarded-proto").lower()
    scheme = forwarded if forwarded in _PORTS else scheme
    return Request(
        method,
        path if path.startswith("/") else f"/{path}",
        query,
        headers,
        body,
        script_name,
        remote_addr,
        scheme,
        server_name or "localhost",
        _port(headers.last_value("x-forwarded-port")) or _PORTS[scheme],
        protocol or "HTTP/1.1",
    )


@lru_cache(maxsize=64)
def _checked(method: str) -> str:
    method = method.upper()
    if not _METHOD.fullmatch(method):
        raise BadRequestError("The event has no HTTP method")
    return method


@lru_cache(maxsize=64)
def _port(digits: str) -> int | None:
    return int(digits) if digits.isdecimal() and len(digits) < _PORT_DIGITS else None


def host_of(context: dict[str, Any], headers: RequestHeaders) -> str:
    """Return the host, without a port, that the request context names, or else the ``Host`` header."""
    # AWS's domain names have no port; those of its local gateway, in AWS SAM, have.
    return without_port(text(context, "domainName") or headers.last_value("host"))


def without_port(address: str) -> str:
    """Return ``host`` of ``host:1234``, ``::1`` of ``[::1]:1234``, and anything else as it is."""
    if ":" not in address:
        return address
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
