"""Functions that are restored from a snapshot, under AWS's own runtime client."""

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from fleece_testing import Runtime
from fleece_testing.runtime import InitError


@pytest.fixture
def source(tmp_path):
    """Write the module ``app`` into a source folder and return the folder."""

    def write(text):
        folder = tmp_path / "src"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(textwrap.dedent(text))
        return folder

    return write


FUNCTION = """
    import os, random, subprocess, sys, time
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    print("initialised")
    seen = []
    register_before_snapshot(seen.append, "before, registered first")
    register_before_snapshot(seen.append, "before")
    register_after_restore(seen.append, "after")
    os.register_at_fork(after_in_child=lambda: seen.append("forked"))
    shared, secret = os.pipe()

    def main(event, context):
        if event == "sleep":
            time.sleep(60)
        if event == "exit":
            sys.exit(3)
        if event == "child":
            return subprocess.Popen(["sleep", "60"]).pid
        seen.append(event)
        return {"seen": seen, "random": random.random(), "urandom": os.urandom(8).hex(), "pid": os.getpid(),
                "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "argv": sys.argv[1:],
                "pipe": os.fstat(shared).st_ino}
"""


def test_each_restore_is_a_copy_of_the_one_snapshot(fleece_runtime, source):
    """Memory, random state and descriptors are those of the snapshot, and AWS's hooks alone tell the copies."""
    runtime = fleece_runtime(source(FUNCTION), "app.main", snapstart=True)
    copies = []
    for _ in range(3):
        copies.append(runtime.invoke("called").result)
        assert runtime.invoke("called").result["pid"] == copies[-1]["pid"]
        runtime.restore()
    for copy in copies:
        assert copy["seen"] == ["before", "before, registered first", "after", "called"]
        assert copy["type"] == "snap-start"
        assert copy["argv"] == ["app.main"]
        assert copy["random"] == copies[0]["random"]
        assert copy["pipe"] == copies[0]["pipe"]
    assert len({copy["urandom"] for copy in copies}) == len({copy["pid"] for copy in copies}) == 3
    assert runtime.logs == ["initialised"]


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        ("sleep", "Sandbox.Timedout", "Task timed out after 0.20 seconds"),
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ],
)
def test_a_copy_that_ends_is_replaced_by_another(fleece_runtime, source, event, error, message):
    """After a timeout or an exit the next invocation has the snapshot again, with no new initialisation."""
    runtime = fleece_runtime(source(FUNCTION), "app.main", snapstart=True)
    first = runtime.invoke("one").result
    failed = runtime.invoke(event, deadline=0.2 if event == "sleep" else 10).error
    assert failed.type == error
    assert failed.message.endswith(message)
    second = runtime.invoke("two").result
    assert second["seen"] == [*first["seen"][:-1], "two"]
    assert second["pid"] != first["pid"]
    assert runtime.logs == ["initialised"]


@pytest.mark.parametrize("hook", ["register_before_snapshot", "register_after_restore"])
def test_a_hook_that_fails_is_an_init_error(source, hook):
    """The error is that of the hook, as the runtime client has reported it."""
    folder = source(f"""
        import snapshot_restore_py
        def fail():
            raise LookupError("no such table")
        snapshot_restore_py.{hook}(fail)
        def main(event, context): pass
    """)
    with pytest.raises(InitError, match=r"The function could not be initialised: LookupError: no such table"):
        Runtime(folder, "app.main", snapstart=True).start()


@pytest.mark.parametrize(
    ("text", "seconds", "message"),
    [
        ("import not_there", 60, "Runtime.ImportModuleError: .*No module named 'not_there'"),
        ("import os; os._exit(7)", 60, "Runtime.ExitError: .*exit status 7"),
        ("import time; time.sleep(60)", 2, "Init timed out after 2.00 seconds"),
    ],
)
def test_an_init_that_fails_makes_no_snapshot(source, text, seconds, message):
    """The function's own errors, an exit and a hanging import are told as without a snapshot."""
    with pytest.raises(InitError, match=message):
        Runtime(source(text), "app.main", snapstart=True, init_timeout=seconds).start()


