"""What a running ``fleece-local up`` tells other processes of this machine, over HTTP on loopback, and how they ask.

``GET /health`` has the id of the stack; ``GET /documents?after=N`` the X-Ray documents that its daemon has received,
without the first N.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment  # Python 3.11's, for mypy alone

    from fleece_testing.xray_daemon import Document, XRayDaemon

_PATIENCE = 5  # seconds, for a process on this very machine
_SHOWN = 200  # bytes of a datagram that was refused


class GoneError(CommandError):
    """Nobody answers at the address, or somebody else than the stack."""


@dataclass(frozen=True)
class Received:
    """What the stack's X-Ray daemon has received, from some point on.

    Attributes:
        documents: those that it took, in order.
        refused: the reason for each datagram that it refused, with the beginning of it; all of them, always.
        position: what to ask `received` with, to get what comes after these.
    """

    documents: list[Document]
    refused: list[str]
    position: int


class Control:
    """The WSGI application of a running stack.

    Args:
        identity: the stack's id, which tells it from whoever has its address later.
        xray: the stack's X-Ray daemon.
    """

    def __init__(self, identity: str, xray: XRayDaemon) -> None:
        self._identity = identity
        self._xray = xray

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        request = Request(environ)
        status, document = self._answer(request)
        response = Response(json.dumps(document), status, content_type="application/json")
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        if request.method not in {"GET", "HEAD"}:
            return 405, {"error": "Only GET is answered here"}
        if request.path == "/health":
            return 200, {"status": "ready", "id": self._identity}
        if request.path == "/documents":
            return self._documents(request.args.get("after", "0"))
        return 404, {"error": "There are /health and /documents?after=N here"}

    def _documents(self, after: str) -> tuple[int, dict[str, Any]]:
        if not (after.isascii() and after.isdecimal()):
            return 400, {"error": "'after' is the number of documents to leave out"}
        documents = self._xray.documents
        refused = [f"{one.reason}: {one.datagram[:_SHOWN].decode('utf-8', 'replace')}" for one in self._xray.refused]
        return 200, {"documents": documents[int(after) :], "refused": refused, "position": len(documents)}


def identity_at(url: str) -> str | None:
    """Return the id of the stack that answers at the address, or None when none does."""
    try:
        identity = ask(url, "/health").get("id")
    except GoneError:
        return None
    return identity if isinstance(identity, str) else None


def received(url: str, position: int = 0) -> Received:
    """Return what the stack's X-Ray daemon has received since `position`.

    What a program has sent before this call is in the answer.

    Raises:
        GoneError: the stack does not answer.
    """
    answer = ask(url, f"/documents?after={position}")
    return Received(answer["documents"], answer["refused"], answer["position"])


def ask(url: str, path: str) -> dict[str, Any]:
    """Return the JSON object that a server on this machine answers a GET with; no proxy is asked.

    Raises:
        GoneError: nobody answers in time, or with something else.
    """
    address = urlsplit(url)
    # Not with fleece.requests: the proxies of the environment are not for loopback, and nothing is worth a retry.
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        document = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise GoneError(f"{url}: no answer: {error!r}") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK or not isinstance(document, dict):
        raise GoneError(f"{url}: something else answers there")
    return document
