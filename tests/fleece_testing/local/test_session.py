"""How the commands find a running stack, and whose files they believe."""

from __future__ import annotations

import os

import pytest

from fleece.cli.errors import CommandError, UsageError
from fleece_testing._http import LoopbackServer
from fleece_testing.local import session as sessions
from fleece_testing.local.control import Control
from fleece_testing.local.files import MARK, OwnFiles, check_replaceable
from fleece_testing.xray_daemon import XRayDaemon


@pytest.fixture
def environ(tmp_path):
    return {"XDG_CACHE_HOME": str(tmp_path)}


@pytest.fixture
def alive(environ):
    """Have a stack that answers, with its file where the commands look for it."""
    with XRayDaemon() as xray, LoopbackServer(Control("this one", xray)) as server:
        session = sessions.Session("this one", os.getpid(), server.url, "111111111111", "eu-west-1", {"NAME": "value"})
        yield session, written(session, environ, "1")


def written(session, environ, port):
    path = sessions.default_folder(environ) / port / sessions.FILE
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    path.write_text(session.dump())
    return path


def test_the_running_stack_is_found_by_itself_by_name_and_by_variable(alive, environ):
    """The only one that is running is found; a file that is named goes first, then the one of the variable."""
    session, path = alive
    assert sessions.find(None, environ) == session
    assert sessions.find(path, {sessions.VARIABLE: "nowhere"}) == session
    assert sessions.find(None, {sessions.VARIABLE: str(path)}) == session


@pytest.mark.parametrize("change", ["mode", "link", "text"])
def test_files_that_others_may_have_made_are_not_believed(alive, environ, change):
    """What others could write or put there, and what is no stack's file, is passed over."""
    _, path = alive
    if change == "mode":
        path.chmod(0o640)
    elif change == "link":
        path.rename(path.with_name("other"))
        path.symlink_to("other")
    else:
        path.write_text("[]")
    assert sessions.find(None, environ) is None
    with pytest.raises(CommandError, match="no local stack is running; start one with 'fleece-local up'"):
        sessions.need(None, environ)


def test_what_a_killed_stack_left_is_removed_and_the_others_stay(alive, environ):
    """A stack that nobody answers for has ended, also when its address is another one's by now."""
    session, path = alive
    stale = written(sessions.Session("another one", 1, session.url, "", "", {}), environ, "2")
    (stale.parent / sessions.ENVIRONMENTS).touch()
    sessions.remove_stale(sessions.default_folder(environ))
    assert (path.exists(), stale.parent.exists()) == (True, False)


def test_of_two_stacks_one_has_to_be_named(alive, environ):
    """With several running, guessing would be wrong half of the time."""
    session, path = alive
    second = written(session, environ, "2")
    with pytest.raises(UsageError, match=f"name one with --stack: {path}, {second}"):
        sessions.find(None, environ)


def test_a_file_is_removed_unless_it_has_been_replaced(tmp_path):
    """At the end the files go that are as they were written, through links as well; no temporary file stays."""
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    (tmp_path / "link").symlink_to("gone")
    with OwnFiles() as files:
        for path in (kept, tmp_path / "link"):
            files.write(path, f"{MARK} 1")
        assert gone.read_text() == f"{MARK} 1"
        kept.write_text(f"{MARK} 2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "link"]


def test_an_own_file_is_replaced_and_a_foreign_one_is_not(tmp_path):
    """What another stack has left may go; what has no mark is somebody's, and stays as it is."""
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    own.write_text(f"# {MARK}")
    check_replaceable(own)
    foreign.write_text("precious")
    with OwnFiles() as files, pytest.raises(UsageError, match="was not written by fleece-local up"):
        files.write(foreign, "")
    assert foreign.read_text() == "precious"
