"""What the workers of a managed instance write, under AWS's own runtime client."""

import contextlib
import gc
import json
import os
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleece_testing import Runtime


@pytest.fixture
def source(tmp_path):
    """Write the module ``app`` into a source folder and return the folder."""

    def write(text):
        folder = tmp_path / "src"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(textwrap.dedent(text))
        return folder

    return write


def open_descriptors():
    """Return what this process has open, as device and inode, but for what Werkzeug leaves to the collector."""
    gc.collect()
    found = set()
    for path in list(Path("/dev/fd").iterdir()):
        with contextlib.suppress(OSError):  # of the listing itself, closed by now
            status = os.fstat(int(path.name))
            found.add((status.st_dev, status.st_ino))
    return found


def invoke_at_once(runtime, *events):
    """Invoke once for each event, all at the same time, and return what came of each."""
    with ThreadPoolExecutor(len(events)) as pool:
        return list(pool.map(lambda event: runtime.invoke(event, deadline=20), events))


def test_lines_of_workers_at_once_stay_whole(fleece_runtime, source):
    """However long the lines are that two workers write at the same time, each arrives as it was written."""
    runtime = fleece_runtime(
        source("""
            import json, os, pathlib, sys, time

            def main(event, context):
                mine, other = event
                pathlib.Path(mine).touch()
                while not pathlib.Path(other).exists():
                    time.sleep(0.001)
                for number in range(30):
                    # In two parts, as a long line is.
                    for stream in sys.stdout, sys.stderr:
                        stream.write(json.dumps([mine, number, stream.name])[:-1])
                        stream.write(", \\"" + mine * 100_000 + "\\"]\\n")
        """),
        "app.main",
        concurrency=2,
        echo=False,
    )
    invoke_at_once(runtime, ["a", "b"], ["b", "a"])
    lines = [json.loads(line) for line in runtime.logs]
    for name in "a", "b":
        for stream in "<stdout>", "<stderr>":
            mine = [line for line in lines if (line[0], line[2]) == (name, stream)]
            assert mine == [[name, number, stream, name * 100_000] for number in range(30)]


def test_a_worker_s_line_counts_when_it_is_finished(fleece_runtime, source):
    """A line without its newline waits for it, or for the end of the process."""
    runtime = fleece_runtime(
        source("""
            import sys, time

            def main(event, context):
                sys.stdout.write(event)
                if event == "end":
                    time.sleep(60)
        """),
        "app.main",
        concurrency=2,
    )
    for _ in range(10):
        assert runtime.invoke("part, ").logs == []
    assert runtime.invoke("end", deadline=1).error.type == "Sandbox.Timedout"
    while "".join(runtime.logs).count("part") < 10:
        time.sleep(0.01)  # the workers have been killed, and are about to be gone
    assert any(line.endswith("end") for line in runtime.logs)


def test_stopping_leaves_no_thread_socket_or_file(source, tmp_path, monkeypatch):
    """The socket for the workers' streams goes with all the rest; what other tests left may end meanwhile."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before, descriptors = set(threading.enumerate()), open_descriptors()
    with Runtime(source("def main(event, context):\n    print('x')\n"), "app.main", concurrency=2) as runtime:
        assert runtime.invoke().logs == ["x"]
    assert set(threading.enumerate()) <= before
    assert open_descriptors() <= descriptors
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_a_temporary_folder_whose_path_is_too_long_is_named(source, tmp_path, monkeypatch):
    """A Unix socket's path is bounded: the error says what to do."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(OSError, match=r"No socket can be made at .*: set TMPDIR to a shorter path"):
        Runtime(source(""), "app.main", concurrency=2).start()
