"""``fleece-local traces``: what the running stack's X-Ray daemon has received, as waterfalls or as JSON."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from fleece_testing._text import printable
from fleece_testing._xray_traces import build_traces
from fleece_testing.local import control
from fleece_testing.local.waterfall import waterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

    from fleece_testing._xray_traces import Trace
    from fleece_testing.xray_daemon import Document

_POLL = 0.25  # seconds
_QUIET = 0.5
_PATIENCE = 5.0


class Arrivals:
    """Documents as they come, and which traces have come to rest.

    A trace has no end that could be seen: it is at rest when nothing more has come for a while, and a longer while if
    something in it is in progress. If more comes afterwards, it comes to rest once more.

    Args:
        quiet: the while, in seconds.
        patience: the longer one.
    """

    def __init__(self, quiet: float = _QUIET, patience: float = _PATIENCE) -> None:
        self._quiet = quiet
        self._patience = patience
        self._documents: dict[str, list[Document]] = {}
        self._restless: dict[str, float] = {}

    def add(self, documents: Iterable[Document], now: float) -> None:
        """Take in what has come by `now`, in seconds of any clock."""
        for document in documents:
            self._documents.setdefault(document["trace_id"], []).append(document)
            self._restless[document["trace_id"]] = now

    def at_rest(self, now: float) -> list[Trace]:
        """Return the traces that have come to rest since the last time, whole, in the order of their arrival."""
        found = []
        for trace_id, since in sorted(self._restless.items(), key=lambda one: one[1]):
            (trace,) = build_traces(self._documents[trace_id])
            in_progress = any(node.in_progress for root in trace.roots for node in root.walk())
            if now - since >= (self._patience if in_progress else self._quiet):
                found.append(trace)
                del self._restless[trace_id]
        return found


def follow(url: str, tell: Callable[[str], None]) -> Iterator[Trace]:
    """Yield the traces of the stack at the address as they come to rest, until the stack ends.

    Args:
        url: the stack's address.
        tell: takes the reason for each datagram that its daemon refuses.
    """
    arrivals, position, told = Arrivals(), 0, 0
    while True:
        try:
            received = control.received(url, position)
        except control.GoneError:
            return
        position = received.position
        for reason in received.refused[told:]:
            tell(refusal(reason))
        told = len(received.refused)
        arrivals.add(received.documents, time.monotonic())
        yield from arrivals.at_rest(time.monotonic())
        time.sleep(_POLL)


def refusal(reason: str) -> str:
    """Return the warning about a datagram that was refused."""
    return f"Warning: X-Ray would have dropped a datagram: {printable(reason)}"


def as_document(trace: Trace) -> dict[str, Any]:
    """Return a trace for JSON: its id, and its subsegments without nesting, callers first."""
    # A subsegment that came within another has an entry of its own, with its parent's id.
    return {
        "trace_id": trace.id,
        "subsegments": [
            {name: value for name, value in node.document.items() if name != "subsegments"}
            for root in trace.roots
            for node in root.walk()
        ],
    }


def draw(console: Console, trace: Trace) -> None:
    """Show a trace as a waterfall, with an empty line after it."""
    console.print(waterfall(trace, console.width))
    console.print()


def write_all(url: str, console: Console, tell: Callable[[str], None], *, as_json: bool) -> None:
    """Write what the stack has received so far.

    Raises:
        GoneError: the stack has just ended.
    """
    received = control.received(url)
    traces = build_traces(received.documents)
    if as_json:
        documents = {"traces": [as_document(trace) for trace in traces], "refused": received.refused}
        console.file.write(json.dumps(documents, indent=2) + "\n")
        return
    for trace in traces:
        draw(console, trace)
    for reason in received.refused:
        tell(refusal(reason))
    if not traces:
        tell("No trace has come yet.")


def write_as_they_come(url: str, console: Console, tell: Callable[[str], None], *, as_json: bool) -> None:
    """Write each trace when it has come to rest, until the stack ends; as JSON, one document on each line."""
    for trace in follow(url, tell):
        if as_json:
            console.file.write(json.dumps(as_document(trace)) + "\n")
            console.file.flush()
        else:
            draw(console, trace)
    tell("The local stack has ended.")
