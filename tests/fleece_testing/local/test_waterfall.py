"""The picture of a trace."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given, strategies as st
from rich.console import Console

from fleece_testing._xray_traces import build_traces
from fleece_testing.local.waterfall import rows, waterfall

TRACE = "1-5759e988-bd862e3fe1be46a994272793"


def document(name, id_, parent, start, end, **fields):
    times = {"start_time": start, "end_time": end} if end is not None else {"start_time": start, "in_progress": True}
    return {"type": "subsegment", "trace_id": TRACE, "name": name, "id": id_, "parent_id": parent, **times, **fields}


@pytest.fixture
def trace():
    (trace,) = build_traces(
        [
            document("S3", "b" * 16, "a" * 16, 100.2, 100.3, namespace="aws", aws={"operation": "GetObject"}),
            document(
                "example.com",
                "c" * 16,
                "a" * 16,
                100.5,
                101.0,
                fault=True,
                http={"request": {"method": "GET", "url": "https://example.com/"}, "response": {"status": 503}},
            ),
            document("hung", "d" * 16, "a" * 16, 100.75, None),
            document("handler", "a" * 16, "f" * 16, 100.0, 102.0, annotations={"user_id": 1}),
        ]
    )
    return trace


def drawn(trace, width=140):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(waterfall(trace, width))
    return console.file.getvalue()


def test_rows_are_callers_first_with_times_from_the_start_of_the_trace(trace):
    """Each subsegment is below its caller, and its start counts from the first start of the trace."""
    assert [
        (row.name, row.depth, round(row.start, 3), row.seconds and round(row.seconds, 3)) for row in rows(trace)
    ] == [
        ("handler", 0, 0.0, 2.0),
        ("S3", 1, 0.2, 0.1),
        ("example.com", 1, 0.5, 0.5),
        ("hung", 1, 0.75, None),
    ]


def test_rows_say_what_each_call_was_and_how_it_ended(trace):
    """The remark tells calls of a kind apart; the state is X-Ray's, or that it never closed."""
    assert [(row.state, row.remark) for row in rows(trace)] == [
        ("ok", "user_id=1"),
        ("ok", "GetObject"),
        ("fault", "GET https://example.com/ 503"),
        ("in progress", ""),
    ]


def test_bars_stand_where_the_call_ran(trace):
    """With two seconds on 48 cells, the call from 0.5 s to 1.0 s fills cells 12 to 24."""
    line = next(line for line in drawn(trace).splitlines() if line.lstrip().startswith("example.com"))
    bar = next(word for word in line.split() if "█" in word)
    assert bar == "·" * 12 + "█" * 12 + "·" * 24


def test_a_narrow_terminal_has_shorter_bars_and_all_else(trace):
    """On 60 columns names and times are whole, and the bars leave room for what the call was."""
    lines = drawn(trace, 60).splitlines()
    line = next(line for line in lines if line.lstrip().startswith("example.com"))
    name, bar, milliseconds, *remark = line.split()
    assert (name, set(bar), milliseconds) == ("example.com", {"·", "█"}, "500.0")
    assert " ".join(remark).startswith("[fault] GET http")
    assert {len(line.rstrip()) <= 60 for line in lines} == {True}


def test_control_characters_of_a_name_are_escaped():
    """A name from outside cannot move the cursor or change colours."""
    (trace,) = build_traces([document("a\x1b[31mb", "a" * 16, "f" * 16, 1.0, 2.0)])
    assert "\x1b" not in drawn(trace)
    assert "a\\x1b[31mb" in drawn(trace)


def test_trace_deeper_than_pythons_stack_can_be_drawn():
    """A function that calls itself thousands of times makes a deep trace, and a picture."""
    depth = 3 * sys.getrecursionlimit()
    documents = [document("again", f"{n + 1:016x}", f"{n:016x}", float(n), 9_999_999.0) for n in range(depth)]
    (trace,) = build_traces(documents)
    assert [row.depth for row in rows(trace)] == list(range(depth))


@given(st.lists(st.tuples(st.floats(0, 1e9), st.none() | st.floats(0, 1e4)), min_size=1, max_size=8))
def test_every_trace_can_be_drawn(times):
    """Whatever the times are, the picture has a line for each subsegment and bars of one length."""
    documents = [
        document(f"s{number}", f"{number:016x}", "f" * 16, start, None if length is None else start + length)
        for number, (start, length) in enumerate(times)
    ]
    (trace,) = build_traces(documents)
    bars = [word for line in drawn(trace).splitlines() for word in line.split() if set(word) & set("█░")]
    assert {len(bar) for bar in bars} == {48}
    assert len(bars) == len(times)
