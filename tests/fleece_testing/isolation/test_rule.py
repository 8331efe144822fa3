"""The rule: which address is outside."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis.strategies import integers, ip_addresses

from fleece_testing._isolation.guard.rule import DEAD_PROXY, NAMED_ADDRESS, attempt, loopback_names

KNOWN = {"localhost", "laptop"}


@pytest.fixture
def sockets():
    """Open a socket of a family, and close it at the end."""
    opened = []

    def open_socket(family):
        opened.append(socket.socket(family, socket.SOCK_DGRAM))
        return opened[-1]

    yield open_socket
    for one in opened:
        one.close()


def what(event, *arguments):
    """Return what is tried, in words."""
    tried = attempt(event, arguments, KNOWN)
    return tried and tried.what


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "0.0.0.0", "", "localhost", "LOCALHOST.", "laptop"])  # noqa: S104
def test_loopback_stays(sockets, host):
    """Loopback's addresses and names, and what means the same as a destination, are on this machine."""
    for event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        assert what(event, sockets(socket.AF_INET), (host, 8000)) is None


@pytest.mark.parametrize("host", ["::1", "::", "::ffff:127.0.0.1", "::1%1"])
def test_loopback_stays_in_ipv6(sockets, host):
    """IPv6's loopback stays, and IPv4's when it is mapped into IPv6."""
    assert what("socket.connect", sockets(socket.AF_INET6), (host, 8000, 0, 0)) is None


@pytest.mark.parametrize(
    "host",
    ["198.51.100.1", "10.0.0.1", "169.254.169.254", "255.255.255.255", "<broadcast>", "224.0.0.1", "example.com"],
)
def test_everything_else_leaves(sockets, host):
    """Public and private addresses, the metadata service, broadcast, multicast and names that are not known leave."""
    assert what("socket.connect", sockets(socket.AF_INET), (host, 80)) == f"connect to {host}:80"


@pytest.mark.parametrize("host", ["2001:db8::1", "fe80::1", "ff02::1", "::ffff:198.51.100.1"])
def test_everything_else_leaves_in_ipv6(sockets, host):
    """So it is in IPv6, with link-local addresses and IPv4's that are mapped into IPv6."""
    assert what("socket.sendto", sockets(socket.AF_INET6), (host, 80, 0, 0)) == f"send to [{host}]:80"


@given(address=ip_addresses(), port=integers(1, 65535).filter(lambda port: port not in {4, 53}))
def test_every_address_stays_or_leaves(address, port):
    """An address stays if it, or what is mapped into it, is loopback or unspecified."""
    inner = getattr(address, "ipv4_mapped", None) or address
    stays = inner == ipaddress.ip_address("::1") or int(inner) == 0 or str(inner).startswith("127.")
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as sock:
        assert (what("socket.connect", sock, (str(address), port)) is None) == stays


def test_name_servers_and_the_dead_proxy_on_loopback_leave(sockets):
    """Who asks a name server on loopback, or goes to the dead proxy, means somebody else."""
    sock = sockets(socket.AF_INET)
    assert what("socket.sendto", sock, ("127.0.0.53", 53)) == "send to the name server on 127.0.0.53:53"
    assert "dead proxy" in what("socket.connect", sock, DEAD_PROXY)


@pytest.mark.parametrize(
    ("event", "arguments", "outside"),
    [
        ("socket.getaddrinfo", ("example.com", 80, 0, 0, 0), True),
        ("socket.getaddrinfo", (b"example.com", 80, 0, 0, 0), True),
        ("socket.getaddrinfo", ("bucket.localhost", 80, 0, 0, 0), True),
        ("socket.getaddrinfo", ("localhost", 80, 0, 0, 0), False),
        ("socket.getaddrinfo", ("Laptop", 80, 0, 0, 0), False),
        ("socket.getaddrinfo", (None, 80, 0, 0, 0), False),
        ("socket.getaddrinfo", ("198.51.100.1", 80, 0, 0, 0), False),
        ("socket.gethostbyname", ("example.com",), True),
        ("socket.gethostbyname", ("198.51.100.1",), False),
        ("socket.gethostbyaddr", ("example.com",), True),
        ("socket.gethostbyaddr", ("198.51.100.1",), True),
        ("socket.gethostbyaddr", ("127.0.0.1",), False),
        ("socket.getnameinfo", (("198.51.100.1", 80),), True),
        ("socket.getnameinfo", (("::1", 80, 0, 0),), False),
        ("open", ("example.com", "r", 0), False),
    ],
)
def test_look_ups(event, arguments, outside):
    """Looking up a name leaves unless it is known here; an address in digits is no name, but it may have one."""
    assert (what(event, *arguments) is not None) == outside


def test_names_in_addresses_are_look_ups(sockets):
    """A name that is handed to a socket in an address is looked up, and one that is known here is not."""
    inet = sockets(socket.AF_INET)
    assert what(NAMED_ADDRESS, inet, ("example.com", 80)) == "look up the name example.com"
    for host in ("localhost", "<broadcast>", "198.51.100.1", ""):
        assert what(NAMED_ADDRESS, inet, (host, 80)) is None


def test_unix_sockets_and_connected_sockets_stay(sockets):
    """A unix socket is on this machine, and a message without an address goes where its socket is connected."""
    assert what("socket.connect", sockets(socket.AF_UNIX), "/run/docker.sock") is None
    assert what(NAMED_ADDRESS, sockets(socket.AF_UNIX), "example.com") is None
    assert what("socket.sendmsg", sockets(socket.AF_INET), None) is None


def test_names_of_a_hosts_file():
    """Known are the names that a hosts file gives to loopback, and to nothing else."""
    hosts = "127.0.0.1 localhost Laptop # mine\n::1 localhost ip6\n10.0.0.5 db\n127.0.1.1 db\n# 127.0.0.1 no\n\nx y\n"
    assert loopback_names(hosts) == {"localhost", "laptop", "ip6"}
