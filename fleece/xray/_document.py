"""Documents as the X-Ray daemon and service take them; pure.

A datagram is a header line and one JSON document of at most 64 kB. One that would be larger loses what is least missed,
and says so; none is ever refused, here or by the service. Field by field: "AWS X-Ray segment documents" in the X-Ray
developer guide.
"""

from __future__ import annotations

import math
from functools import lru_cache

from fleece.xray._redact import recordable
from fleece.xray._text import from_json, json_object, pattern, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Document: TypeAlias = dict[str, Any]

MAX_DOCUMENT = 64_000
"""Bytes: the service's "64 kB" at its smaller meaning."""
MAX_NAME = 200
MAX_ANNOTATION_KEY = 500
MAX_ANNOTATION_VALUE = 1_000

_HEADER = '{"format": "json", "version": 1}\n'
_NOT_IN_NAMES = r"[^\w .:/%&#=+\\\-@]"
_NOT_IN_KEYS = r"[^A-Za-z0-9_]"
_NAMESPACES = ("aws", "remote")
SAFE_BITS = 53
"""Of an integer: the service's numbers are doubles."""
_TOO_MANY_REQUESTS = 429
_ESSENTIAL = (
    "type", "id", "trace_id", "parent_id", "name", "namespace", "start_time", "end_time", "in_progress",
    "error", "throttle", "fault",
)  # fmt: skip


def opening(
    subsegment_id: str, trace_id: str | None, parent_id: str | None, name: str, namespace: str | None, start: str
) -> str:
    """Return the beginning of a datagram: what is known when a subsegment opens.

    As text, because the document that is sent then and the one that is sent at the end both begin with it.

    Args:
        subsegment_id: 16 hex digits, as `parent_id`.
        trace_id: ``1-8hex-24hex``.
        parent_id: of the segment or subsegment that it is part of.
        name: any; see `safe_name`.
        namespace: ``aws`` or ``remote``; any other is left out.
        start: from `seconds`.
    """
    return (
        f'{_HEADER}{{"type":"subsegment","id":"{subsegment_id}","trace_id":"{trace_id}","parent_id":"{parent_id}",'
        f'{_named(name, namespace)}"start_time":{start},'
    )


def members(fields: Document, annotations: dict[str, Any] | None = None) -> str:
    """Return the fields of a document that are not in its `opening`, in JSON.

    Args:
        fields: from `details` and its kin.
        annotations: by `to_safe_annotation_key`, and made by `to_safe_annotation_value`.
    """
    if annotations:
        fields = {**fields, "annotations": annotations}
    return f"{to_json(fields)[1:-1]}," if fields else ""


def metadata_member(arguments: dict[str, str], metadata: dict[tuple[str, str], str]) -> str:
    """Return the metadata of a document, in JSON.

    Args:
        arguments: the arguments of the call, from `recordable_members`.
        metadata: other members of such objects, by namespace and name in JSON.
    """
    if not metadata:
        return f'"metadata":{{"arguments":{json_object(arguments.values())}}},' if arguments else ""
    by_namespace = {'"arguments"': {**arguments}} if arguments else {}
    for (namespace, name), member in metadata.items():
        by_namespace.setdefault(namespace, {})[name] = member
    namespaces = [f"{namespace}:{json_object(values.values())}" for namespace, values in by_namespace.items()]
    return f'"metadata":{json_object(namespaces)},'


def datagram(opening: str, members: str, end: str | None) -> bytes:
    """Return the datagram for a document, which is cut down when it is too large.

    Args:
        opening: from `opening`.
        members: from `members` and `metadata_member`.
        end: from `seconds`; None while the subsegment is in progress.
    """
    ending = '"in_progress":true}' if end is None else f'"end_time":{end}}}'
    text = f"{opening}{members}{ending}"
    if len(text) > len(_HEADER) + MAX_DOCUMENT:
        text = _HEADER + to_json(_fitted(from_json(text.removeprefix(_HEADER))))
    return text.encode("ascii")


def seconds(nanoseconds: int) -> str:
    """Return a time since 1970, in JSON, to the microsecond; digit by digit, as a float's would take twice as long."""
    digits = str(nanoseconds)
    return f"{digits[:-9]}.{digits[-9:-3]}"


@lru_cache(maxsize=256)
def _named(name: str, namespace: str | None) -> str:
    space = f'"namespace":"{namespace}",' if namespace in _NAMESPACES else ""
    return f'"name":{to_json(safe_name(name))},{space}'


def safe_name(name: str) -> str:
    """Return a name as the service takes it: 200 letters, digits, spaces and punctuation in X-Ray's alphabet."""
    return pattern(_NOT_IN_NAMES).sub("_", name[:MAX_NAME]) or "_"


def to_safe_annotation_key(key: object) -> str:
    """Return an annotation's key as the service takes it: other characters than ``A-Za-z0-9_`` become ``_``."""
    return pattern(_NOT_IN_KEYS).sub("_", _text(key)[:MAX_ANNOTATION_KEY]) or "_"


def to_safe_annotation_value(value: object) -> str | int | float | bool:
    """Return an annotation's value as the service takes it: a number, a boolean, or at most 1,000 characters."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value.bit_length() <= SAFE_BITS:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return _text(value)[:MAX_ANNOTATION_VALUE]


def safe_metadata(metadata: object) -> dict[str, dict[str, Any]]:
    """Return metadata by namespace, masked and bounded; what has no namespace goes into ``default``."""
    shown = from_json(recordable(metadata))
    if not isinstance(shown, dict):
        return {"default": {"value": shown}}
    by_namespace = {namespace: values for namespace, values in shown.items() if isinstance(values, dict)}
    others = {key: value for key, value in shown.items() if key not in by_namespace}
    if others:
        by_namespace["default"] = {**by_namespace.get("default", {}), **others}
    return by_namespace


def status_flags(status: object) -> dict[str, bool]:
    """Return what an HTTP status makes of a subsegment: an error, a throttled one, a fault, or nothing."""
    if not isinstance(status, int):
        return {}
    if status == _TOO_MANY_REQUESTS:
        return {"error": True, "throttle": True}
    return {400: {"error": True}, 500: {"fault": True}}.get(status // 100 * 100, {})


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 (whatever somebody's own __str__ raises)
        return f"<{type(value).__name__}>"


def _fitted(document: Document) -> Document:
    """Return `document` without as much as it takes to make it fit, marked as truncated."""
    lost: list[str] = []
    fitted = document
    for part, cut in _CUTS.items():  # pragma: no branch (what is left after the last always fits)
        lost.append(part)
        fitted = {**cut(fitted), "metadata": {"fleece": {"truncated": lost}}}
        if len(to_json(fitted)) <= MAX_DOCUMENT:
            break
    return fitted


def _without_stacks(document: Document) -> Document:
    cause = document.get("cause")
    if not isinstance(cause, dict):
        return document
    exceptions = [
        {**exception, "stack": [], "truncated": exception.get("truncated", 0) + len(exception.get("stack", []))}
        for exception in cause.get("exceptions", [])
    ]
    return {**document, "cause": {**cause, "exceptions": exceptions}}


def _essence(document: Document) -> Document:
    return {name: document[name] for name in _ESSENTIAL if name in document}


_CUTS: dict[str, Callable[[Document], Document]] = {
    "metadata": lambda document: document,  # the mark takes its place
    "stack": _without_stacks,
    "details": _essence,
}
