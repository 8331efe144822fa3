"""What Rackspace answers, once: a run that asks again fails."""

from __future__ import annotations

import json
import tempfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from harness.model import SilentStage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import Interpreters

ACCOUNT = "123456789012"
ACCESS_KEY_ID = "ASIAEXAMPLE"

_ANSWERS: Mapping[str, object] = {
    "/v2.0/tokens": {"access": {"token": {"id": "token", "expires": "2090-01-01T00:00:00Z", "tenant": {"id": "1"}}}},
    f"/v0/awsAccounts/{ACCOUNT}/credentials": {
        "credential": {"accessKeyId": ACCESS_KEY_ID, "secretAccessKey": "secret", "sessionToken": "token"}
    },
}


class _Server(HTTPServer):
    """Has the answers that nobody has asked for yet."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = dict(_ANSWERS)


class _Handler(BaseHTTPRequestHandler):
    """Answers each path once."""

    server: _Server

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answers.pop(self.path, None)
        body = json.dumps(answer).encode()
        self.send_response(200 if answer is not None else 410)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's signature)
        """Say nothing."""


@contextmanager
def rackspace(_interpreters: Interpreters) -> Iterator[SilentStage]:
    """Stage for ``fleece run``: Identity and FAWS, a login, and an empty cache."""
    with tempfile.TemporaryDirectory() as cache, _Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        login = {"RS_USERNAME": "fleece", "RS_API_KEY": "key"}
        urls = {"FLEECE_IDENTITY_URL": url, "FLEECE_FAWS_URL": url}
        try:
            yield SilentStage({**login, **urls, "XDG_CACHE_HOME": cache})
        finally:
            server.shutdown()
