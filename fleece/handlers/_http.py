"""One HTTP request and one HTTP response, as plain values: what every event and every framework is translated to."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeAlias

    Headers: TypeAlias = Sequence[tuple[str, str]]

_BREAK = re.compile(r"[\r\n\0]")


class Request(NamedTuple):
    """An HTTP request whose body has arrived.

    Header names are in lower case; header values hold bytes as text, one character for each (latin-1), as WSGI and
    ASGI do. `path` is decoded text and starts with a slash; `script_name` (``/prod``) precedes it in the URL and is
    empty or starts with a slash. `query` is percent-encoded ASCII.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    script_name: str = ""
    remote_addr: str = ""
    scheme: str = "https"
    server_name: str = "localhost"
    server_port: int = 443
    protocol: str = "HTTP/1.1"

    def header(self, name: str) -> str | None:
        """Return the first value of the header of that lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


class Response(NamedTuple):
    """An HTTP response. Header values hold bytes as text, one character for each (latin-1)."""

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of the header of that lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def check_headers(headers: Iterable[tuple[Any, Any]]) -> None:
    """Check the headers that an application sets.

    Raises:
        TypeError: one is no name and value of one line each, which would let whoever wrote it add headers of his own.
    """
    for name, value in headers:
        if not isinstance(name, str) or not isinstance(value, str) or _BREAK.search(f"{name}{value}"):
            raise TypeError(f"A header is a name and a text of one line, and not {name!r}, {value!r}")


def phrase(status: int) -> str:
    """Return what HTTP calls a status: ``Not Found`` for 404, nothing for a number that has no name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def problem(status: int, detail: str | None = None) -> Response:
    """Make an error response in the form of RFC 9457 (``application/problem+json``)."""
    document = {"type": "about:blank", "title": phrase(status), "status": status}
    if detail:
        document["detail"] = detail
    return Response(status, [("content-type", "application/problem+json")], json.dumps(document).encode())


def latin_1(text: str) -> str:
    """Return `text` as WSGI wants it: one character for each byte of its UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
