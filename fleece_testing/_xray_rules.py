"""What the X-Ray daemon and the X-Ray service refuse, as pure functions of bytes and documents.

The daemon looks at the header line alone and sends the rest on verbatim; the service then reports a bad document as
unprocessed. In both cases nobody is told, and the trace is simply not there: hence a stub that says it.

Sources: the daemon's own behaviour for the header, and "AWS X-Ray segment documents" in the X-Ray developer guide.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

Document: TypeAlias = dict[str, Any]

MAX_DATAGRAM = 65_507
"""The largest payload of a UDP datagram over IPv4, in bytes."""

MAX_DOCUMENT = 64_000
"""The service's "64 kB", in bytes, taken at its smaller meaning."""

NAMESPACES = frozenset({"aws", "remote"})
"""The values of `namespace` that the service documents; it may also be absent."""

MAX_NAME = 200
"""The longest name, in characters."""

_ID = re.compile(r"[0-9a-fA-F]{16}")
_TRACE_ID = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
_NAME = re.compile(r"[\w .:/%&#=+\\\-@]+")
_ANNOTATION_KEY = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Refused:
    """A datagram that the daemon or the service would have dropped, and why.

    Examples:
        >>> from fleece_testing.xray_daemon import validate
        >>> validate(b"no header")
        Refused(datagram=b'no header', reason='there is no newline between a header and a document')
    """

    datagram: bytes
    reason: str


def validate(datagram: bytes, namespaces: Collection[str] = NAMESPACES) -> Document | Refused:
    """Return the document of a datagram, or why it would not have become part of a trace.

    Examples:
        >>> validate(b"no newline").reason
        '...'
    """
    try:
        return _parse(datagram, namespaces)
    except ValueError as error:
        return Refused(datagram, str(error))
    except RecursionError:  # of Python's JSON parser
        return Refused(datagram, "the document is nested too deeply")


def check_document(document: Any, namespaces: Collection[str] = NAMESPACES) -> None:
    """Check a segment or subsegment document that travels on its own.

    Raises:
        ValueError: what the service has against it, and where.
    """
    _check(isinstance(document, dict), "the document", document, "one JSON object")
    kind = document.get("type")
    _check(kind in (None, "segment", "subsegment"), "type", kind, 'absent, "segment" or "subsegment"')
    _check(_matches(_TRACE_ID, document.get("trace_id")), "trace_id", document.get("trace_id"), "1-8hex-24hex")
    if kind == "subsegment" or "parent_id" in document:
        _check_id(document, "parent_id")
    for path, segment in _with_embedded(document):
        _check_segment(segment, namespaces, path)


def _parse(datagram: bytes, namespaces: Collection[str]) -> Document:
    _check(len(datagram) <= MAX_DATAGRAM, "the datagram's length", len(datagram), f"at most {MAX_DATAGRAM} bytes")
    header, newline, body = datagram.partition(b"\n")
    if not newline:
        raise ValueError("there is no newline between a header and a document")
    _check_header(header)
    _check(len(body) <= MAX_DOCUMENT, "the document's length", len(body), f"at most {MAX_DOCUMENT} bytes")
    if not body.strip():
        raise ValueError("there is no document after the header line")
    document: Document = _load(body, "the document")
    check_document(document, namespaces)
    return document


def _check_header(line: bytes) -> None:
    header = _load(line, "the header line")
    _check(isinstance(header, dict), "the header line", header, 'a JSON object, {"format": "json", "version": 1}')
    kind, version = header.get("format"), header.get("version")
    _check(isinstance(kind, str) and kind.lower() == "json", "the header's format", kind, '"json"')
    _check(type(version) is int and version == 1, "the header's version", version, "the integer 1")


