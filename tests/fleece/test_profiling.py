"""Profiles of invocations, in the log."""

import asyncio
import cProfile
import io
import json
import logging
import os
import subprocess
import sys

import pytest

from fleece.profiling import profile_handler

HERE = [r"test_profiling\.py"]


class Sink:
    """Stand in for a logger, and keep what it is given."""

    def __init__(self):
        self.lines = []

    def bind(self, **fields):
        raise AssertionError("nothing is bound")

    def info(self, event, **fields):
        self.lines.append({"event": event, **fields})


@pytest.fixture
def sink():
    return Sink()


def walk(depth):
    return depth and walk(depth - 1)


def leaf():
    return sum(range(1000))


def test_a_profiled_invocation_logs_its_functions(sink):
    """The line has the functions that match the filter, with numbers, and the totals; recursion is counted in both."""

    @profile_handler(sample=1, stats_filter=HERE, logger=sink)
    def handler(event, context):
        walk(9)
        leaf()
        leaf()
        return event

    assert handler("event", None) == "event"
    (line,) = sink.lines
    assert line["event"] == "Profiling completed"
    functions = {entry["function"]: entry for entry in line["profiling_data"]}
    assert set(functions) == {"handler", "walk", "leaf"}
    assert {name: entry["ncalls"] for name, entry in functions.items()} == {"handler": 1, "walk": 10, "leaf": 2}
    for entry in line["profiling_data"]:
        assert set(entry) == {
            "ncalls", "tottime", "tpercall", "cumtime", "cpercall", "filename", "lineno", "function",
        }  # fmt: skip
        assert entry["filename"] == __file__
        assert entry["tpercall"] * entry["ncalls"] == pytest.approx(entry["tottime"])
        assert entry["cumtime"] >= entry["tottime"] >= 0
    assert functions["walk"]["cpercall"] == functions["walk"]["cumtime"]  # one of its calls is not a recursion
    assert functions["walk"]["lineno"] == walk.__code__.co_firstlineno
    assert line["profiling_data"][0]["function"] == "handler"
    assert line["total_calls"] - line["primitive_calls"] == 9
    assert line["total_time"] >= functions["handler"]["tottime"]


def test_the_numbers_are_those_of_pstats(sink, monkeypatch):
    """Totals and functions are what pstats prints of the same profile."""
    import pstats

    seen = []
    real = cProfile.Profile

    class Kept(real):
        def __init__(self):
            super().__init__()
            seen.append(self)

    monkeypatch.setattr(cProfile, "Profile", Kept)
    profile_handler(sample=1, stats_filter=[], stats_limit=1000, logger=sink)(lambda event, context: walk(5))(1, 2)
    stats = pstats.Stats(seen[0], stream=io.StringIO())
    (line,) = sink.lines
    assert (line["total_calls"], line["primitive_calls"]) == (stats.total_calls, stats.prim_calls)
    assert line["total_time"] == pytest.approx(stats.total_tt)
    assert len(line["profiling_data"]) == len(stats.stats)


@pytest.mark.parametrize(("sample", "profiled"), [(0, 0), (1, 200), (0.5, None)])
def test_the_sample_is_honoured(sample, profiled, sink):
    """Of many invocations that share is profiled: none, all, or about a half."""
    handler = profile_handler(sample=sample, logger=sink)(lambda event, context: event)
    assert [handler(number, None) for number in range(200)] == list(range(200))
    if profiled is None:
        assert 40 < len(sink.lines) < 160  # missed once in 10**17 runs
    else:
        assert len(sink.lines) == profiled


def test_filter_and_limit_hold_for_every_call(sink):
    """All patterns must be found in ``filename:lineno(function)``; the same holds for the next call."""
    patterns = [*HERE, r"\(leaf\)"]
    handler = profile_handler(sample=1, stats_filter=patterns, logger=sink)(lambda event, context: leaf())
    handler(1, 2)
    handler(1, 2)
    assert [[entry["function"] for entry in line["profiling_data"]] for line in sink.lines] == [["leaf"], ["leaf"]]
    assert patterns == [*HERE, r"\(leaf\)"]
    profile_handler(sample=1, stats_filter=HERE, stats_limit=1, logger=sink)(lambda event, context: leaf())(1, 2)
    assert len(sink.lines[-1]["profiling_data"]) == 1


def test_by_default_the_functions_own_code_is_listed(sink):
    """Without a filter, only functions under ``/var/task/`` are listed; the totals are of everything."""
    profile_handler(sample=1, logger=sink)(lambda event, context: leaf())(1, 2)
    assert sink.lines[0]["profiling_data"] == []
    assert sink.lines[0]["total_calls"] > 1


def test_an_exception_passes_through_and_is_profiled(sink):
    """The handler's exception reaches the caller, and its invocation is logged all the same."""

    @profile_handler(sample=1, stats_filter=HERE, logger=sink)
    def handler(event, context):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        handler(1, 2)
    assert sink.lines[0]["profiling_data"][0]["function"] == "handler"


def test_coroutines_are_profiled_to_their_end(sink):
    """Of an ``async def`` the whole run is profiled, and its exception passes through."""

    @profile_handler(sample=1, stats_filter=HERE, logger=sink)
    async def handler(event, context):
        await asyncio.sleep(0)
        leaf()
        return event

    assert asyncio.run(handler(1, 2)) == 1
    assert {entry["function"] for entry in sink.lines[0]["profiling_data"]} == {"handler", "leaf"}


def test_another_profiler_goes_first(sink):
    """Within another profile the handler runs as ever."""
    handler = profile_handler(sample=1, logger=sink)(lambda event, context: event)
    with cProfile.Profile():
        assert handler(1, None) == 1


def test_the_decorated_handler_keeps_its_name_and_further_arguments(sink):
    """Name and arguments beyond event and context are the handler's own."""

    @profile_handler(sample=1, logger=sink)
    def handler(event, context, more, *, named):
        """Handle."""
        return more, named

    assert handler(1, 2, 3, named=4) == (3, 4)
    assert (handler.__name__, handler.__doc__) == ("handler", "Handle.")


def test_a_standard_logger_will_do(caplog):
    """The line goes to a standard logger as well, with its fields."""
    logger = logging.getLogger("standard")
    caplog.set_level(logging.INFO)
    profile_handler(sample=1, logger=logger)(lambda event, context: event)(1, 2)
    (line,) = [json.loads(record.getMessage()) for record in caplog.records]
    assert (line["event"], line["profiling_data"]) == ("Profiling completed", [])


def test_the_line_is_written_by_the_profilers_own_logger():
    """Without a logger, the line is one JSON object of the logger ``profiler``; cProfile is loaded only then."""
    code = (
        "import sys, logging; before = set(sys.modules)\n"
        "from fleece.profiling import profile_handler\n"
        "assert not {'cProfile', 'pstats', 'dataclasses', 'typing'} & (set(sys.modules) - before), sys.modules\n"
        "profile_handler(sample=1, stats_filter=[''])(lambda event, context: 1)(1, 2)\n"
    )
    output = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    line = json.loads(output.stdout)
    assert (line["logger"], line["level"], line["event"]) == ("profiler", "info", "Profiling completed")
    assert line["profiling_data"]
