"""From times to figures, and what is shown of them. Times are made up here: nothing is measured."""

import json

import pytest


@pytest.fixture
def result():
    from harness.figures import figure
    from harness.model import Contestant, Environment, Extra, Loop, Ratio, Row
    from harness.report import Result

    environment = Environment("bare", ())
    row = Row(
        work="work",
        contestants=tuple(Contestant(name, environment, Loop(lambda: print)) for name in ("ours", "theirs")),
        bars=(
            Ratio("ours", "theirs", 0.5),
            Ratio("theirs", "ours", 0.5),
            Extra("theirs", "ours", 2e-6),
            Ratio("ours", "theirs"),
        ),
    )
    samples = {"ours": [1e-6, 9e-6, 2e-6], "theirs": [4e-6, 3e-6, 8e-6]}
    return Result("row", row, samples, tuple(figure(bar, samples) for bar in row.bars))


def test_a_figure_is_of_the_medians_and_its_spread_is_of_the_rounds(result):
    """A ratio is that of the medians, not the median of the ratios; the quartiles are of the ratio of each round."""
    ratio, _, extra, _ = result.figures

    assert ratio.value == pytest.approx(0.5)
    assert (ratio.low, ratio.high) == pytest.approx((0.25, 1.625))  # of 0.25, 3 and 0.25
    assert extra.value == pytest.approx(2e-6)


def test_a_bar_is_held_missed_or_not_there(result):
    """A bar holds up to and with its limit, and a figure without one is neither held nor missed."""
    assert [figure.held for figure in result.figures] == [True, False, True, None]


def test_the_table_says_what_was_missed(result):
    """Each bar has a line, in the unit that suits it, with what was asked and whether it holds."""
    from harness.report import bars, contestants

    lines = bars([result]).splitlines()[1:]

    assert [" ".join(line.split()) for line in lines] == [
        "row ours vs theirs 0.5 0.25 .. 1.62 <= 0.5 held",
        "row theirs vs ours 2 2.17 .. 4 <= 0.5 MISSED",
        "row theirs vs ours +2 µs -1.5 µs .. +4.5 µs <= +2 µs held",
        "row ours vs theirs 0.5 0.25 .. 1.62",
    ]
    assert "ours    2 µs    1.5 µs .. 5.5 µs" in contestants(result)


def test_the_document_is_json_and_has_everything(result):
    """What goes to JSON has each round's times, the figures, the bars, the versions and the machine."""
    from harness.report import document

    answer = json.loads(json.dumps(document([result], {"bare": {"pip": "26.0"}}, "3.14.0")))

    assert answer["rows"]["row"]["seconds"]["ours"] == {"median": 2e-6, "rounds": [1e-6, 9e-6, 2e-6]}
    assert [figure["held"] for figure in answer["rows"]["row"]["figures"]] == [True, False, True, None]
    assert answer["environments"] == {"bare": {"pip": "26.0"}}
    assert answer["machine"]["python"] == "3.14.0"


@pytest.mark.parametrize(
    ("value", "text"), [(2.5, "2.5 s"), (0.0125, "12.5 ms"), (-3e-6, "-3 µs"), (4e-10, "0.4 ns"), (0, "0 ns")]
)
def test_a_time_is_shown_in_the_unit_that_suits_it(value, text):
    """Seconds, milliseconds, microseconds and nanoseconds, with three digits."""
    from harness.report import seconds

    assert seconds(value) == text


def test_a_loop_is_repeated_until_it_can_be_measured():
    """The work is repeated for 50 ms at least by the clock, and the time is that of one repetition."""
    from harness.child import SECONDS_A_SAMPLE, time_loop

    now, batches = 0.0, []

    def repeat(times):
        nonlocal now
        now += times * 7e-6
        batches.append(times)

    assert time_loop(repeat, lambda: now) == pytest.approx(7e-6)
    assert batches[-1] * 7e-6 >= SECONDS_A_SAMPLE
