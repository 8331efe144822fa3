"""Runs in the Python of a contestant's environment: does the work of one contestant, and writes down its times.

``python -I child.py ROW CONTESTANT RESULT [CALLS]``. The times go to the file RESULT, as JSON: seconds by part, and for
work in a loop ``{"": seconds}``. With CALLS, a rehearsal: work in a loop is done so many times, and not measured.
Standard output is the contestant's own.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

sys.path.insert(0, str(Path(__file__).parent.parent))

from harness.model import Clock, Loop, Once, Row

SAMPLES = 5
SECONDS_A_SAMPLE = 0.05
CLOCKS: Mapping[Clock, Callable[[], float]] = {"cpu": time.process_time, "wall": time.perf_counter}


def main(row_name: str, contestant_name: str, result: str, calls: str = "") -> None:
    """Do the work of one contestant of a row."""
    row: Row = importlib.import_module(f"rows.{row_name}").ROW
    measure = next(one.measure for one in row.contestants if one.name == contestant_name)
    times: Mapping[str, float] = {}
    clock = CLOCKS[row.clock]
    if isinstance(measure, Once):
        times = measure.run(clock)
    elif isinstance(measure, Loop):
        repeat = measure.prepare()
        if calls:
            repeat(int(calls))
        else:
            times = {"": time_loop(repeat, clock)}
    Path(result).write_text(json.dumps(times), encoding="utf-8")


def time_loop(repeat: Callable[[int], object], clock: Callable[[], float]) -> float:
    """Return the seconds that one repetition takes: the median of some samples, each long enough to be measured."""
    times = 1
    while (elapsed := _time(repeat, times, clock)) < SECONDS_A_SAMPLE:
        times = max(times + 1, min(10 * times, round(1.2 * times * SECONDS_A_SAMPLE / max(elapsed, 1e-9))))
    gc.collect()
    samples = sorted(_time(repeat, times, clock) / times for _ in range(SAMPLES))
    return samples[SAMPLES // 2]


def _time(repeat: Callable[[int], object], times: int, clock: Callable[[], float]) -> float:
    begin = clock()
    repeat(times)
    return clock() - begin


if __name__ == "__main__":
    main(*sys.argv[1:])
