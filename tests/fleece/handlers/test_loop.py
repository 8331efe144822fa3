"""The event loop of a container: how long it lives, and what becomes of it in a forked child."""

import asyncio
import gc
import selectors
import subprocess
import sys
import threading
import weakref

import pytest

from fleece._defaults import defaults
from fleece.handlers import _loop


@pytest.fixture(autouse=True)
def fresh_loop():
    """Give the test a loop of its own."""
    defaults.forget("fleece.handlers.loop")
    yield
    defaults.forget("fleece.handlers.loop")


async def current_loop():
    return asyncio.get_running_loop()


def test_a_thread_keeps_its_loop():
    """Every call in a thread runs on the same loop."""
    assert _loop.run(current_loop()) is _loop.run(current_loop())


def test_a_dropped_loop_is_closed():
    """A loop that is dropped, as by a SnapStart restore, is closed at once, and gone once garbage is collected."""
    loop = _loop.run(current_loop())
    gone = weakref.finalize(loop, lambda: None)
    defaults.forget("fleece.handlers.loop")
    assert loop.is_closed()
    del loop
    gc.collect()
    assert not gone.alive
    assert not _loop.run(current_loop()).is_closed()


def test_a_threads_loop_ends_with_the_thread():
    """The loop of a thread that has ended is not kept."""
    loops = []
    thread = threading.Thread(target=lambda: loops.append(weakref.ref(_loop.run(current_loop()))))
    thread.start()
    thread.join()
    gc.collect()
    assert loops[0]() is None


def test_where_the_system_has_no_poll(monkeypatch):
    """Windows, on which people try their functions, gets the selector that it has."""
    monkeypatch.delattr(selectors, "PollSelector")
    loop = _loop._Loop()
    assert loop.run_until_complete(asyncio.sleep(0, "slept")) == "slept"
    loop.close()


def test_tasks_go_on_at_the_next_call():
    """A task that a call leaves behind is not lost."""
    done = []

    async def later():
        await asyncio.sleep(0)
        done.append(True)

    async def leave():
        leave.task = asyncio.get_running_loop().create_task(later())

    _loop.run(leave())
    assert done == []
    _loop.run(asyncio.sleep(0.001))
    assert done == [True]


def test_a_forked_child_has_its_own():
    """A child's loop is another one, and dropping its copy of the parent's does the parent's no harm."""
    code = """
import asyncio, gc, os, time
from fleece.handlers import _loop
async def where(): return id(asyncio.get_running_loop())
async def in_thread(): return await asyncio.to_thread(lambda: time.sleep(0.05) or "woken")
before = _loop.run(where())
child = os.fork()
if child == 0:
    gc.collect()
    os._exit(0 if _loop.run(in_thread()) == "woken" else 1)
status = os.waitpid(child, 0)[1]
print(status, _loop.run(in_thread()), before == _loop.run(where()))
"""
    run = subprocess.run(
        [sys.executable, "-Werror", "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert (run.stdout.split(), run.stderr) == (["0", "woken", "True"], "")
