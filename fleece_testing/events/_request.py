"""One HTTP request in a form from which every kind of event can be built. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode

from fleece_testing._arguments import checked_text, json_text

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

Event: TypeAlias = dict[str, Any]
Pairs: TypeAlias = list[tuple[str, str]]
Query: TypeAlias = str | Mapping[str, Any] | Iterable[tuple[str, Any]]
Headers: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, str]]

_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"  # what a path may hold as it is (RFC 3986), and what is encoded already
_QUERY_CHARACTERS = _PATH_CHARACTERS + "?"
_ROUTE_PART = re.compile(r"\{([^{}+]+)(\+?)\}")
_WITHOUT_TEXT = (bytes, bytearray, Mapping, tuple, list, set, frozenset)
# Load balancers, HTTP APIs and function URLs leave these bodies as they are, and encode all others.
_TEXT = re.compile(r"text/.*|application/(json|javascript|xml|.*\+json|.*\+xml)")


@dataclass(frozen=True)
class HTTPRequest:
    """What a client sends.

    Attributes:
        method: in upper case.
        path: percent-encoded, from the slash on.
        query: names and values, decoded, in order.
        raw_query: the same as it stands in the URL.
        headers: names and values in order, names as the client wrote them.
        body: ``None`` where there is none.
        is_text: whether the body was given as text.
    """

    method: str
    path: str
    query: Pairs
    raw_query: str
    headers: Pairs
    body: bytes | None
    is_text: bool

    @classmethod
    def of(
        cls, method: str, path: str, *, query: Query | None = None, headers: Headers | None = None, body: Any = None
    ) -> HTTPRequest:
        """Read what the builders take; see `fleece_testing.events.request`.

        Raises:
            TypeError, ValueError: no client could send it.
        """
        path, _, raw_query = checked_text("path", path).partition("?")
        if query is not None:
            encoded = query if isinstance(query, str) else urlencode(pairs_of("query", query))
            raw_query = "&".join(filter(None, [raw_query, encoded]))
        raw_query = quote(raw_query, safe=_QUERY_CHARACTERS)
        given = [] if headers is None else pairs_of("headers", headers)
        content, content_type = _content(body)
        if content_type and _first(given, "content-type") is None:
            given.append(("Content-Type", content_type))
        return cls(
            method=checked_text("method", method).upper(),
            path=quote(path if path.startswith("/") else f"/{path}", safe=_PATH_CHARACTERS),
            query=parse_qsl(raw_query, keep_blank_values=True),
            raw_query=raw_query,
            headers=given,
            body=content,
            is_text=not isinstance(body, (bytes, bytearray)),
        )

    @property
    def decoded_path(self) -> str:
        """The path with its escapes resolved once."""
        return unquote(self.path)

    def header(self, name: str, default: str = "") -> str:
        """Return the first header of that name, in any case."""
        found = _first(self.headers, name)
        return default if found is None else found

    def with_headers(self, *, domain: str, source_ip: str, scheme: str = "https", length: bool = True) -> Pairs:
        """Return the headers as they are after the last hop: with the client's address and the length of the body."""
        checked_text("source_ip", source_ip)
        own = {"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "content-length"}
        claimed = [value for name, value in self.headers if name.lower() == "x-forwarded-for"]
        added = [
            ("Host", checked_text("domain", domain)),
            ("X-Forwarded-For", ", ".join([*claimed, source_ip])),
            ("X-Forwarded-Port", "443" if scheme == "https" else "80"),
            ("X-Forwarded-Proto", scheme),
        ]
        if self.body is not None and length:
            added.append(("Content-Length", str(len(self.body))))
        return [header for header in self.headers if header[0].lower() not in own] + added

    def body_fields(self, *, binary: bool | None = None) -> Event:
        """Return ``body`` and ``isBase64Encoded``; whether it is binary goes by the content type unless given."""
        if self.body is None:
            return {"body": None, "isBase64Encoded": False}
        if binary is None:
            content_type = self.header("content-type").partition(";")[0].strip().lower()
            binary = not _TEXT.fullmatch(content_type) or bool(self.header("content-encoding"))
        if binary:
            return {"body": base64.b64encode(self.body).decode(), "isBase64Encoded": True}
        return {"body": self.body.decode("utf-8", "replace"), "isBase64Encoded": False}


def last_values(pairs: Pairs) -> dict[str, str]:
    """Return the last value of each name, as the single-value maps have it."""
    return dict(pairs)


def all_values(pairs: Pairs) -> dict[str, list[str]]:
    """Return all values of each name, as the multi-value maps have them."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def joined_values(pairs: Pairs) -> dict[str, str]:
    """Return the values of each name joined by commas, as payload 2.0 has them."""
    return {name: ",".join(values) for name, values in all_values(pairs).items()}


def match_route(route: str, path: str) -> dict[str, str]:
    """Return the parameters that a route such as ``/users/{id}/{rest+}`` finds in a path.

    Raises:
        ValueError: the path is not one of the route's.
    """
    pattern, end = "", 0
    for part in _ROUTE_PART.finditer(checked_text("route", route)):
        pattern += re.escape(route[end : part.start()]) + ("(.+)" if part[2] else "([^/]+)")
        end = part.end()
    found = re.fullmatch(pattern + re.escape(route[end:]), path, re.DOTALL)
    if found is None:
        raise ValueError(f"The path {path!r} does not fit the route {route!r}")
    return dict(zip([part[1] for part in _ROUTE_PART.finditer(route)], found.groups(), strict=True))


def _content(body: Any) -> tuple[bytes | None, str]:
    """Return the bytes of a body, and the content type that goes without saying."""
    if body is None:
        return None, ""
    if isinstance(body, (bytes, bytearray)):
        return bytes(body), "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    return json_text("body", body).encode(), "application/json"


def pairs_of(what: str, given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Pairs:
    """Return names with a value each; where a list of values was given, the name comes once for each of them.

    Args:
        what: what they are, for the message.
        given: a dictionary or pairs.

    Raises:
        TypeError: it is neither; a name is no text, or a value nothing that has one text.
    """
    items = list(given.items() if isinstance(given, Mapping) else given if _is_listed(given) else [given])
    pairs: Pairs = []
    for item in items:
        if not (isinstance(item, (tuple, list)) and len(item) == 2):  # noqa: PLR2004 (a name and a value)
            raise TypeError(f"{what} must be a dictionary or a list of pairs: {given!r} was given")
        name, value = checked_text(f"A name in {what}", item[0]), item[1]
        for one in value if isinstance(value, (tuple, list)) else [value]:
            if one is None or isinstance(one, _WITHOUT_TEXT):
                raise TypeError(f"{what} must have a text or a list of texts for each name: {name!r} has {one!r}")
            pairs.append((name, str(one)))
    return pairs


def _is_listed(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, (str, bytes))


def _first(headers: Pairs, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)
