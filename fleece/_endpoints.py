"""Where secrets may be sent: https anywhere, plain http to this machine only; and Rackspace's own place for them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

IDENTITY_URL = "https://identity.api.rackspacecloud.com"

_ORDINARY = re.compile(r"[!-~]+")  # printable ASCII without spaces
_AMBIGUOUS = frozenset("\\@?#")  # readers of URLs disagree about what the host is around these


def problem(url: str) -> str | None:
    """Return why secrets must not be sent to `url`, or None when they may."""
    if not _ORDINARY.fullmatch(url) or _AMBIGUOUS & set(url):
        return "is not a plain URL such as https://host.example:443"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "is not a URL of the form https://host"
    if parts.scheme == "http" and not is_loopback(url):
        return "must begin with https:// (plain http is for this machine alone, as in http://127.0.0.1:4566)"
    return None


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine's loopback."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Whether a host's name or address, without brackets, is this machine's loopback.

    RFC 6761 gives all of ``*.localhost`` to it.
    """
    host = host.lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
