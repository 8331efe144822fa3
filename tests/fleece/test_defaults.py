"""The one object for process-wide state."""

from __future__ import annotations

import os
import sys
import threading
import types

import pytest

from fleece._defaults import Defaults, Settings, Timeouts


def test_override_puts_every_setting_back():
    """Settings changed inside the block, by it or by others, are those of before afterwards, on errors too."""
    defaults = Defaults()
    defaults.configure(boto3_timeouts=Timeouts(3))
    before = defaults.settings

    def change_and_fail():
        with defaults.override(boto3_timeouts=Timeouts(9)):
            assert defaults.settings.boto3_timeouts == Timeouts(9)
            defaults.configure(requests_retries={"total": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert defaults.settings == before


def test_unknown_setting_is_an_error():
    """A setting that does not exist is refused and changes nothing."""
    defaults = Defaults()
    with pytest.raises(TypeError, match="no setting nonsense"):
        defaults.configure(nonsense=1)
    assert defaults.settings == Settings()


def test_resource_is_made_once_by_many_threads():
    """Threads that ask at once get the same object, made by one call."""
    defaults = Defaults()
    made, got = [], []
    barrier = threading.Barrier(8)

    def make():
        made.append(object())
        return made[-1]

    def ask():
        barrier.wait()
        got.append(defaults.resource("it", make))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert got == made * 8


def test_forgotten_resource_is_handed_over_and_made_anew():
    """What is forgotten is returned, to be closed by who forgot it, and the next use makes another."""
    defaults = Defaults()
    first = defaults.resource("it", object)
    assert defaults.forget("it") is first
    assert defaults.forget("it") is None
    assert defaults.resource("it", object) is not first


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # 3.12's; a thread at the fork is the point
def test_resource_does_not_survive_a_fork():
    """A forked child makes its own, also when a thread of the parent held the lock at that moment."""
    from fleece._defaults import defaults

    of_parent = defaults.resource("test", object)
    held, done = threading.Event(), threading.Event()

    def hold():
        with defaults.override(), defaults._lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if defaults.resource("test", list) == [] else 1)
    done.set()
    holder.join()
    assert os.waitpid(child, 0)[1] == 0
    assert defaults.resource("test", list) is of_parent


def test_resource_does_not_survive_a_snapstart_restore(monkeypatch):
    """Under SnapStart, what was made before the snapshot is made anew after the restore."""
    hooks = []
    module = types.ModuleType("snapshot_restore_py")
    module.register_after_restore = hooks.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    defaults = Defaults()
    before = defaults.resource("it", object)
    defaults.resource("other", object)
    (restore,) = hooks
    restore()
    assert defaults.resource("it", object) is not before

    defaults._after_fork_in_child()  # what a worker process that was forked before the snapshot does
    before = defaults.resource("it", object)
    restore()
    assert defaults.resource("it", object) is not before


def test_plain_memory_survives_a_snapstart_restore(monkeypatch):
    """What says so of itself is still there after the restore, and gone after a fork as everything is."""
    hooks = []
    module = types.ModuleType("snapshot_restore_py")
    module.register_after_restore = hooks.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    defaults = Defaults()
    before = defaults.resource("memory", object, survives_restore=True)
    socket = defaults.resource("socket", object)
    hooks[0]()
    assert defaults.resource("memory", object) is before
    assert defaults.resource("socket", object) is not socket
    defaults._after_fork_in_child()
    assert defaults.resource("memory", object) is not before
