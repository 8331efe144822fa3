"""Progress: a bar on a terminal, lines in a log, nothing for what is quick."""

import contextlib
import logging
import os
import pty
import sys
import threading

import pytest

from fleece.cli._progress import INTERVAL, PATIENCE, track


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def work(clock, total, seconds):
    """Do work of so many items that take so many seconds each."""
    for item in track(range(total), "Working", total, clock=clock):
        clock.now += seconds
        yield item


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr a terminal while a ``with`` block runs, whose target then has what was shown."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    @contextlib.contextmanager
    def opened():
        reader, writer = pty.openpty()
        shown = []

        def read():
            with contextlib.suppress(OSError):  # the end of a terminal is an error
                while piece := os.read(reader, 1024):
                    shown.append(piece.decode())

        thread = threading.Thread(target=read)
        thread.start()
        with os.fdopen(writer, "w") as stream, monkeypatch.context() as patch:
            # Not when the fixture is set up: pytest sets stderr anew for the test itself.
            patch.setattr(sys, "stderr", stream)
            yield shown
        thread.join()
        os.close(reader)

    return opened


def test_quick_work_shows_nothing(terminal, caplog):
    """What is done within two seconds shows nothing, on a terminal or in a log."""
    caplog.set_level(logging.INFO)
    with terminal() as shown:
        assert list(work(Clock(), 10, PATIENCE / 11)) == list(range(10))
    assert shown == []
    assert caplog.messages == []


def test_a_bar_on_a_terminal(terminal, caplog):
    """On a terminal there is a bar, which says how many of how many are done, and ends at all of them."""
    caplog.set_level(logging.INFO)
    with terminal() as shown:
        assert list(work(Clock(), 4, 1)) == [0, 1, 2, 3]
    text = "".join(shown)
    assert "Working" in text
    assert 0 < text.index("2/4") < text.index("4/4") < text.rindex("\n")
    assert caplog.messages == []


def test_a_bar_that_is_left_gives_the_cursor_back(terminal):
    """Work that fails in the middle leaves a terminal with its cursor and at the start of a line."""
    clock = Clock()

    def fail():
        yield 1
        clock.now += 2
        yield 2
        raise KeyboardInterrupt

    with terminal() as shown, pytest.raises(KeyboardInterrupt):
        list(track(fail(), "Working", 3, clock=clock))
    text = "".join(shown)
    assert "2/3" in text
    assert -1 < text.rindex("\x1b[?25l") < text.rindex("\x1b[?25h")
    assert "\n" in text


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_a_terminal_that_cannot_change_a_line_gets_lines(terminal, caplog, monkeypatch, name, value):
    """A terminal that cannot move its cursor, or that CI keeps as a log, gets lines."""
    monkeypatch.setenv(name, value)
    caplog.set_level(logging.INFO)
    with terminal() as shown:
        list(work(Clock(), 2, PATIENCE))
    assert shown == []
    assert caplog.messages == ["Working: 1 of 2", "Working: 2 of 2"]


def test_lines_in_a_log(caplog):
    """Without a terminal there is a line after the first two seconds, then one in five, and one at the end."""
    caplog.set_level(logging.INFO)
    list(work(Clock(), 14, 1))
    assert (PATIENCE, INTERVAL) == (2, 5)
    assert caplog.messages == [f"Working: {done} of 14" for done in (2, 7, 12, 14)]


def test_what_is_done_is_not_told(caplog):
    """Work whose first item is its last has nothing to tell, however long it took."""
    caplog.set_level(logging.INFO)
    assert list(work(Clock(), 1, 60)) == [0]
    assert caplog.messages == []
