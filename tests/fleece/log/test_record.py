"""Records are standard records, also where fleece makes them quickly."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading

import pytest

from fleece._logging.record import LineRecord

SINCE_START = ("created", "msecs", "relativeCreated")


def both(*args, **kwargs):
    """Return the attributes of a standard record and of a line, without the time."""
    records = logging.LogRecord(*args, **kwargs), LineRecord(*args, **kwargs)
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
def test_a_record_has_what_a_standard_one_has(args):
    """Every attribute that this Python's records have is there, with the same value."""
    standard, quick = both(*args)
    assert quick == standard


def test_the_time_is_the_same():
    """The three attributes that say when are those of a standard record made at the same moment."""
    first, quick, last = (
        record("name", 20, "", 0, "", (), None) for record in (logging.LogRecord, LineRecord, logging.LogRecord)
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_its_own_number():
    """The process id is asked for once a process, and a child that was forked asks again."""
    code = (
        "import logging, os\n"
        "from fleece._logging.record import LineRecord\n"
        "make = lambda: LineRecord('x', 20, '', 0, '', (), None).process\n"
        "assert make() == os.getpid()\n"
        "child = os.fork()\n"
        "assert make() == os.getpid()\n"
        "if child: assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_attributes_of_a_python_to_come_are_on_the_record():
    """Where standard records have an attribute that fleece does not know, it is there, and is no field of the line."""
    code = (
        "import logging\n"
        "class Later(logging.LogRecord):\n"
        "    def __init__(self, *args, **kwargs):\n"
        "        super().__init__(*args, **kwargs)\n"
        "        self.tenantName = f'{self.name} of a tenant'\n"
        "logging.LogRecord = logging._logRecordFactory = Later\n"
        "from fleece.log import get_logger\n"
        "get_logger('x').addFilter(lambda record: print(record.tenantName) is None)\n"
        "get_logger('x').info('event')\n"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    attribute, line = output.splitlines()
    assert attribute == "x of a tenant"
    assert set(json.loads(line)) == {"event", "level", "logger", "timestamp"}
