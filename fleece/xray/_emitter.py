"""Datagrams to the X-Ray daemon: its address, and one socket that never waits.

Nothing here raises into the traced code. A datagram that cannot be sent at once is dropped.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections import namedtuple
from contextlib import suppress
from functools import lru_cache

from fleece._defaults import defaults
from fleece._errors import FleeceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    class XRayDaemon(NamedTuple):
        """Where the daemon takes datagrams; the address may also be a host name."""

        ip_address: str
        port: int

    class Destination(NamedTuple):
        """An address that a socket can send to without asking anybody."""

        family: int
        address: Any
else:
    XRayDaemon = namedtuple("XRayDaemon", "ip_address port")  # noqa: PYI024 (its typed twin is above)
    Destination = namedtuple("Destination", "family address")  # noqa: PYI024

ENVIRONMENT_VARIABLE = "AWS_XRAY_DAEMON_ADDRESS"
DEFAULT_PORT = 2000

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^\s:\[\]]+))(?::([0-9]{1,5}))?")
_BARE_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_MOST_PORTS = 65_535


class XRayDaemonNotFoundError(FleeceError):
    """The environment does not say where the X-Ray daemon is."""


class _Socket(socket.socket):
    """A socket that closes itself: it is dropped, not closed, after a fork and a SnapStart restore."""

    def __del__(self) -> None:
        self.close()


class _Resolution:
    """The look-up of a host name, once, in a thread that nobody waits for."""

    def __init__(self, daemon: XRayDaemon) -> None:
        self.destination: Destination | None = None
        self._daemon = daemon
        threading.Thread(target=self._resolve, name="fleece.xray resolver", daemon=True).start()

    def _resolve(self) -> None:
        with suppress(OSError, UnicodeError):
            family, _, _, _, address = socket.getaddrinfo(*self._daemon, type=socket.SOCK_DGRAM)[0]
            self.destination = Destination(family, address)


@lru_cache(maxsize=16)
def parse_daemon_address(text: str) -> XRayDaemon | None:
    """Read the daemon's address: ``host:port``, ``[v6]:port``, or ``tcp:host:port udp:host:port`` in either order.

    The port is 2000, the daemon's own, unless given. ``None`` when `text` is no such address.
    """
    words = text.split()
    for word in words:
        if word[:4].lower() == "udp:":
            return _parse_endpoint(word[4:])
    if len(words) == 1 and words[0][:4].lower() != "tcp:":
        return _parse_endpoint(words[0])
    return None


def _parse_endpoint(text: str) -> XRayDaemon | None:
    if _BARE_IPV6.fullmatch(text):
        return XRayDaemon(text, DEFAULT_PORT)
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    port = int(match[3] or DEFAULT_PORT)
    return XRayDaemon(match[1] or match[2], port) if 0 < port <= _MOST_PORTS else None


def get_xray_daemon() -> XRayDaemon:
    """Return the address of the X-Ray daemon.

    Raises:
        XRayDaemonNotFoundError: the environment has none, or one that cannot be read.
    """
    text = os.environ.get(ENVIRONMENT_VARIABLE, "")
    daemon = parse_daemon_address(text)
    if daemon is None:
        found = f"{ENVIRONMENT_VARIABLE} is {text[:200]!r}" if text else f"{ENVIRONMENT_VARIABLE} is not set"
        raise XRayDaemonNotFoundError(
            f"No address of the X-Ray daemon: {found}; set it to HOST:PORT, such as 127.0.0.1:{DEFAULT_PORT}"
        )
    return daemon


def send(datagram: bytes) -> None:
    """Send one datagram to the daemon, now or not at all."""
    # Not OSError alone: an audit hook, or a thread that cannot be started, raises what it likes.
    with suppress(Exception):
        daemon = parse_daemon_address(os.environ.get(ENVIRONMENT_VARIABLE, ""))
        destination = None if daemon is None else _destination(daemon)
        if destination is not None:
            _socket(destination.family).sendto(datagram, destination.address)


def _destination(daemon: XRayDaemon) -> Destination | None:
    numeric = _numeric_destination(daemon)
    if numeric is not None:
        return numeric
    return defaults.resource(f"xray.daemon {daemon}", lambda: _Resolution(daemon)).destination


@lru_cache(maxsize=16)
def _numeric_destination(daemon: XRayDaemon) -> Destination | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, daemon.ip_address)
            return Destination(family, tuple(daemon))
    return None


def _socket(family: int) -> socket.socket:
    def make() -> socket.socket:
        made = _Socket(family, socket.SOCK_DGRAM)
        made.setblocking(False)
        return made

    # Not connected: a connected one would report, at the next send, that nobody was listening at the last.
    return defaults.resource(f"xray.socket {int(family)}", make)
