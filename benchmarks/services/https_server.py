"""A program: a TLS server on loopback that keeps connections alive.

It writes one line of JSON when it is ready, ``{"url": ..., "authority": ...}`` with the path of its certificate
authority's certificate in the current folder, and serves until its standard input ends.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

BODY = b'{"status": "ok"}'


class Handler(BaseHTTPRequestHandler):
    """Answers every GET alike, in one segment: the default, two, waits for an acknowledgement between them."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's signature)
        """Say nothing."""


def main() -> None:
    """Serve until standard input ends."""
    authority = trustme.CA()
    path = Path("authority.pem").resolve()
    authority.cert_pem.write_to_path(path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"https://127.0.0.1:{server.server_port}/", "authority": str(path)}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
