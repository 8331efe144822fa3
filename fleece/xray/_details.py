"""The fields that a subsegment may have besides the essential ones, and what of a value is of the right form; pure."""

from __future__ import annotations

from fleece._trace_header import is_subsegment_id
from fleece.xray._document import SAFE_BITS, safe_metadata, to_safe_annotation_key, to_safe_annotation_value
from fleece.xray._redact import MAX_TEXT, recordable_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fleece.xray._document import Document

MAX_LIST = 50


def details(fields: Mapping[str, Any]) -> Document:
    """Return those of `fields` that a subsegment may have, and of these what is of the right form."""
    checked = {name: check(fields[name]) for name, check in _DETAILS.items() if name in fields}
    return {name: value for name, value in checked.items() if value is not None}


# Each of these returns what of a value is of the right form; None where nothing is.


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    is_integer = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= SAFE_BITS
    return int(value) if is_integer else None


def _short_text(value: Any) -> str | None:
    return recordable_text(value) if isinstance(value, str) else None


def _plain_text(value: Any) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None


def _url(value: Any) -> str | None:
    """Leave out what may be secret in a URL: the query, and ``user:password@``."""
    if not isinstance(value, str):
        return None
    scheme, colon, rest = value.partition("?")[0].partition("#")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{colon}{authority.rpartition('@')[2]}{slash}{path}"[:MAX_TEXT]


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) and is_subsegment_id(value) else None


def _object(**fields: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any] | None]:
    def check(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        checked = {name: field(value[name]) for name, field in fields.items() if name in value}
        return {name: field for name, field in checked.items() if field is not None}

    return check


def _list(item: Callable[[Any], Any], needs: str) -> Callable[[Any], list[Any] | None]:
    def check(value: Any) -> list[Any] | None:
        if not isinstance(value, list):
            return None
        return [one for one in map(item, value[:MAX_LIST]) if one is not None and needs in one]

    return check


def _annotations(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    return {to_safe_annotation_key(key): to_safe_annotation_value(item) for key, item in value.items()}


_FRAME = _object(path=_short_text, line=_integer, label=_short_text)
_EXCEPTION = _object(
    id=_id, message=_short_text, type=_short_text, remote=_flag, truncated=_integer, cause=_id,
    stack=_list(_FRAME, "path"),
)  # fmt: skip
_CAUSE = _object(working_directory=_short_text, exceptions=_list(_EXCEPTION, "id"))
_DETAILS: dict[str, Callable[[Any], Any]] = {
    "annotations": _annotations,
    "metadata": safe_metadata,
    "http": _object(
        request=_object(method=_plain_text, url=_url, traced=_flag),
        response=_object(status=_integer, content_length=_integer),
    ),
    "aws": _object(
        operation=_plain_text, region=_plain_text, request_id=_plain_text, account_id=_plain_text,
        table_name=_plain_text, queue_url=_url,
    ),
    "cause": lambda value: _id(value) or _CAUSE(value),
    "error": _flag,
    "throttle": _flag,
    "fault": _flag,
}  # fmt: skip
