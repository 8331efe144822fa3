"""Credentials in URLs: found, and masked before anything is shown, kept or compared. Pure.

What stands before the ``@`` and after the ``?`` is taken for secret. A token that is a part of the path cannot be told
from a path.
"""

from __future__ import annotations

import re

# An http(s) URL, also behind `git+`; an apostrophe may be in it (RFC 3986). What ssh has before the `@` is a user name
# and no secret.
_URL = re.compile(
    r"(?P<scheme>\b(?:[a-z]+\+)?(?:https?|ftp)://)(?:(?P<user>[^/\s\"<>]+)@)?"
    r"(?P<place>[^\s\"<>?#]*)(?:\?(?P<query>[^\s\"<>#]+))?",
    re.IGNORECASE,
)

# A reference to the environment (`${TOKEN}`), which pip resolves: the secret itself is elsewhere.
_REFERENCE = re.compile(r"\$\{[A-Z0-9_]+\}")


def mask(text: str) -> str:
    """Return `text` with the user part and the query of every URL as ``****``, to be shown."""
    return _URL.sub(
        lambda url: f"{url['scheme']}{'****@' if url['user'] else ''}{url['place']}{'?****' if url['query'] else ''}",
        text,
    )


def without_users(text: str) -> str:
    """Return `text` with the user part of every URL as ``****``, to be compared: who asks decides nothing.

    Its query is kept, as another one may lead to other packages.
    """
    return _URL.sub(
        lambda url: f"{url['scheme']}****{url[0][url.end('user') - url.start() :]}" if url["user"] else url[0], text
    )


def has_credentials(text: str) -> bool:
    """Whether a URL in `text` carries a user, password or token, written out."""
    return any(_is_secret(url["user"]) or _is_secret(url["query"]) for url in _URL.finditer(text))


def _is_secret(part: str | None) -> bool:
    """Whether more is written out than references and the names of parameters."""
    return any(_REFERENCE.sub("", value) for value in re.split(r"[:&]|[^&=]+=", part or ""))
