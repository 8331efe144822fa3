"""A WSGI application on a loopback port: the one HTTP server behind every stub of this package.

The server is Werkzeug's. What is added is what a stub on a developer's machine needs: it binds loopback only, a web
page cannot reach it (foreign ``Host`` and any ``Origin`` are refused, no CORS header is sent), and its answers leave in
one write.
"""

from __future__ import annotations

import re
import socket
import threading
from typing import TYPE_CHECKING

from fleece._endpoints import is_loopback_host
from fleece_testing._extras import require
from fleece_testing._lifecycle import Startable, not_started

require("fleece_testing", "werkzeug")

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server  # noqa: E402 (after the hint)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment  # Python 3.11's, for mypy alone

    from typing_extensions import Self


class QuietRequestHandler(WSGIRequestHandler):
    """Werkzeug's handler, without a line on stderr for each request, and with buffered answers.

    Unbuffered, headers and body leave in two segments and Nagle's algorithm adds 40 ms to each call.
    """

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (Werkzeug's signature)
        """Say nothing: the stubs keep a log of their own."""


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` header, with or without a port, names this machine's loopback."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](:\d+)?", host)
    return is_loopback_host(bracketed[1] if bracketed else host.partition(":")[0])


def guarded(app: WSGIApplication) -> WSGIApplication:
    """Wrap `app` so that a web page in a browser on this machine can neither call it nor read from it."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not is_loopback(environ.get("HTTP_HOST", "")) or "HTTP_ORIGIN" in environ:
            body = b"This is a test server: it answers programs on this machine only.\n"
            start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
            return [body]
        return app(environ, start_response)

    return application


class LoopbackServer(Startable):
    """Serve a WSGI application on ``127.0.0.1``, in threads, until stopped.

    Args:
        app: the WSGI application.
        port: the TCP port; 0 takes a free one.
        request_handler: for applications that bring a Werkzeug request handler of their own.

    Raises:
        OSError: at `start`, when the port is taken.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        app: WSGIApplication,
        *,
        port: int = 0,
        request_handler: type[WSGIRequestHandler] = QuietRequestHandler,
    ) -> None:
        self._app = guarded(app)
        self._wanted_port = port
        self._request_handler = request_handler
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        if self._server is None:
            raise not_started("The server")
        return int(self._server.port)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen, and return as soon as connections are accepted."""
        if self._server is None:
            # Bound here and handed over, because Werkzeug's own answer to a taken port is to end the process.
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((self.host, self._wanted_port))
                listener.listen(128)
                self._server = make_server(
                    self.host,
                    listener.getsockname()[1],
                    self._app,
                    threaded=True,
                    request_handler=self._request_handler,
                    fd=listener.fileno(),
                )
            self._thread = threading.Thread(
                # The default poll of half a second is what stopping would cost each time.
                target=lambda server: server.serve_forever(poll_interval=0.02),
                args=(self._server,),
                name=f"fleece_testing {self._server.port}",
                daemon=True,
            )
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close the socket; stopping twice does nothing."""
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        if server is not None:
            server.shutdown()
            server.server_close()
        if thread is not None:
            thread.join()
