"""One HTTP request and one HTTP response, as plain values: what every event and every framework is translated to."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from fleece.handlers._headers import NO_HEADERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from fleece.handlers._headers import RequestHeaders

    Headers: TypeAlias = Sequence[tuple[str, str]]


class Request(NamedTuple):
    """An HTTP request whose body has arrived.

    `path` is decoded text and starts with a slash; `script_name` (``/prod``) precedes it in the URL and is empty or
    starts with a slash. `query` is percent-encoded ASCII.
    """

    method: str
    path: str
    query: str = ""
    headers: RequestHeaders = NO_HEADERS
    body: bytes = b""
    script_name: str = ""
    remote_addr: str = ""
    scheme: str = "https"
    server_name: str = "localhost"
    server_port: int = 443
    protocol: str = "HTTP/1.1"


class Response(NamedTuple):
    """An HTTP response. Header values hold bytes as text, one character for each (latin-1)."""

    status: int
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first value of the header of that lower-case name, nothing when there is none."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return ""


def check_headers(headers: list[tuple[Any, Any]]) -> None:
    """Check the headers that an application sets.

    Raises:
        TypeError: one is no name and value of one line each, which would let whoever wrote it add headers of his own.
    """
    text = ""
    try:
        for name, value in headers:
            text += name + value
        is_fine = _is_one_line(text)
    except (TypeError, ValueError):
        is_fine = False
    if not is_fine:
        raise TypeError(f"Headers are a list of names and texts, each of one line; wrong here: {_wrong(headers)}")


def _wrong(headers: list[Any]) -> str:
    """Name the headers that are wrong, without their values: these may be secrets, and errors are logged."""
    return ", ".join(_name(header) for header in headers if _is_wrong(header))


def _name(header: Any) -> str:
    return repr(header[0]) if isinstance(header, (list, tuple)) and header else type(header).__name__


def _is_wrong(header: Any) -> bool:
    match header:
        case (str(name), str(value)):
            return not _is_one_line(name + value)
        case _:
            return True


def _is_one_line(text: str) -> bool:
    return "\n" not in text and "\r" not in text and "\0" not in text


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
