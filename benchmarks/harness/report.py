"""What is shown of figures: text for people, and JSON for programs. Pure functions, but for `machine`."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from harness.figures import Figure, Samples, quartiles
from harness.model import Extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.model import Bar, Row

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_VERDICTS = {True: "held", False: "MISSED", None: ""}
_HEADINGS = ("row", "compared", "measured", "quartiles", "bar", "")


@dataclass(frozen=True)
class Result:
    """A row that has been measured."""

    name: str
    row: Row
    samples: Samples
    figures: tuple[Figure, ...]


def seconds(value: float) -> str:
    """Return a time in the unit that suits it: ``1.23 µs``."""
    scale, unit = next((one for one in _UNITS if abs(value) >= one[0]), (1e-9, "ns"))
    return f"{value / scale:.3g} {unit}"


def contestants(result: Result) -> str:
    """Return a table of who took how long."""
    lines = [("", "median", "quartiles")]
    for name, values in result.samples.items():
        low, high = quartiles(values)
        lines.append((name, seconds(median(values)), f"{seconds(low)} .. {seconds(high)}"))
    rounds = len(next(iter(result.samples.values())))
    title = f"{result.name}: {result.row.work} ({result.row.clock} time, {rounds} rounds)"
    return f"{title}\n{_aligned(lines)}"


def bars(results: Iterable[Result]) -> str:
    """Return a table of what was asked, and what came out."""
    lines: list[tuple[str, ...]] = [_HEADINGS]
    lines += [(result.name, *_cells(figure)) for result in results for figure in result.figures]
    return _aligned(lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    bar = figure.bar
    limit = "" if bar.limit is None else f"<= {_amount(bar, bar.limit)}"
    spread = f"{_amount(bar, figure.low)} .. {_amount(bar, figure.high)}"
    return f"{bar.ours} vs {bar.peer}", _amount(bar, figure.value), spread, limit, _VERDICTS[figure.held]


def _amount(bar: Bar, value: float) -> str:
    return f"{'+' * (value >= 0)}{seconds(value)}" if isinstance(bar, Extra) else f"{value:.3g}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(f"  {row}".rstrip() for row in rows)


def document(results: Iterable[Result], versions: Mapping[str, Mapping[str, str]], python: str) -> dict[str, Any]:
    """Return all that is known of a run, for JSON.

    Args:
        results: the rows that were measured.
        versions: by environment's name, each package's version.
        python: the version of the contestants' Python.
    """
    return {
        "machine": machine() | {"python": python},
        "environments": versions,
        "rows": {result.name: _row(result) for result in results},
    }


def machine() -> dict[str, Any]:
    """Return what can be told of the machine: system, processor, how many of them."""
    return {"system": platform.platform(), "processor": _processor(), "processors": os.cpu_count()}


def _row(result: Result) -> dict[str, Any]:
    return {
        "work": result.row.work,
        "clock": result.row.clock,
        "environments": {one.name: one.environment.name for one in result.row.contestants},
        "seconds": {name: {"median": median(values), "rounds": values} for name, values in result.samples.items()},
        "figures": [
            {
                "ours": figure.bar.ours,
                "peer": figure.bar.peer,
                "kind": "seconds more" if isinstance(figure.bar, Extra) else "ratio",
                "value": figure.value,
                "quartiles": [figure.low, figure.high],
                "bar": figure.bar.limit,
                "held": figure.held,
            }
            for figure in result.figures
        ],
    }


def _processor() -> str:
    """Return the processor's model, which on Linux only the kernel tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
