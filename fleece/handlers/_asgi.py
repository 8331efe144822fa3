"""A `Request` as an ASGI scope and back, and one exchange of messages with an ASGI application (ASGI 3.0)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fleece.handlers._http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    Message: TypeAlias = MutableMapping[str, Any]
    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def scope_of(request: Request) -> Scope:
    """Make the scope of a request."""
    path = request.script_name + request.path
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.protocol.rpartition("/")[2],
        "method": request.method,
        "scheme": request.scheme,
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": request.script_name,
        "query_string": request.query.encode(),
        "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1")) for name, value in request.headers],
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
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
        script_name=root_path,
        remote_addr=(scope.get("client") or ("", 0))[0],
        scheme=scope.get("scheme", "http"),
        server_name=server_name,
        server_port=server_port or 0,
        protocol=f"HTTP/{scope['http_version']}",
    )


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
        self._start: Message | None = None
        self._chunks: list[bytes] = []
        self._complete = asyncio.Event()

    @property
    def response(self) -> Response | None:
        """The response, once it is complete."""
        if self._start is None or not self._complete.is_set():
            return None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start.get("headers", ())]
        return Response(self._start["status"], headers, b"".join(self._chunks))

    async def receive(self) -> Message:
        """Give the application the request's body; after that, say that the client has gone once it has its answer."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._complete.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the response."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._complete.set()
