"""The JSON lines of a test, read and asserted."""

import json
import os
import re
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]


def log(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")


def test_lines_are_parsed_and_others_left_out(fleece_logs):
    """JSON objects on stdout are lines; text, other JSON values and stderr are not."""
    log(event="a", n=1)
    sys.stdout.write('text\n[1]\n"x"\n{"broken\n')
    sys.stderr.write('{"event": "on stderr"}\n')
    log(event="b")
    assert fleece_logs.lines == [{"event": "a", "n": 1}, {"event": "b"}]
    assert fleece_logs.lines == [{"event": "a", "n": 1}, {"event": "b"}]
    assert "text" in fleece_logs.out
    assert fleece_logs.err == '{"event": "on stderr"}\n'


def test_lines_of_children_count(fleece_logs):
    """What a child process wrote to the inherited stdout is there too."""
    subprocess.run([sys.executable, "-c", 'print(\'{"event": "child"}\')'], check=True)
    os.write(1, b'{"event": "descriptor"}\n')
    assert [line["event"] for line in fleece_logs.lines] == ["child", "descriptor"]


def test_assert_logged_returns_the_line_that_fits(fleece_logs):
    """Event, level in any case and other fields choose the line; a pattern is searched for."""
    log(event="user created", level="info", user=1)
    log(event="user created", level="warning", user=2)
    assert fleece_logs.assert_logged("user created")["user"] == 1
    assert fleece_logs.assert_logged(event="user created", user=2)["level"] == "warning"
    assert fleece_logs.assert_logged(level="WARNING")["user"] == 2
    assert fleece_logs.assert_logged(re.compile("creat"), user=2)["user"] == 2


def test_assert_logged_says_what_was_logged_instead(fleece_logs):
    """The message has what was asked for, and the lines with the nearest first."""
    log(event="deleted", level="info")
    log(event="created", level="info", user=1)
    with pytest.raises(AssertionError) as failure:
        fleece_logs.assert_logged("created", level="error", user=1)
    assert str(failure.value).splitlines() == [
        "No line has event='created', level='error', user=1.",
        "These were logged:",
        "- {'event': 'created', 'level': 'info', 'user': 1}",
        "  differs in level",
        "- {'event': 'deleted', 'level': 'info'}",
        "  differs in event, level, user",
    ]


def test_assert_logged_says_when_nothing_was_logged(fleece_logs):
    """No line at all is told as such, and a long list is cut."""
    with pytest.raises(AssertionError, match=r"No line has anything\.\nNo JSON line was written"):
        fleece_logs.assert_logged()
    for number in range(30):
        log(event="x", n=number)
    with pytest.raises(AssertionError, match="and 10 more"):
        fleece_logs.assert_logged("y")


def test_clear_forgets_the_lines_so_far(fleece_logs):
    """Only what comes after it is looked at."""
    log(event="before")
    fleece_logs.clear()
    log(event="after")
    assert [line["event"] for line in fleece_logs.lines] == ["after"]
    assert "before" in fleece_logs.out


def test_output_that_was_read_is_still_shown_with_a_failing_test(pytester):
    """Reading the logs does not take the output away from pytest's report."""
    pytester.makepyfile("""
        def test_it(fleece_logs):
            print('{"event": "seen"}')
            assert fleece_logs.lines == []
    """)
    result = pytester.runpytest_inprocess("-p", "no:randomly")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Captured stdout*", '{"event": "seen"}'])
