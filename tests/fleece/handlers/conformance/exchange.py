"""What the table is played with: the event of a case, applications that note what they see, and the comparison.

Nothing here imports a framework, so that `peers.py` can play the same table with other adapters.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from fleece_testing import events
from fleece_testing._api_response import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ADDRESS = "192.0.2.1"  # what the builders call the client
# What the services in front of Lambda write themselves.
_ADDED = {"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "content-length"}


class Seen(NamedTuple):
    """What an application sees of a request."""

    method: str
    path: str
    root: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    length: str
    address: str
    scheme: str


class Received(NamedTuple):
    """What the client gets."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes


def event_of(case: Any, kind: str) -> dict[str, Any]:
    """Build the event that the case's request becomes, as JSON brings it to Lambda."""
    body = (json.loads(case.body) if kind == "yoke" else case.body) if case.body else None
    options = {**case.options.get(kind, {})}
    if kind.startswith("alb"):
        options["scheme"] = "https"
    event = events.request(case.method, case.target, headers=case.headers, body=body, kind=kind, **options)
    return dict(json.loads(json.dumps(event)))


def must_see(case: Any, kind: str) -> Seen:
    """Return what the application must see of the case."""
    differs = case.differs.get(kind, {})
    body = differs.get("body", case.sent)
    return Seen(
        method=case.method,
        path=differs.get("path", case.path),
        root=case.root.get(kind, ""),
        query=list(differs.get("query", case.query)),
        headers=_headers(differs.get("headers", case.headers)),
        body=body,
        length=str(len(body)) if body else "",
        address=ADDRESS,
        scheme="https",
    )


def must_receive(case: Any) -> Received:
    """Return what the client must get of the case's answer."""
    return Received(
        status=case.status,
        headers=_headers(case.answer_headers),
        cookies=[value for name, value in case.answer_headers if name == "Set-Cookie"],
        body=case.answer,
    )


def received(kind: str, event: Any, answer: Any) -> Received:
    """Return what becomes of a handler's answer on its way to the client."""
    response = read_answer(kind, event, answer)
    headers = [(name, value) for name, value in response.headers if name.lower() != "set-cookie"]
    return Received(response.status, _headers(headers), response.headers.getlist("Set-Cookie"), response.content)


def wsgi_application(case: Any, seen: list[Seen]) -> Callable[..., Iterable[bytes]]:
    """Make a WSGI application that notes what it sees and gives the case's answer."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        seen.append(seen_of_environ(environ, environ["wsgi.input"].read(length)))
        start_response(f"{case.status} {HTTPStatus(case.status).phrase}", list(case.answer_headers))
        return [case.answer] if case.answer else []

    return application


def seen_of_environ(environ: dict[str, Any], body: bytes) -> Seen:
    """Return what a WSGI application sees."""
    named = ((name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_"))
    # Some servers have it twice, which wsgiref's validator refuses.
    headers = [(name, value) for name, value in named if name != "CONTENT-TYPE"]
    if environ.get("CONTENT_TYPE"):
        headers.append(("content-type", environ["CONTENT_TYPE"]))
    return Seen(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        root=environ.get("SCRIPT_NAME", ""),
        query=parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        headers=_headers(headers),
        body=body,
        length=_length(environ.get("CONTENT_LENGTH", "")),
        address=environ.get("REMOTE_ADDR", ""),
        scheme=environ["wsgi.url_scheme"],
    )


def asgi_application(case: Any, seen: list[Seen]) -> Callable[..., Any]:
    """Make an ASGI application that notes what it sees and gives the case's answer."""

    async def application(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        seen.append(seen_of_scope(scope, body))
        headers = [(name.lower().encode(), value.encode()) for name, value in case.answer_headers]
        await send({"type": "http.response.start", "status": case.status, "headers": headers})
        await send({"type": "http.response.body", "body": case.answer})

    return application


def seen_of_scope(scope: Any, body: bytes) -> Seen:
    """Return what an ASGI application sees."""
    root = scope.get("root_path", "")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return Seen(
        method=scope["method"],
        path=scope["path"].removeprefix(root),
        root=root,
        query=parse_qsl(scope["query_string"].decode(), keep_blank_values=True),
        headers=_headers(headers),
        body=body,
        length=_length(dict(headers).get("content-length", "")),
        address=(scope.get("client") or ("",))[0],
        scheme=scope["scheme"],
    )


def differences(case: Any, kind: str, seen: list[Seen], got: Received | None) -> list[str]:
    """Say in a line each where an exchange was not as the case says.

    Args:
        case: the case.
        kind: the kind of event.
        seen: what the application noted, once for each call of it.
        got: what the client got; ``None`` where that is not looked at.
    """
    if len(seen) != 1:
        return [f"the application was called {len(seen)} times"]
    found = list(_unequal("sees", seen[0], must_see(case, kind)))
    if kind not in case.root:
        found = [line for line in found if not line.startswith("sees root ")]
    return found + (list(_unequal("client gets", got, must_receive(case))) if got else [])


def _unequal(who: str, found: Any, wanted: Any) -> Iterable[str]:
    for name in wanted._fields:
        was, must = getattr(found, name), getattr(wanted, name)
        if was != must:
            if isinstance(must, dict):
                was, must = (dict(sorted(one.items() - two.items())) for one, two in ((was, must), (must, was)))
            yield f"{who} {name} {_short(was)} instead of {_short(must)}"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."


def _length(value: str) -> str:
    """Return a length so that it can be compared: that there is no body may be said or not."""
    return "" if value == "0" else value


def _headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers so that they can be compared: repeated values joined, as any recipient may join them."""
    joined: dict[str, str] = {}
    for spelling, value in headers:
        name = spelling.lower()
        if name not in _ADDED and name != "set-cookie":
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    return {
        name: re.sub(r";\s*", "; ", value) if name == "cookie" else re.sub(r"\s*,\s*", ",", value)
        for name, value in joined.items()
    }
