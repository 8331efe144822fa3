"""The parts of an event, each checked as it is taken: what is missing is empty, what is of a wrong type is refused."""

from __future__ import annotations

import base64
import binascii
import string
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fleece.handlers._http import latin_1

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    return [item if isinstance(item, str) else _scalar(item, name) for item in value]


def pairs(parent: dict[str, Any], multi_value: str, single_value: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the multi-value map, or of the single-value one when the former is not there."""
    for name, value in (mapping(parent, multi_value) or mapping(parent, single_value)).items():
        if isinstance(value, list):
            for item in value:
                yield name, item if isinstance(item, str) else _scalar(item, name)
        else:
            yield name, value if isinstance(value, str) else _scalar(value, name)


def headers(parent: dict[str, Any], multi_value: str, single_value: str) -> list[tuple[str, str]]:
    """Return the headers of an event with their names in lower case."""
    return [(name.lower(), latin_1(value)) for name, value in pairs(parent, multi_value, single_value)]


def body(event: dict[str, Any]) -> bytes:
    """Return the body of a proxy event as the bytes that the client sent."""
    content = text(event, "body")
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(content, validate=True)
        return content.encode()
    except binascii.Error:
        raise BadRequestError("The body is not valid base64") from None
    except UnicodeError:
        raise BadRequestError("The body is not valid text") from None


def encoded(query: str) -> str:
    """Return a query string that arrived percent-encoded, with what was not encoded after all encoded."""
    try:
        return query if query.isascii() else quote(query, safe=_PRINTABLE)
    except UnicodeError:
        raise BadRequestError("The query string is not valid text") from None


def _scalar(value: Any, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise BadRequestError(f"The event's {name} is not text")
