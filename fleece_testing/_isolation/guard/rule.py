"""The rule: what of that which a process asks of the network leaves this machine. Pure; the hook is `hook`'s.

| address | |
|---|---|
| unix sockets, and the kernel's own (netlink, alg) | stay |
| 127.0.0.0/8, ::1, and the same mapped into IPv6 | stay, but for two ports: see below |
| 0.0.0.0 and :: | stay: as a destination they mean loopback |
| this machine's other addresses | leave: what answers there differs from machine to machine |
| broadcast, multicast, everything else | leave |
| any other family (packet, vsock, bluetooth, ...) | leave |
| loopback's port 53 | leaves: a resolver that listens there asks outside |
| `DEAD_PROXY` | leaves: whoever goes there follows the proxy variables, for an address that is not on loopback |

Looking up a name leaves this machine unless it is known here: ``localhost``, the machine's own name, and what
``/etc/hosts`` gives to loopback. An address in digits is no name; asking for the name of an address is a look-up.
"""

from __future__ import annotations

import ipaddress
import socket
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

DEAD_PROXY = ("127.0.0.1", 4)  # assigned to nobody; port 9 is what tests of closed ports like to take
NAMED_ADDRESS = "fleece_testing.named_address"  # raised by the hook, before a name in an address is looked up

_NAME_SERVICE = 53
_BROADCAST = "<broadcast>"  # Python's own word for 255.255.255.255
_INTERNET = {socket.AF_INET, socket.AF_INET6}
_FAMILIES_OF_THIS_MACHINE = {
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG", "AF_SYSTEM") if hasattr(socket, name)
}

# What is tried, in words; and the name, where it is a look-up that is tried.
Attempt = namedtuple("Attempt", ["what", "name"])  # noqa: PYI024 (typing's costs every child of the tests its import)


def attempt(event: str, arguments: tuple[Any, ...], known: Collection[str]) -> Attempt | None:
    """Return what an audited call would do outside of this machine; None when it stays here.

    Args:
        event: an audit event's name. Those that are not about sockets are None's.
        arguments: the event's arguments.
        known: the names, in lower case, that are known here without asking anybody.
    """
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        return _look_up(arguments[0], known)
    if event == "socket.gethostbyaddr":
        return _look_up(arguments[0], known) if _parsed(arguments[0]) is None else _reverse_look_up(arguments[0])
    if event == "socket.getnameinfo":
        return _reverse_look_up(arguments[0][0])
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        sock, address = arguments
        return _reach("connect to" if event == "socket.connect" else "send to", sock, address, known)
    if event == NAMED_ADDRESS:
        sock, address = arguments
        return _look_up_in(sock, address, known)
    return None


def loopback_names(hosts: str) -> frozenset[str]:
    """Return the names, in lower case, that the text of a hosts file gives to loopback, and to nothing else."""
    lines = [line.partition("#")[0].lower().split() for line in hosts.splitlines()]
    here: set[str] = set()
    elsewhere: set[str] = set()
    for address, *names in filter(None, lines):
        (here if _is_loopback(address) else elsewhere).update(names)
    return frozenset(here - elsewhere)


def _look_up(name: Any, known: Collection[str]) -> Attempt | None:
    text = _text(name)
    if not text or _parsed(text) is not None or text.lower().rstrip(".") in known:
        return None
    return Attempt(f"look up the name {text}", text)


def _reverse_look_up(address: Any) -> Attempt | None:
    text = _text(address)
    return None if _is_loopback(text) else Attempt(f"look up the name of {text}", text)


def _look_up_in(sock: socket.socket, address: Any, known: Collection[str]) -> Attempt | None:
    """Look at an address that is handed to a socket: Python looks a name in it up before the audit event."""
    if sock.family in _INTERNET and isinstance(address, tuple) and address and address[0] != _BROADCAST:
        return _look_up(address[0], known)
    return None


def _reach(verb: str, sock: socket.socket, address: Any, known: Collection[str]) -> Attempt | None:
    if address is None or sock.family in _FAMILIES_OF_THIS_MACHINE:
        return None  # no address: a message on a connected socket
    if sock.family not in _INTERNET:
        return Attempt(f"{verb} {address} ({getattr(sock.family, 'name', sock.family)})", None)
    host, port = _text(address[0]), address[1]
    if (host, port) == DEAD_PROXY:
        return Attempt(f"{verb} {host}:{port}, the dead proxy of isolated sessions", None)
    if not _is_here(host, known):
        return Attempt(f"{verb} {f'[{host}]' if ':' in host else host}:{port}", None)
    if port == _NAME_SERVICE:
        return Attempt(f"{verb} the name server on {host}:{port}", None)
    return None


def _is_here(host: str, known: Collection[str]) -> bool:
    parsed = _parsed(host)
    if parsed is None:
        return not host or host.lower().rstrip(".") in known
    return parsed.is_loopback or parsed.is_unspecified


def _is_loopback(host: Any) -> bool:
    parsed = _parsed(host)
    return parsed is not None and parsed.is_loopback


def _parsed(host: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(_text(host).partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _text(host: Any) -> str:
    return host.decode("ascii", "backslashreplace") if isinstance(host, (bytes, bytearray)) else str(host or "")
