"""Contestants as processes, their environments, and the rows. No times are looked at."""

import subprocess
import sys
from pathlib import Path

import pytest


class ThisInterpreter:
    """In place of environments: everybody runs in the Python that runs the tests."""

    def python(self, environment):
        return Path(sys.executable)


@pytest.fixture
def company():
    from harness.children import Company
    from harness.command_line import load_rows
    from harness.model import SilentStage

    def make(name):
        return Company(name, load_rows()[name], ThisInterpreter(), SilentStage())

    return make


def test_every_row_compares_contestants_that_it_has():
    """Each row loads, and its bars name its contestants, or a part of one's work."""
    from harness.command_line import load_rows

    rows = load_rows()

    assert "log_line" in rows
    for name, row in rows.items():
        contestants = {contestant.name for contestant in row.contestants}
        for bar in row.bars:
            for one in (bar.ours, bar.peer):
                assert one in contestants or one.rpartition(": ")[0] in contestants, f"{name}: {one}"


def test_a_contestant_rehearses_and_performs(company):
    """Work in a loop runs in a process of its own, where a rehearsal checks it and a performance takes its time."""
    row = company("log_line")
    (contestant,) = [one for one in row.row.contestants if one.name == "json.dumps, write, flush"]

    row.rehearse(contestant)

    assert row.perform(contestant)[""] > 0


def test_who_does_not_do_the_work_cannot_win(company):
    """A rehearsal fails whose evidence does not show the work, and says who it was."""
    from dataclasses import replace

    from harness.errors import BenchmarkError

    row = company("help")
    liar = replace(
        row.row.contestants[0], name="liar", measure=replace(row.row.contestants[0].measure, arguments=("python", "-V"))
    )

    with pytest.raises(BenchmarkError, match=r"^help: liar does not do the work"):
        row.rehearse(liar)


def test_a_contestant_that_fails_is_told_with_what_it_said(company):
    """A process that ends with an error is an error of the harness that shows the end of its stderr."""
    from harness.errors import BenchmarkError
    from harness.model import Contestant, Environment, Statement

    broken = Contestant("broken", Environment("bare", ()), Statement("import no_such_module"))

    with pytest.raises(BenchmarkError, match=r"^import_log: broken ended with 1: ") as failure:
        company("import_log").perform(broken)

    assert "No module named 'no_such_module'" in str(failure.value)


def test_an_environment_is_made_once_and_anew_when_it_was_left_half_made(tmp_path):
    """An environment is found again by later runs; one whose making was interrupted is not trusted."""
    from harness.environments import COMPLETE, Environments
    from harness.model import Environment

    bare = Environment("bare", ())
    folder = Environments(tmp_path, sys.executable).folder(bare)
    kept = folder / "kept"
    kept.touch()
    assert Environments(tmp_path, sys.executable).folder(bare) == folder
    assert kept.exists()

    (folder / COMPLETE).unlink()
    python = Environments(tmp_path, sys.executable).python(bare)

    assert not kept.exists()
    assert subprocess.check_output([python, "-c", "print('works')"], text=True) == "works\n"


def test_environments_that_nobody_uses_any_more_are_removed(tmp_path):
    """What no run has used for a day goes; what was used today stays."""
    import os

    from harness.environments import Environments

    old, new = tmp_path / "fleece-0123", tmp_path / "fleece-4567"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))

    Environments(tmp_path, sys.executable).remove_unused()

    assert not old.exists()
    assert new.exists()


def test_a_row_that_is_not_there_is_wrong_usage(tmp_path, capsys):
    """An unknown row's name ends with 2, and the message lists those that there are."""
    from harness.command_line import main

    with pytest.raises(SystemExit) as stopped:
        main(["no_such_row", "--environments", str(tmp_path)])

    assert stopped.value.code == 2
    assert "no such row: no_such_row; there are " in capsys.readouterr().err


def test_a_daemon_gives_what_was_sent_to_it_and_nothing_twice():
    """The socket in the daemon's place tells all that was sent before it was asked, once."""
    import socket

    from services.xray_daemon import xray_daemon

    with xray_daemon(ThisInterpreter()) as daemon, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        host, _, port = daemon.variables["AWS_XRAY_DAEMON_ADDRESS"].partition(":")
        sender.sendto(b"one", (host, int(port)))
        sender.sendto(b"two", (host, int(port)))

        assert daemon.received() == [b"one", b"two"]
        assert daemon.received() == []
