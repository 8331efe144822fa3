"""The header that ties an invocation to its X-Ray trace, as tracing and logging both read it."""

from __future__ import annotations

import os
from collections import namedtuple
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class TraceHeader(NamedTuple):
        """What a trace header says; a part that is missing or malformed is ``None``, ``False`` or empty."""

        root: str | None
        parent: str | None
        sampled: bool
        other: str
        """The other fields, such as ``Lineage=...``, as they are sent on: joined by semicolons."""
else:
    TraceHeader = namedtuple("TraceHeader", "root parent sampled other")  # noqa: PYI024 (its typed twin is above)

ENVIRONMENT_VARIABLE = "_X_AMZN_TRACE_ID"
"""Where Lambda puts the header of each invocation, before it calls the handler."""

_VERSION = "1"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_LONGEST_NAME = 64
_LONGEST_VALUE = 256
_MOST_OTHER_FIELDS = 8
# `Self` is the hop before this one, which is nobody's business after it.
_OWN_FIELDS = frozenset({"root", "parent", "sampled", "self"})


# No patterns: `re` would be a third of what importing fleece.xray costs.


def is_trace_id(text: str | None) -> bool:
    """Whether `text` is a trace's id: ``1-8hex-24hex``."""
    version, _, ids = (text or "").partition("-")
    seconds, _, number = ids.partition("-")
    return version == _VERSION and _is_hex(seconds, 8) and _is_hex(number, 24)


def is_subsegment_id(text: str | None) -> bool:
    """Whether `text` is the id of a segment or a subsegment: 16 hex digits."""
    return text is not None and _is_hex(text, 16)


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and _HEX_DIGITS.issuperset(text)


def _can_be_sent_on(part: str) -> bool:
    """Whether a part of a header is a field that cannot end the header, or start another."""
    name, equals, value = part.partition("=")
    return (
        equals == "="
        and 0 < len(name) <= _LONGEST_NAME
        and _NAME_CHARACTERS.issuperset(name)
        and len(value) <= _LONGEST_VALUE
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


@lru_cache(maxsize=16)
def parse_trace_header(text: str) -> TraceHeader:
    """Read a trace header, such as ``Root=1-...;Parent=...;Sampled=1;Lineage=...``; garbage is a header of nothing."""
    parts = [part.strip() for part in text.split(";")]
    fields = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    others = [part for part in parts if _can_be_sent_on(part) and part.partition("=")[0].lower() not in _OWN_FIELDS]
    root, parent = fields.get("root"), fields.get("parent")
    return TraceHeader(
        root=root if is_trace_id(root) else None,
        parent=parent if is_subsegment_id(parent) else None,
        sampled=fields.get("sampled") == "1",
        other=";".join(others[:_MOST_OTHER_FIELDS]),
    )


def environment_trace() -> TraceHeader:
    """The trace that the environment names at this moment."""
    return parse_trace_header(os.environ.get(ENVIRONMENT_VARIABLE, ""))
