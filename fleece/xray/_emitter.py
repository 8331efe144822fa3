"""Datagrams to the X-Ray daemon: its address, and one socket that never waits.

Nothing here raises into the traced code. A datagram that cannot be sent at once is dropped.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import namedtuple
from contextlib import suppress
from functools import lru_cache

from fleece._defaults import defaults
from fleece._errors import FleeceError
from fleece.xray._environment import warn_once
from fleece.xray._text import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any, NamedTuple

    class XRayDaemon(NamedTuple):
        """Where the daemon takes datagrams; the address may also be a host name."""

        ip_address: str
        port: int
else:
    XRayDaemon = namedtuple("XRayDaemon", "ip_address port")  # noqa: PYI024 (its typed twin is above)

ENVIRONMENT_VARIABLE = "AWS_XRAY_DAEMON_ADDRESS"
DEFAULT_PORT = 2000

_ADDRESS = r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^\s:\[\]]+))(?::([0-9]{1,5}))?"
_BARE_IPV6 = r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
_MAX_PORT = 65_535
_WANTED = f"set it to HOST:PORT, such as 127.0.0.1:{DEFAULT_PORT}"
# Somebody else has closed it: what comes back, and what comes back when its number is that of another file by now.
_CLOSED = frozenset({errno.EBADF, errno.ENOTSOCK})


class XRayDaemonNotFoundError(FleeceError):
    """The environment does not say where the X-Ray daemon is."""


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
    if pattern(_BARE_IPV6).fullmatch(text):
        return XRayDaemon(text, DEFAULT_PORT)
    match = pattern(_ADDRESS).fullmatch(text)
    if match is None:
        return None
    port = int(match[3] or DEFAULT_PORT)
    return XRayDaemon(match[1] or match[2], port) if 0 < port <= _MAX_PORT else None


def get_xray_daemon() -> XRayDaemon:
    """Return the address of the X-Ray daemon.

    Raises:
        XRayDaemonNotFoundError: the environment has none, or one that cannot be read.
    """
    text = os.environ.get(ENVIRONMENT_VARIABLE, "")
    daemon = parse_daemon_address(text)
    if daemon is None:
        found = f"{ENVIRONMENT_VARIABLE} is {text[:200]!r}" if text else f"{ENVIRONMENT_VARIABLE} is not set"
        raise XRayDaemonNotFoundError(f"No address of the X-Ray daemon: {found}; {_WANTED}")
    return daemon


def link_to_daemon() -> Link:
    """Return the way to the daemon that the environment names.

    Raises:
        KeyError: the environment has no address.
        OSError: there is no way to it. An audit hook, or a thread that cannot start, may raise what it likes.
    """
    link = defaults.resource("xray.link", Link)
    address = os.environ[ENVIRONMENT_VARIABLE]
    if address != link.address:
        link.aim(address)
    return link


class Link:
    """A way to the daemon: one socket, connected, which is an eighth faster than giving the address each time.

    Attributes:
        address: where it leads, as the environment has it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.address = ""
        self._socket: socket.socket | None = None

    def send(self, datagram: bytes) -> None:
        """Send now or not at all; where the address is not known (yet), not at all."""
        link = self._socket
        if link is None:
            return
        try:
            link.send(datagram)
        except ConnectionRefusedError:  # the answer to one before; this one has not been sent yet
            with suppress(OSError):
                link.send(datagram)
        except OSError as error:
            if error.errno in _CLOSED:
                self._lose(link)

    def aim(self, address: str) -> None:
        """Lead to another address from now on."""
        with self._lock:
            if address != self.address:  # pragma: no branch (another thread was faster)
                self._aim(address)
                self.address = address  # last, so that no other thread goes on before there is a socket

    def _aim(self, address: str) -> None:
        """Connect to it: at once if it is numeric, or else by and by, in a thread that nobody waits for."""
        self._close()
        daemon = parse_daemon_address(address)
        if daemon is None:
            warn_once(ENVIRONMENT_VARIABLE, address, _WANTED)
            return
        family = _numeric_family(daemon.ip_address)
        if family is not None:
            self._connect(family, tuple(daemon))
        else:
            look_up = threading.Thread(target=self._resolve, args=(address, daemon), name="fleece.xray", daemon=True)
            look_up.start()

    def _resolve(self, address: str, daemon: XRayDaemon) -> None:
        import socket  # noqa: PLC0415 (milliseconds, for those who are traced)

        with suppress(OSError, UnicodeError):
            family, _, _, _, where = socket.getaddrinfo(*daemon, type=socket.SOCK_DGRAM)[0]
            with self._lock:
                if address == self.address:  # or the environment has changed meanwhile
                    self._connect(family, where)

    def _connect(self, family: int, where: Any) -> None:
        import socket  # noqa: PLC0415

        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            made.connect(where)  # a datagram socket: nothing is sent
        except BaseException:
            made.close()
            raise
        self._socket = made

    def _lose(self, link: socket.socket) -> None:
        """Let the next datagram make a socket anew; this one is not closed: its number may be another file's by now."""
        with self._lock:
            if self._socket is link:  # pragma: no branch (another thread was faster)
                link.detach()
                self._socket, self.address = None, ""

    def _close(self) -> None:
        old, self._socket = self._socket, None
        if old is not None:
            old.close()

    def __del__(self) -> None:
        # Dropped, and not closed, by whoever forgets the process's resources: at a fork, at a SnapStart restore.
        self._close()


def _numeric_family(host: str) -> int | None:
    import socket  # noqa: PLC0415

    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return family
    return None
