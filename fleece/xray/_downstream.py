"""The trace header of a call to another service."""

from __future__ import annotations

from contextlib import suppress

from fleece.xray._context import HEADER, trace_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any


class OwnTraceHeader(str):
    """A value that fleece has put there and the caller has not: when a request is sent again, it is replaced."""

    __slots__ = ()


def pass_on(headers: MutableMapping[str, Any], replaceable: Callable[[Any], bool]) -> None:
    """Put the trace into a request's headers, unless there is a trace header that is not `replaceable`."""
    with suppress(Exception):
        value = trace_header()
        present = [name for name in headers if name.lower() == HEADER.lower()]
        if value is None or not all(replaceable(headers[name]) for name in present):
            return
        for name in present:
            del headers[name]
        headers[HEADER] = OwnTraceHeader(value)
