"""The event of yoke's request template in a flatter form, with nothing missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime, timezone
from typing import Any

__all__ = ["CaseInsensitiveDict", "format_event"]

_CONTEXT_ATTRIBUTES = (
    "aws_request_id",
    "client_context",
    "function_name",
    "function_version",
    "invoked_function_arn",
    "log_group_name",
    "log_stream_name",
    "memory_limit_in_mb",
)


class CaseInsensitiveDict(MutableMapping[str, Any]):
    """A dict that finds its keys in any case, and keeps them as they were last set."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._items: dict[str, tuple[str, Any]] = {}
        self.update(values or {})

    def __getitem__(self, key: str) -> Any:
        return self._items[key.lower()][1]

    def __setitem__(self, key: str, value: Any) -> None:
        self._items[key.lower()] = (key, value)

    def __delitem__(self, key: str) -> None:
        del self._items[key.lower()]

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self._by_lower_case() == CaseInsensitiveDict(other)._by_lower_case()

    __hash__ = None  # type: ignore[assignment]  # as of every dict

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)})"

    def copy(self) -> CaseInsensitiveDict:
        """Return another of the same keys and values."""
        return CaseInsensitiveDict(self)

    def _by_lower_case(self) -> dict[str, Any]:
        return {name: value for name, (_, value) in self._items.items()}


def format_event(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Flatten an event of yoke's request template.

    Args:
        event: the event; whatever is missing in it, or in a place where something else belongs, is empty in the result.
        context: Lambda's context object; what it lacks is None in the result.

    Returns:
        ``requested-at`` (now, ISO 8601 in UTC), ``context`` (a dict of the context object's attributes, and the
        milliseconds that remain under ``get_remaining_time_in_millis``), ``operation``, ``requestor``, ``body``,
        ``path``, ``querystring``, ``header`` (found in any case), ``gateway``.
    """
    parameters = _part(event, "parameters")
    request = _part(parameters, "request")
    header = _part(request, "header")
    return {
        "requested-at": datetime.now(timezone.utc).isoformat(),
        "context": _context_attributes(context),
        "operation": _part(event, "operation", ""),
        "requestor": _part(parameters, "requestor"),
        "body": _part(request, "body"),
        "path": _part(request, "path"),
        "querystring": _part(request, "querystring"),
        "header": CaseInsensitiveDict(header if isinstance(header, Mapping) else {}),
        "gateway": _part(parameters, "gateway"),
    }


def _part(parent: Any, name: str, empty: Any = None) -> Any:
    value = parent.get(name) if isinstance(parent, Mapping) else None
    if value is None:
        return {} if empty is None else empty
    return value


def _context_attributes(context: Any) -> dict[str, Any]:
    attributes = {name: getattr(context, name, None) for name in _CONTEXT_ATTRIBUTES}
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return {**attributes, "get_remaining_time_in_millis": remaining() if callable(remaining) else None}