def _load(text: bytes, what: str) -> Any:
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except ValueError as error:
        raise ValueError(f"{what} is not JSON ({error}): {_shown(text)}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _with_embedded(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield the document and each subsegment within it, with the path that leads there (and ends with a dot)."""
    waiting = [("", document)]
    while waiting:
        path, segment = waiting.pop()
        yield path, segment
        subsegments = segment.get("subsegments", [])
        _check(isinstance(subsegments, list), f"{path}subsegments", subsegments, "an array")
        places = [f"{path}subsegments[{index}]" for index in range(len(subsegments))]
        waiting += [(f"{at}.", _object(one, at)) for at, one in zip(places, subsegments, strict=True)]


def _check_segment(document: Document, namespaces: Collection[str], path: str) -> None:
    """Check what segments and subsegments have in common, embedded or not; `path` leads to an embedded one."""
    _check_name(document.get("name"), f"{path}name")
    _check_id(document, "id", path)
    _check_times(document, path)
    if "namespace" in document:
        wanted = f"absent or one of {', '.join(sorted(namespaces))}"
        _check(document["namespace"] in list(namespaces), f"{path}namespace", document["namespace"], wanted)
    for flag in ("error", "throttle", "fault"):
        _check(isinstance(document.get(flag, False), bool), f"{path}{flag}", document.get(flag), "true or false")
    for part, check in _PARTS.items():
        if part in document:
            check(document[part], path + part)


def _check_name(name: Any, path: str) -> None:
    allowed = r"letters, digits, spaces and _ . : / % & # = + \ - @"
    _check(_matches(_NAME, name), path, name, allowed)
    _check(len(name) <= MAX_NAME, path, name, f"at most {MAX_NAME} characters")


def _check_times(document: Document, path: str) -> None:
    start = document.get("start_time")
    _check(_is_number(start), f"{path}start_time", start, "a number of seconds since 1970")
    in_progress = document.get("in_progress", False)
    _check(isinstance(in_progress, bool), f"{path}in_progress", in_progress, "true or false")
    if in_progress:
        _check("end_time" not in document, f"{path}end_time", document.get("end_time"), "absent while in progress")
    else:
        end = document.get("end_time")
        _check(_is_number(end), f"{path}end_time", end, "a number of seconds since 1970, or in_progress true")


def _check_annotations(annotations: Any, path: str) -> None:
    for key, value in _object(annotations, path).items():
        _check(_matches(_ANNOTATION_KEY, key), f"the key of {path}", key, "letters A to Z, digits and underscores")
        simple = isinstance(value, (str, bool)) or _is_number(value)
        _check(simple, f"{path}.{key}", value, "a string, a number or a boolean")


def _check_metadata(metadata: Any, path: str) -> None:
    for namespace, values in _object(metadata, path).items():
        _object(values, f"{path}.{namespace}")


def _check_http(http: Any, path: str) -> None:
    _object(http, path)
    _check_fields(
        _object(http.get("request", {}), f"{path}.request"),
        f"{path}.request",
        {"method": str, "url": str, "traced": bool, "user_agent": str, "client_ip": str, "x_forwarded_for": bool},
    )
    response = _object(http.get("response", {}), f"{path}.response")
    _check_fields(response, f"{path}.response", {"status": int, "content_length": int})


def _check_aws(aws: Any, path: str) -> None:
    texts = ("operation", "region", "request_id", "account_id", "table_name", "queue_url")
    _check_fields(_object(aws, path), path, dict.fromkeys(texts, str))


def _check_cause(cause: Any, path: str) -> None:
    if _matches(_ID, cause):  # the id of an exception that another document has already told
        return
    _check_fields(_object(cause, path), path, {"working_directory": str, "paths": list, "exceptions": list})
    for index, exception in enumerate(cause.get("exceptions", [])):
        _check_exception(exception, f"{path}.exceptions[{index}]")


def _check_exception(exception: Any, path: str) -> None:
    _check_id(_object(exception, path), "id", f"{path}.")
    if "cause" in exception:
        _check_id(exception, "cause", f"{path}.")
    _check_fields(
        exception, path, {"message": str, "type": str, "remote": bool, "truncated": int, "skipped": int, "stack": list}
    )
    for index, frame in enumerate(exception.get("stack", [])):
        at = f"{path}.stack[{index}]"
        _check_fields(_object(frame, at), at, {"path": str, "line": int, "label": str})


_PARTS: dict[str, Callable[[Any, str], None]] = {
    "annotations": _check_annotations,
    "metadata": _check_metadata,
    "http": _check_http,
    "aws": _check_aws,
    "cause": _check_cause,
}


def _check_fields(value: dict[str, Any], path: str, types: dict[str, type]) -> None:
    """Check the fields that are there; a boolean is not an integer here, as it is not one in JSON."""
    for name, wanted in types.items():
        if name in value:
            _check(type(value[name]) is wanted, f"{path}.{name}", value[name], _JSON_NAMES[wanted])


_JSON_NAMES = {str: "a string", bool: "true or false", int: "an integer", list: "an array"}


def _check_id(value: dict[str, Any], name: str, path: str = "") -> None:
    _check(_matches(_ID, value.get(name)), f"{path}{name}", value.get(name), "16 hexadecimal digits")


def _object(value: Any, path: str) -> dict[str, Any]:
    _check(isinstance(value, dict), path, value, "an object")
    return value  # type: ignore[no-any-return]


def _check(holds: bool, what: str, found: Any, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{what} is {_shown(found)}, but must be {wanted}")


def _shown(value: Any) -> str:
    """Show others' text with control characters escaped, on one line, and short."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    shown = ascii(text)
    return shown if len(shown) <= 120 else f"{shown[:120]}..."  # noqa: PLR2004 (a line of a terminal)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
