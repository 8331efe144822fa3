"""Credentials in URLs: found, and masked before anything is shown, kept or compared. Pure."""

from __future__ import annotations

import re

# The user part of an http(s) URL, also behind `git+`; an apostrophe may be in it (RFC 3986). What ssh has there is a
# user name and no secret.
_USER_PART = re.compile(r"(?P<scheme>\b(?:[a-z]+\+)?(?:https?|ftp)://)(?P<user>[^/\s\"<>]+)@", re.IGNORECASE)

# A reference to the environment (`${TOKEN}`), which pip resolves: the secret itself is elsewhere.
_REFERENCE = re.compile(r"\$\{[A-Z0-9_]+\}")


def mask(text: str) -> str:
    """Return `text` with the user part of every URL as ``****``."""
    return _USER_PART.sub(r"\g<scheme>****@", text)


def has_credentials(text: str) -> bool:
    """Whether a URL in `text` carries a user, password or token, written out."""
    return any(_REFERENCE.sub("", match["user"]).strip(":") for match in _USER_PART.finditer(text))
