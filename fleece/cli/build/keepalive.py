"""Connections to an engine on another machine: that it is silent must not be taken for that it works, for ever.

A build says nothing for as long as it likes, and neither does a machine that is gone, or a network. So the system asks.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

if TYPE_CHECKING:
    import requests

_SCHEMES = ("http://", "https://")

_WAITS = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds of silence, seconds between questions, and how many stay without an answer: two minutes in all."""

_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    # Not all systems have these; their own waits are longer.
    *((socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in _WAITS.items() if hasattr(socket, name)),
]


def probe(session: requests.Session, url: str) -> None:
    """Have all further connections of the session probed, if its engine at `url` is reached by TCP."""
    if url.startswith(_SCHEMES):
        session.close()
        for scheme in _SCHEMES:
            session.mount(scheme, _Adapter())


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, socket_options=_OPTIONS, **options)
