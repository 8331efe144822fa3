"""Folders that go in the end, also those of processes that were killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fleece_testing._isolation.session import Isolation
from fleece_testing._private_folder import private_folder
from fleece_testing.docker_engine import DockerEngine

KILLED = """
import os, signal
from fleece_testing._isolation.session import Isolation
from fleece_testing._private_folder import private_folder
from fleece_testing.docker_engine import DockerEngine

with {block} as folder:
    {then}
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(monkeypatch):
    """Have temporary files made in a folder of the test's own, for this process and its children.

    It is not in pytest's folders: a socket's path would be too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.delenv("FLEECE_ISOLATE_PATH", raising=False)
        yield Path(folder)


def kill_within(block, then="pass"):
    """Run a process that is killed within the block."""
    assert subprocess.run([sys.executable, "-c", KILLED.format(block=block, then=then)], check=False).returncode < 0


def test_what_a_killed_process_has_left_goes_with_the_next_of_its_purpose(temporary):
    """The next folder with the prefix takes it away; one with another prefix does not, and none that is in use goes."""
    kill_within("private_folder('fleece-one-')", "folder.joinpath('sub').mkdir(mode=0o500)")
    (left,) = temporary.iterdir()
    with private_folder("fleece-other-") as other:
        assert set(temporary.iterdir()) == {left, other}
        with private_folder("fleece-one-") as first, private_folder("fleece-one-") as second:
            assert set(temporary.iterdir()) == {other, first, second}
            assert first.stat().st_mode & 0o777 == 0o700
    assert list(temporary.iterdir()) == []


def test_an_isolated_session_within_another_is_in_its_folder(temporary):
    """The outer one takes it away where the inner one, a worker that was killed, cannot."""
    with Isolation():
        (outer,) = temporary.iterdir()
        with Isolation():
            assert list(temporary.iterdir()) == [outer]


@pytest.mark.parametrize("made", [DockerEngine, Isolation])
def test_what_killed_tests_have_left_goes_with_the_next(temporary, made):
    """The folders of a Docker stub and of an isolated session are gone when the next one has started and ended."""
    kill_within(f"{made.__name__}()")
    left = set(temporary.iterdir())
    assert left
    with made():
        assert not left & set(temporary.iterdir())
    assert list(temporary.iterdir()) == []
