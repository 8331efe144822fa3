"""Which trace this invocation belongs to, and which subsegment is open around the running code.

Lambda puts the trace of each invocation into the environment before it calls the handler. It is read anew for every
subsegment, and an open subsegment counts only when it belongs to that very trace: a warm container never goes on with
the trace of its last invocation.
"""

from __future__ import annotations

import os
from collections import namedtuple
from contextvars import ContextVar

from fleece._trace_header import ENVIRONMENT_VARIABLE, environment_trace, parse_trace_header
from fleece.xray._environment import warn_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from fleece._trace_header import TraceHeader
    from fleece.xray._subsegment import Subsegment

    class XRayTraceID(NamedTuple):
        """The trace of this invocation: ``1-8hex-24hex``, the 16 hex digits of Lambda's segment, and the decision."""

        trace_id: str | None
        parent_id: str | None
        sampled: bool
else:
    XRayTraceID = namedtuple("XRayTraceID", "trace_id parent_id sampled")  # noqa: PYI024 (its typed twin is above)

HEADER = "X-Amzn-Trace-Id"

current: ContextVar[Subsegment | None] = ContextVar("fleece.xray.current", default=None)


def sampled_trace() -> TraceHeader | None:
    """The trace that subsegments are to be sent for; ``None`` means that calls go straight through."""
    # All that an untraced call pays for, hence not `environ.get`, which is two calls more where there is no variable.
    try:
        text = os.environ[ENVIRONMENT_VARIABLE]
    except KeyError:
        return None
    header = parse_trace_header(text)
    if header.root is None or header.parent is None:
        if text:
            warn_once(ENVIRONMENT_VARIABLE, text, "nothing is traced without Root=1-8HEX-24HEX;Parent=16HEX;Sampled=1")
        return None
    return header if header.sampled else None


def current_subsegment(header: TraceHeader) -> Subsegment | None:
    """The subsegment that is open around this code, if it is one of that trace."""
    subsegment = current.get()
    return subsegment if subsegment is not None and subsegment.header == header else None


def get_trace_id() -> XRayTraceID:
    """Return the trace of this invocation; ``XRayTraceID(None, None, False)`` when there is none."""
    header = environment_trace()
    return XRayTraceID(header.root, header.parent, header.sampled)


def get_parent_id() -> str | None:
    """Return the id that a new subsegment would have as its parent: the open one's, else Lambda's own segment's."""
    header = environment_trace()
    subsegment = current_subsegment(header)
    return header.parent if subsegment is None else subsegment.id


def trace_header() -> str | None:
    """Return the value of ``X-Amzn-Trace-Id`` for a call to another service; ``None`` when there is no trace.

    An invocation that is not sampled says so downstream (``Sampled=0``): without it, the next service would start a
    trace of its own.
    """
    header = environment_trace()
    if header.root is None:
        return None
    parent = get_parent_id()
    fields = [f"Root={header.root}"]
    if parent is not None:
        fields.append(f"Parent={parent}")
    fields.append("Sampled=1" if header.sampled else "Sampled=0")
    if header.other:
        fields.append(header.other)
    return ";".join(fields)


def generate_subsegment_id() -> str:
    """Return a new subsegment id: 16 hex digits.

    From the operating system: the state of the `random` module is the same in every restore of a SnapStart snapshot.
    """
    return os.urandom(8).hex()
