"""What the workers of a managed instance write: each over connections of its own, so that lines stay whole.

AWS's runtime client connects the stdout and the stderr of each worker to a Unix socket that the environment names.
"""

from __future__ import annotations

import selectors
import socket
import threading
from typing import TYPE_CHECKING

from fleece_testing._unix_socket import listen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENVIRONMENT_VARIABLE = "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"

_AT_ONCE = 65_536  # bytes


class WorkerStreams:
    """Take connections at `path`, and pass what comes on to `write` in whole lines, until closed.

    A line that has no newline is passed on, with one, when its stream ends.

    Raises:
        OSError: the path is longer than a Unix socket's may be.
    """

    def __init__(self, path: Path, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._unfinished: dict[socket.socket, bytes] = {}
        self._lock = threading.Lock()
        self._listener = listen(path)
        self._listener.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._alarm, self._alarm_end = socket.socketpair()
        for one in (self._listener, self._alarm_end):
            self._selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, name="fleece_testing runtime workers", daemon=True)
        self._thread.start()

    def catch_up(self) -> None:
        """Pass on what has been written before this call."""
        with self._lock:
            self._accept()
            for stream in list(self._unfinished):
                self._take(stream)

    def close(self) -> None:
        """Pass on what is left, and let the sockets and the thread go; the workers must have ended."""
        self._alarm.close()
        self._thread.join()
        self.catch_up()
        self._close_all()

    def _read(self) -> None:
        while all(key.fileobj is not self._alarm_end for key, _ in self._selector.select()):
            self.catch_up()

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except BlockingIOError:
                return
            stream.settimeout(0)
            self._unfinished[stream] = b""
            self._selector.register(stream, selectors.EVENT_READ)

    def _take(self, stream: socket.socket) -> None:
        while True:
            try:
                came = stream.recv(_AT_ONCE)
            except BlockingIOError:
                return
            if not came:
                rest = self._unfinished.pop(stream)
                self._write(rest and rest + b"\n")
                self._selector.unregister(stream)
                stream.close()
                return
            # Only what came is looked through: a long line comes in many parts.
            lines, newline, rest = came.rpartition(b"\n")
            if newline:
                self._write(self._unfinished[stream] + lines + newline)
                self._unfinished[stream] = rest
            else:
                self._unfinished[stream] += rest

    def _close_all(self) -> None:
        self._selector.close()
        for one in (self._listener, self._alarm, self._alarm_end, *self._unfinished):
            one.close()
