"""A trace as a waterfall: what was called, by what, when and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from fleece_testing._text import printable

if TYPE_CHECKING:
    from fleece_testing._xray_traces import Node, Trace

_BAR_WIDTHS = (12, 48)  # the least and the most
_REMARK_WIDTH = 20  # what is left for the last column before bars are made shorter


@dataclass(frozen=True)
class Row:
    """One subsegment of the picture; `start` and `seconds` count from the start of the trace."""

    name: str
    depth: int
    start: float
    seconds: float | None
    """None for a subsegment that was opened and never closed."""
    state: str
    """``ok``, ``error``, ``throttle`` or ``fault``, as X-Ray has them, or ``in progress``."""
    remark: str


def rows(trace: Trace) -> list[Row]:
    """Return the subsegments of the trace, callers first."""
    begin = min((float(root.document["start_time"]) for root in trace.roots), default=0.0)
    return [_row(node, depth, begin) for root in trace.roots for depth, node in root.walk_with_depth()]


def _row(node: Node, depth: int, begin: float) -> Row:
    document = node.document
    start = float(document["start_time"])
    return Row(
        name=node.name,
        depth=depth,
        start=start - begin,
        seconds=float(document["end_time"]) - start if "end_time" in document else None,
        state=_state(document),
        remark=_remark(document),
    )


def _state(document: dict[str, Any]) -> str:
    if document.get("in_progress"):
        return "in progress"
    return next((state for state in ("fault", "throttle", "error") if document.get(state)), "ok")


def _remark(document: dict[str, Any]) -> str:
    """Return what tells one call of a kind from another: the operation, or method, address and status."""
    aws = document.get("aws", {})
    http = document.get("http", {})
    request, response = http.get("request", {}), http.get("response", {})
    parts = [aws.get("operation"), request.get("method"), request.get("url"), response.get("status")]
    parts += [f"{key}={value}" for key, value in document.get("annotations", {}).items()]
    return " ".join(str(part) for part in parts if part is not None)


_COLOURS = {"ok": "green", "error": "yellow", "throttle": "yellow", "fault": "red", "in progress": "magenta"}


def waterfall(trace: Trace, width: int = 120) -> Table:
    """Draw the trace: a line for each subsegment, with a bar where it ran; `width` is that of the console."""
    lines = rows(trace)
    total = max((row.start + (row.seconds or 0.0) for row in lines), default=0.0)
    names = ["  " * row.depth + printable(row.name) for row in lines]
    taken = cell_len(max(names, key=cell_len, default="")) + len(_ms(total)) + 3 + _REMARK_WIDTH
    shortest, longest = _BAR_WIDTHS
    cells = min(max(width - taken, shortest), longest)
    table = Table(
        title=f"Trace {trace.id}", title_justify="left", box=None, pad_edge=False, collapse_padding=True, expand=True
    )
    table.add_column("subsegment", no_wrap=True)
    table.add_column(Text(f"0{_ms(total).rjust(cells - 1)}"), no_wrap=True, min_width=cells)
    table.add_column("ms", justify="right", no_wrap=True, min_width=len(_ms(total)))
    table.add_column("what", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, row in zip(names, lines, strict=True):
        table.add_row(
            Text(name),
            Text(_bar(row, total, cells), style=_COLOURS[row.state]),
            "" if row.seconds is None else _ms(row.seconds),
            Text(printable(row.remark if row.state == "ok" else f"[{row.state}] {row.remark}"), style="dim"),
        )
    return table


def _bar(row: Row, total: float, cells: int) -> str:
    """Return the bar of one line; the shortest call still shows as one cell."""
    seconds = total - row.start if row.seconds is None else row.seconds
    # In this order of operations: a quotient by a tiny total overflows.
    before, during = (part / total * cells if total > 0 else 0.0 for part in (row.start, seconds))
    start = min(int(before), cells - 1)
    length = max(1, min(round(during), cells - start))
    return "·" * start + ("░" if row.seconds is None else "█") * length + "·" * (cells - start - length)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
