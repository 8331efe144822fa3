"""A WSGI application on a unix socket, with connections that can be cut."""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer

from fleece_testing._http import QuietRequestHandler
from fleece_testing._lifecycle import Startable, not_started
from fleece_testing._private_folder import private_folder
from fleece_testing._unix_socket import listen

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from typing_extensions import Self

_SO_NWRITE = 0x1024  # of macOS; the socket module has no name for it
_PATIENCE = 5.0  # seconds


class _RequestHandler(QuietRequestHandler):
    disable_nagle_algorithm = False  # a unix socket has none

    def finish(self) -> None:
        try:
            with suppress(ConnectionError):  # a client that went before the end of an answer
                super().finish()
        finally:
            self.rfile.close()


class _Server(ThreadedWSGIServer):
    """Werkzeug's server, which knows its open connections."""

    def __init__(self, path: Path, app: WSGIApplication) -> None:
        self.connections: set[socket.socket] = set()
        self.server_name, self.server_port = "localhost", 0
        # Bound here and handed over, because Werkzeug's own answer to a path that is too long is to end the process.
        with listen(path) as listener:
            super().__init__(f"unix://{path}", 0, app, _RequestHandler, fd=listener.fileno())

    def process_request(self, request: socket.socket, client_address: str) -> None:  # type: ignore[override]
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self.connections.discard(request)
        super().shutdown_request(request)


class UnixServer(Startable):
    """Serve a WSGI application on a unix socket in a folder that only this user may enter.

    The socket is not in pytest's folders: their paths are longer than a socket's may be (104 bytes on macOS).
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._resources = ExitStack()
        self._folder: Path | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def path(self) -> Path:
        """The socket's path."""
        if self._folder is None:
            raise not_started("The engine")
        return self._folder / "docker.sock"

    @property
    def started(self) -> bool:
        """Whether it has been started and not been stopped; it may have vanished."""
        return self._folder is not None

    def start(self) -> Self:
        """Listen, and return as soon as connections are accepted.

        Raises:
            OSError: the path of the folder for temporary files is too long for a socket.
        """
        if self._folder is None:
            self._folder = self._resources.enter_context(private_folder("fleece-docker-"))
        if self._server is None:
            try:
                self._server = _Server(self.path, self._app)
            except OSError:
                self.stop()
                raise
            self._thread = threading.Thread(
                target=lambda server: server.serve_forever(poll_interval=0.02),
                args=(self._server,),
                name=f"fleece_testing {self.path}",
                daemon=True,
            )
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and remove the socket; stopping twice does nothing."""
        self.vanish()
        self._folder = None
        self._resources.close()

    def vanish(self) -> None:
        """Stop listening and cut every connection, as a program that was killed; `start` listens again there."""
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        if server is None or thread is None:
            return
        server.shutdown()
        server.server_close()
        thread.join()
        self.path.unlink(missing_ok=True)
        for connection in list(server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def wait_until_read(connection: socket.socket) -> None:
    """Wait until the other end has read what was sent to it.

    Between the head of a 101 answer and the stream that follows it: the docker package reads the head through a
    buffer, and the stream past it, and would lose what had come along with the head.
    """
    end = time.monotonic() + _PATIENCE
    while _unread(connection) and time.monotonic() < end:
        time.sleep(0.001)


def _unread(connection: socket.socket) -> int:
    if sys.platform == "darwin":
        return connection.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
    answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return int(struct.unpack("i", answer)[0])
