"""The header that ties an invocation to its X-Ray trace, as tracing and logging both read it."""

from __future__ import annotations

import os
import re
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

# Patterns are compiled at their first use, and not at import.
_TRACE_ID = r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}"
_SUBSEGMENT_ID = r"[0-9a-fA-F]{16}"
# Sent on to other services, so nothing passes that could end a header or start another.
_OTHER_FIELD = r"[A-Za-z0-9_.-]{1,64}=[!-:<-~]{0,256}"
_MOST_OTHER_FIELDS = 8
# `Self` is the hop before this one, which is nobody's business after it.
_OWN_FIELDS = frozenset({"root", "parent", "sampled", "self"})


def is_trace_id(text: str | None) -> bool:
    """Whether `text` is a trace's id: ``1-8hex-24hex``."""
    return text is not None and re.fullmatch(_TRACE_ID, text) is not None


def is_subsegment_id(text: str | None) -> bool:
    """Whether `text` is the id of a segment or a subsegment: 16 hex digits."""
    return text is not None and re.fullmatch(_SUBSEGMENT_ID, text) is not None


@lru_cache(maxsize=16)
def parse_trace_header(text: str) -> TraceHeader:
    """Read a trace header, such as ``Root=1-...;Parent=...;Sampled=1;Lineage=...``; garbage is a header of nothing."""
    parts = [part.strip() for part in text.split(";")]
    fields = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    others = [
        part for part in parts if re.fullmatch(_OTHER_FIELD, part) and part.partition("=")[0].lower() not in _OWN_FIELDS
    ]
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