def test_a_restore_that_fails_can_be_tried_again(fleece_runtime, source):
    """A hook that fails once is an error once: the snapshot is still there."""
    runtime = fleece_runtime(
        source("""
            import os, snapshot_restore_py
            def fail():
                if os.path.exists("fail"):
                    raise OSError("not now")
            snapshot_restore_py.register_after_restore(fail)
            print("initialised")
            def main(event, context):
                return "well"
        """),
        "app.main",
        snapstart=True,
    )
    (folder := runtime._code).joinpath("fail").touch()
    with pytest.raises(InitError, match="not now"):
        runtime.restore()
    (folder / "fail").unlink()
    assert runtime.invoke().result == "well"
    assert runtime.logs.count("initialised") == 1


def test_stopping_leaves_no_process_or_thread(source):
    """The snapshot, its copy and what that started are gone, and the runtime can be started again."""
    before = set(threading.enumerate())
    runtime = Runtime(source(FUNCTION), "app.main", snapstart=True)
    for _ in range(2):
        with runtime:
            copy, child = runtime.invoke("x").result["pid"], runtime.invoke("child").result
            snapshot = parent_of(copy)
            assert all(map(is_running, (copy, child, snapshot)))
        assert not any(map(is_running, (copy, child, snapshot)))
    assert set(threading.enumerate()) <= before
    with pytest.raises(RuntimeError, match="has not been started"):
        runtime.restore()


def test_restoring_ends_what_the_copy_before_had_started(fleece_runtime, source):
    """Nothing of one execution environment lives on in the next."""
    runtime = fleece_runtime(source(FUNCTION), "app.main", snapstart=True)
    child = runtime.invoke("child").result
    runtime.restore()
    assert not is_running(child)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lets a pipe end a process")
def test_a_copy_ends_with_the_process_that_runs_it(source, tmp_path):
    """When the process that runs the tests is killed, a copy that is busy ends too, with what it started."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    folder = source(f"""
        import subprocess

        def main(event, context):
            subprocess.run(["sh", "-c", "exec > {pipe}; echo started; sleep 20; echo survived"])
    """)
    program = """
import sys
from fleece_testing import Runtime
Runtime(sys.argv[1], "app.main", snapstart=True).start().invoke(deadline=60)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with (
        subprocess.Popen([sys.executable, "-c", program, str(folder)], env=environment) as runner,
        pipe.open() as output,
    ):
        assert output.readline() == "started\n"
        runner.kill()
        assert output.read() == ""


def test_only_snapshots_can_be_restored(fleece_runtime, source):
    """Without SnapStart there is nothing to restore; with workers there is no SnapStart."""
    folder = source("def main(event, context): pass")
    with pytest.raises(RuntimeError, match="give Runtime snapstart=True"):
        fleece_runtime(folder, "app.main").restore()
    with pytest.raises(ValueError, match="not both"):
        Runtime(folder, "app.main", snapstart=True, concurrency=2)


def parent_of(pid):
    """Return the pid of a process's parent; None when the process is gone, or a zombie that nobody has buried yet."""
    listed = subprocess.run(["ps", "-o", "stat=,ppid=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, parent = listed.stdout.strip().partition(" ")
    return None if state[:1] in ("", "Z") else int(parent)


def is_running(pid):
    """Whether the process lives."""
    return parent_of(pid) is not None


IMPATIENT = """
    import os, socket, threading, time

    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    request = f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode()

    def ask():
        while True:
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(request)

    def main(event, context):
        threading.Thread(target=ask, daemon=True).start()
        return event
"""


def test_what_a_killed_copy_asked_for_is_not_lost(source):
    """A request that is read when the copy behind it is no more gets nothing of what the next copy is to do."""
    with Runtime(source(IMPATIENT), "app.main", snapstart=True) as runtime:
        for number in range(10):
            assert runtime.invoke(number, deadline=60).result == number
            runtime.restore()
