"""A UDP socket in place of the X-Ray daemon, which somebody reads, outside the process that is measured."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model import Interpreters

_KEPT = 1000
_LARGEST_DATAGRAM = 65_535
_MARK = b""


class XRayDaemon:
    """Takes datagrams in a thread, and keeps the first of them."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.variables: Mapping[str, str] = {"AWS_XRAY_DAEMON_ADDRESS": f"{host}:{port}"}
        self._kept: list[bytes] = []
        self._mark_read = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def received(self) -> list[bytes]:
        """Return, and forget, the first of the datagrams that have been sent since this was called before."""
        self._send_mark()
        self._mark_read.wait()
        kept, self._kept = self._kept, []
        return kept

    def close(self) -> None:
        """Stop reading."""
        self._stopping = True
        self._send_mark()
        self._thread.join()
        self._socket.close()

    def _send_mark(self) -> None:
        """Send to oneself: it is read when all that was sent before has been."""
        self._mark_read.clear()
        self._socket.sendto(_MARK, self._socket.getsockname())

    def _read(self) -> None:
        while True:
            datagram = self._socket.recv(_LARGEST_DATAGRAM)
            if datagram == _MARK:
                self._mark_read.set()
                if self._stopping:
                    return
            elif len(self._kept) < _KEPT:
                self._kept.append(datagram)


@contextmanager
def xray_daemon(_interpreters: Interpreters) -> Iterator[XRayDaemon]:
    """Stage for traced calls."""
    daemon = XRayDaemon()
    try:
        yield daemon
    finally:
        daemon.close()
