"""The X-Ray daemon's ports, and the thread that reads the UDP one."""

from __future__ import annotations

import contextlib
import itertools
import socket
import socketserver
import threading
from typing import TYPE_CHECKING, Any

from fleece_testing._http import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

_QUEUE = 8 * 1024 * 1024  # bytes asked for; the kernel gives what its own limit allows
_MARKER_TRIES = 100
_MARKER_WAIT = 0.05  # seconds
_PORT_TRIES = 20


def listen(port: int, receive: Callable[[bytes], None], proxy: WSGIApplication) -> tuple[Receiver, LoopbackServer]:
    """Listen on UDP and TCP at the same port; 0 takes one that is free for both.

    Raises:
        OSError: when the port is taken.
    """
    for attempt in range(_PORT_TRIES):
        server = LoopbackServer(proxy, port=port).start()
        try:
            return Receiver(server.host, server.port, receive), server
        except OSError:
            server.stop()
            if port or attempt == _PORT_TRIES - 1:
                raise
    raise AssertionError  # the loop returns or raises


class Receiver:
    """Hand datagrams to `receive` in the order of their arrival, in a thread, until closed.

    Raises:
        OSError: when the port is taken.
    """

    def __init__(self, host: str, port: int, receive: Callable[[bytes], None]) -> None:
        self._receive = receive
        self._server = _Server((host, port), self._take)
        # A burst of large documents must not overflow the queue before the thread gets its turn.
        with contextlib.suppress(OSError):
            self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
        self._marker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._marker.bind((host, 0))
        self._marker_address = self._marker.getsockname()
        self._marker_lock = threading.Lock()
        self._marker_seen = threading.Event()
        self._marker_numbers = itertools.count()
        self._awaited = b""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name=f"fleece_testing X-Ray {self.port}", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The UDP port."""
        return int(self._server.server_address[1])

    def catch_up(self) -> None:
        """Return when every datagram that was sent before this call has been handed on.

        On loopback a datagram is in the receiver's queue when ``sendto`` returns, and the queue keeps its order: when a
        marker has come through, so has all before it.
        """
        with self._marker_lock:
            self._marker_seen.clear()
            self._awaited = str(next(self._marker_numbers)).encode()
            for _ in range(_MARKER_TRIES):
                self._marker.sendto(self._awaited, self._server.server_address)
                # A full queue drops the marker too: then another one follows.
                if self._marker_seen.wait(_MARKER_WAIT):
                    return
        raise RuntimeError("The X-Ray daemon's thread does not answer: was this process forked from the one it is in?")

    def close(self) -> None:
        """Close the sockets and end the thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._marker.close()

    def _take(self, datagram: bytes, sender: tuple[str, int]) -> None:
        if sender != self._marker_address:
            self._receive(datagram)
        elif datagram == self._awaited:
            self._marker_seen.set()


class _Server(socketserver.UDPServer):
    """The standard library's UDP server, handing each datagram to a function."""

    max_packet_size = 65_536

    def __init__(self, address: tuple[str, int], take: Callable[[bytes, Any], None]) -> None:
        super().__init__(address, socketserver.BaseRequestHandler)
        self._take = take

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._take(request[0], client_address)
