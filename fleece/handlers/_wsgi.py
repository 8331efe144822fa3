"""A `Request` as a WSGI environ and back, and a WSGI application's answer as a `Response` (PEP 3333)."""

from __future__ import annotations

import io
import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fleece.handlers._http import Request, Response, check_headers, latin_1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import TypeAlias
    from wsgiref.types import WSGIApplication, WSGIEnvironment  # Python 3.11's, for mypy alone

    from fleece.handlers._headers import Names, RequestHeaders

    ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
    Headers: TypeAlias = list[tuple[str, str]]

_STATUS = re.compile(r"[2-9][0-9]{2}(?![^ ])")  # those below 200 are not final
_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(request: Request) -> WSGIEnvironment:
    """Make the environ of a request."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": latin_1(request.script_name),
        "PATH_INFO": latin_1(request.path),
        "QUERY_STRING": request.query,
        "REMOTE_ADDR": request.remote_addr,
        "SERVER_NAME": request.server_name,
        "SERVER_PORT": str(request.server_port),
        "SERVER_PROTOCOL": request.protocol,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update(_variables(request.headers))
    environ.pop("", None)
    return environ


def _variables(headers: RequestHeaders) -> Iterable[tuple[str, str]]:
    """Return the headers under their names in the environ, each with its values joined."""
    if headers.names.are_unique:
        return zip(_keys(headers.names), headers.column)  # noqa: B905 (equally long)
    # Between cookies, a comma would be part of the value before it.
    return [(_key(name), ("; " if name == "cookie" else ",").join(values)) for name, values in headers.items()]


@lru_cache(maxsize=64)
def _keys(names: Names) -> tuple[str, ...]:
    return tuple([_key(name) for name in names.lower])


@lru_cache(maxsize=512)
def _key(header: str) -> str:
    """Return the name of a header in the environ, or nothing for one that must not get there.

    ``X_Real_Ip`` would become the same as ``X-Real-Ip``: such names are for forging what a proxy has set.
    """
    return "" if "_" in header else _UNPREFIXED.get(header) or f"HTTP_{header.upper().replace('-', '_')}"


@lru_cache(maxsize=64)
def _code(status: Any) -> int:
    """Return the number of a status line."""
    if not isinstance(status, str) or not _STATUS.match(status):
        raise TypeError(f"A WSGI status is a text such as '200 OK', and not {status!r}")
    return int(status[:3])


def respond(app: WSGIApplication, environ: WSGIEnvironment) -> Response:
    """Call an application and gather its whole answer.

    Nothing leaves before the end, so an application may replace what it has started as often as it likes, if only it
    gives its reason (``exc_info``).

    Raises:
        RuntimeError, TypeError: the application breaks WSGI's rules.
        Exception: what the application raises.
    """
    started: tuple[int, Headers] | None = None
    chunks: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: ExcInfo | None = None) -> Callable[[bytes], object]:
        nonlocal started
        if started is not None and exc_info is None:
            raise RuntimeError("The WSGI application called start_response twice, without exc_info")
        kept = [*headers]  # they are read more than once, and may be an iterator
        check_headers(kept)
        started = _code(status), kept
        chunks.clear()
        return chunks.append

    iterable = app(environ, start_response)
    try:
        for chunk in iterable:
            chunks.append(chunk)  # noqa: PERF402 (write() may append in between)
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    if started is None:
        raise RuntimeError("The WSGI application never called start_response")
    return Response(*started, b"".join(chunks))
