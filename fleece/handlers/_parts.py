"""The parts of an event, each checked as it is taken: what is missing is empty, what is of a wrong type is refused."""

from __future__ import annotations

import base64
import string
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from fleece.handlers._headers import RequestHeaders, names_of
from fleece.handlers._http import latin_1

_PRINTABLE = string.ascii_letters + string.digits + string.punctuation


class BadRequestError(ValueError):
    """A part of the event that the client controls makes no sense. The message is for the client."""


def mapping(parent: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object of that name, an empty one when it is missing or null."""
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequestError(f"The event's {name} is not an object")
    return value


def text(parent: dict[str, Any], name: str) -> str:
    """Return the text of that name, an empty one when it is missing or null."""
    value = parent.get(name)
    return value if isinstance(value, str) else _scalar(value, name)


def texts(parent: dict[str, Any], name: str) -> list[str]:
    """Return the list of texts of that name, an empty one when it is missing or null."""
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequestError(f"The event's {name} is not a list")
    return [_text(item, name) for item in value]


def pairs(parent: dict[str, Any], multi_value: str, single_value: str) -> list[tuple[str, str]]:
    """Return the names and values of the multi-value map, or of the single-value one where the former is not there."""
    found = []
    for name, value in (mapping(parent, multi_value) or mapping(parent, single_value)).items():
        for item in value if isinstance(value, list) else [value]:
            found.append((name, item if isinstance(item, str) else _scalar(item, name)))  # noqa: PERF401 (no slower here)
    return found


def headers(parent: dict[str, Any], multi_value: str, single_value: str) -> RequestHeaders:
    """Return the headers of either map, as `pairs` does."""
    multi = mapping(parent, multi_value)
    given = multi or mapping(parent, single_value)
    try:  # what is nearly always so: one value each, of ASCII; much quicker than asking each
        column = [value for [value] in multi.values()] if multi else list(given.values())
        found = RequestHeaders(names_of(tuple(given)), column)
        is_ascii = "".join(column).isascii()
    except (TypeError, ValueError):
        found = RequestHeaders.of(pairs(parent, multi_value, single_value))
        is_ascii = "".join(found.column).isascii()
    return found if is_ascii else RequestHeaders(found.names, [latin_1(value) for value in found.column])


def body(event: dict[str, Any]) -> bytes:
    """Return the body of a proxy event as the bytes that the client sent."""
    content = text(event, "body")
    if not content:
        return b""
    is_base64 = bool(event.get("isBase64Encoded"))
    try:
        return base64.b64decode(content, validate=True) if is_base64 else content.encode()
    except ValueError:
        raise BadRequestError(f"The body is not valid {'base64' if is_base64 else 'text'}") from None


def decoded(path: str) -> str:
    """Return a path that arrived percent-encoded, decoded."""
    return unquote(path) if "%" in path else path


def form_encoded(names_and_values: list[tuple[str, str]]) -> str:
    """Return a query string of what arrived decoded."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in names_and_values])


def encoded(query: str) -> str:
    """Return a query string that arrived percent-encoded, with what was not encoded after all encoded."""
    try:
        return query if query.isascii() else quote(query, safe=_PRINTABLE)
    except UnicodeError:
        raise BadRequestError("The query string is not valid text") from None


def is_text(value: str) -> bool:
    """Whether a value can be written in UTF-8, as half of a surrogate pair, which JSON has a way to say, cannot."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _quoted(value: str) -> str:
    if value.isalnum() and value.isascii():  # nearly all names and numbers: ten times faster than asking
        return value
    try:
        return quote_plus(value)
    except UnicodeError:
        raise BadRequestError("The query string is not valid text") from None


def _text(value: Any, name: str) -> str:
    return value if isinstance(value, str) else _scalar(value, name)


def _scalar(value: Any, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise BadRequestError(f"The event's {name} is not text")
