"""A `Request` as an ASGI scope and back, and one exchange of messages with an ASGI application (ASGI 3.0)."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fleece.handlers import _loop
from fleece.handlers._headers import RequestHeaders, names_of
from fleece.handlers._http import Request, Response, check_headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    from fleece.handlers._headers import Names
    from fleece.handlers._http import Headers
    from fleece.handlers._log import RequestLog

    Message: TypeAlias = MutableMapping[str, Any]
    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[Any]]  # each framework has its own types for these

_VERSIONS = {"HTTP/1.0": "1.0", "HTTP/2": "2", "HTTP/2.0": "2", "HTTP/3": "3", "HTTP/3.0": "3"}

_PATH = "/!$&'()*+,;=:@"  # with letters, digits and ``-._~``, what RFC 3986 has in paths as it is


def scope_of(request: Request) -> Scope:
    """Make the scope of a request."""
    path = request.script_name + request.path
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": _VERSIONS.get(request.protocol, "1.1"),
        "method": request.method,
        "scheme": request.scheme,
        "path": path,
        "raw_path": quote(path, safe=_PATH).encode(),
        "root_path": request.script_name,
        "query_string": request.query.encode(),
        "headers": [
            (name, value.encode("latin-1"))
            for name, value in zip(_encoded(request.headers.names), request.headers.column, strict=True)
        ],
        "client": (request.remote_addr, 0),
        "server": (request.server_name, request.server_port),
    }


def request_of(scope: Scope, body: bytes) -> Request:
    """Make the request of a scope, as an application at the end of a chain of middleware sees it."""
    root_path: str = scope.get("root_path", "")
    path: str = scope["path"]
    server_name, server_port = scope.get("server") or ("localhost", 80)
    return Request(
        method=scope["method"],
        path=path.removeprefix(root_path),
        query=scope["query_string"].decode("latin-1"),
        headers=RequestHeaders(
            _decoded(tuple([name for name, _ in scope["headers"]])),
            [value.decode("latin-1") for _, value in scope["headers"]],
        ),
        body=body,
        script_name=root_path,
        remote_addr=(scope.get("client") or ("", 0))[0],
        scheme=scope.get("scheme", "http"),
        server_name=server_name,
        server_port=server_port or 0,
        protocol=f"HTTP/{scope['http_version']}",
    )


@lru_cache(maxsize=64)
def _encoded(names: Names) -> tuple[bytes, ...]:
    return tuple([name.encode("latin-1", "replace") for name in names.lower])


@lru_cache(maxsize=64)
def _decoded(names: tuple[bytes, ...]) -> Names:
    return names_of(tuple([name.decode("latin-1") for name in names]))


async def read_body(receive: Receive) -> bytes:
    """Return the whole body that an ASGI application receives."""
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def send_response(send: Send, response: Response) -> None:
    """Send a whole response as an ASGI application does."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


class Exchange:
    """One request and the response to it, as the two functions that an ASGI application is called with."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: Headers = ()
        self._chunks: list[bytes] = []
        self._complete = asyncio.Event()

    @property
    def response(self) -> Response | None:
        """The response, once it is complete."""
        if not self._complete.is_set():
            return None
        return Response(self._status, self._headers, b"".join(self._chunks))

    async def receive(self) -> Message:
        """Give the application the request's body; after that, say that the client has gone once it has its answer."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._complete.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the response.

        Raises:
            RuntimeError, TypeError: the application breaks ASGI's rules.
        """
        due = None if self._complete.is_set() else "http.response.body" if self._status else "http.response.start"
        if message["type"] != due:
            raise RuntimeError(f"The ASGI application sent {message['type']!r} when {due or 'nothing more'} was due")
        if not self._status:
            self._status, self._headers = _beginning(message)
            return
        self._chunks.append(_chunk(message))
        if not message.get("more_body", False):
            self._complete.set()

    async def hold(self, app: ASGIApp, scope: Scope) -> None:
        """Call the application, to its end."""
        try:
            await app(scope, self.receive, self.send)
        except asyncio.CancelledError as error:  # which would not be taken for an error of the application's
            raise RuntimeError("The ASGI application cancelled itself") from error


def _beginning(message: Message) -> tuple[int, Headers]:
    status = message["status"]
    if not isinstance(status, int) or not 200 <= status <= 999:  # noqa: PLR2004 (three digits, and final)
        raise TypeError(f"An ASGI status is a number such as 200, and not {status!r}")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
    check_headers(headers)
    return int(status), headers


def _chunk(message: Message) -> bytes:
    chunk = message.get("body", b"")
    if not isinstance(chunk, (bytes, bytearray, memoryview)):
        raise TypeError(f"An ASGI body is bytes, and not of type {type(chunk).__name__}")
    return bytes(chunk)


def respond(app: ASGIApp, scope: Scope, body: bytes, log: RequestLog) -> Response:
    """Call an application on this thread's event loop, and gather its whole answer.

    Raises:
        RuntimeError: the application ends without a complete response.
        Exception: what the application raises before its response is complete; what it raises later is logged.
    """
    exchange = Exchange(body)
    try:
        _loop.run(exchange.hold(app, scope))
    except Exception as error:
        if exchange.response is None:
            raise
        log.failed("The application failed after it had answered", error)
    if exchange.response is None:
        raise RuntimeError("The ASGI application ended without a complete response")
    return exchange.response
