"""KMS at 20 ms a call, and Rackspace's services, which give out credentials: one server, outside what is measured.

A ciphertext is the name of its key and the plaintext, in clear: nothing here is worth the time that encryption takes.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import Interpreters

URL = "BENCHMARK_URL"
"""The variable that tells a contestant where the server is."""

SECONDS_A_CALL = 0.02

_TOKEN = {
    "access": {"token": {"id": "token", "expires": "2099-01-01T00:00:00.000Z", "tenant": {"id": "1", "name": "1"}}}
}
_CREDENTIALS = {"credential": {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "secret", "sessionToken": "session"}}


def ciphertext(key: str, plaintext: str) -> str:
    """Return what this KMS makes of a text, in base64."""
    return base64.b64encode(f"{key}|{plaintext}".encode()).decode()


def _kms(operation: str, request: Mapping[str, Any]) -> dict[str, str]:
    time.sleep(SECONDS_A_CALL)
    if operation == "Encrypt":
        plaintext = base64.b64decode(request["Plaintext"]).decode()
        return {"CiphertextBlob": ciphertext(request["KeyId"], plaintext), "KeyId": request["KeyId"]}
    key, _, text = base64.b64decode(request["CiphertextBlob"]).partition(b"|")
    return {"Plaintext": base64.b64encode(text).decode(), "KeyId": key.decode()}


class KMS(ThreadingHTTPServer):
    """Answers, and notes the operations of KMS."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.variables: Mapping[str, str] = {URL: f"http://127.0.0.1:{self.server_address[1]}"}
        self.operations: list[bytes] = []

    def received(self) -> list[bytes]:
        """Return, and forget, the operations of KMS since this was called before."""
        operations, self.operations = self.operations, []
        return operations


class _Handler(BaseHTTPRequestHandler):
    server: KMS
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer whichever of the services is asked."""
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/":
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            self.server.operations.append(operation.encode())
            answer: Mapping[str, Any] = _kms(operation, json.loads(content))
        else:
            answer = _TOKEN if self.path.startswith("/v2.0/") else _CREDENTIALS
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if self.path == "/" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def kms(_interpreters: Interpreters) -> Iterator[KMS]:
    """Stage for commands that need credentials and keys."""
    with KMS() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
