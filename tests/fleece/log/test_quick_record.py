"""Records that are made quickly are standard records."""

import asyncio
import logging
import threading

import pytest

from fleece._logging.quick_record import QuickRecord

SINCE_START = ("created", "msecs", "relativeCreated")


def both(*args, **kwargs):
    """Return the attributes of a standard and of a quick record, without the time."""
    records = logging.LogRecord(*args, **kwargs), QuickRecord(*args, **kwargs)
    return [{name: value for name, value in vars(one).items() if name not in SINCE_START} for one in records]


@pytest.mark.parametrize(
    "args",
    [
        ("name", logging.INFO, "/a/b/module.py", 7, "%s", ("x",), None),
        ("name", 15, "module", 7, "%(a)s", ({"a": 1},), (None, None, None), "function", "Stack"),
        (None, None, "", 0, "", (), None, None),
        ("name", logging.ERROR, None, 0, {"a": 1}, ({},), None),
    ],
)
def test_a_quick_record_has_what_a_standard_one_has(args):
    """Every attribute that this Python's records have is there, with the same value."""
    standard, quick = both(*args)
    assert quick == standard


def test_the_time_is_the_same():
    """The three attributes that say when are those of a standard record made at the same moment."""
    first, quick, last = (
        record("name", 20, "", 0, "", (), None) for record in (logging.LogRecord, QuickRecord, logging.LogRecord)
    )
    assert first.created <= quick.created <= last.created
    assert first.relativeCreated - 0.01 <= quick.relativeCreated <= last.relativeCreated + 0.01
    assert quick.msecs == int(quick.created % 1 * 1000)


def test_thread_task_and_process_have_their_names():
    """In a thread, a task and a process with names of their own, the names are on the record."""
    import multiprocessing

    found = []

    async def task():
        found.append(both("name", 20, "", 0, "", (), None))

    async def main():
        await asyncio.create_task(task(), name="my task")

    process = multiprocessing.current_process()
    before, process.name = process.name, "my process"
    try:
        thread = threading.Thread(target=asyncio.run, args=(main(),), name="my thread")
        thread.start()
        thread.join()
    finally:
        process.name = before
    ((standard, quick),) = found
    assert quick == standard
    assert (quick["threadName"], quick["processName"]) == ("my thread", "my process")


@pytest.mark.parametrize("switch", ["logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"])
def test_what_logging_is_told_to_leave_out_is_left_out(switch, monkeypatch):
    """The switches by which programs save time in standard logging are honoured."""
    monkeypatch.setattr(logging, switch, False, raising=False)
    standard, quick = both("name", 20, "", 0, "", (), None)
    assert quick == standard
