"""Functions in a child process under AWS's own runtime client."""

import importlib.metadata
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleece_testing import Runtime, XRayDaemon
from fleece_testing.runtime import FunctionError, InitError

DOS_ARCHIVE = 0x20  # the attribute of a file in an archive that was made on Windows; it has no permissions


@pytest.fixture
def source(tmp_path):
    """Write the module ``app`` into a source folder and return the folder."""

    def write(text):
        folder = tmp_path / "src"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(textwrap.dedent(text))
        return folder

    return write


@pytest.fixture
def archive(tmp_path):
    """Write a zip of modules given by name, with their permissions, or with None without, and return its path."""

    def write(modes=None, **files):
        path = tmp_path / "function.zip"
        with zipfile.ZipFile(path, "w") as opened:
            for name, text in files.items():
                entry = zipfile.ZipInfo(f"{name}.py", (2020, 2, 3, 4, 5, 6))
                mode = (modes or {}).get(name, 0o644)
                entry.external_attr = DOS_ARCHIVE if mode is None else (stat.S_IFREG | mode) << 16
                opened.writestr(entry, textwrap.dedent(text))
        return path

    return write


COUNTER = """
    import sys
    count = 0

    def main(event, context):
        global count
        count += 1
        if event == "sleep":
            import time
            time.sleep(60)
        if isinstance(event, int):
            sys.exit(event)
        if event == "raise":
            raise LookupError("no such user")
        return {"event": event, "count": count, "id": context.aws_request_id}
"""


def test_an_error_as_text_has_no_control_characters():
    """A function's error as text is one line that cannot move a terminal's cursor; its message is as it was."""
    error = FunctionError("Gone\x07", "\x1b[2Jé\nleft")
    assert str(error) == r"Gone\x07: \x1b[2Jé\nleft"
    assert str(InitError(error, [])) == rf"The function could not be initialised: {error}"
    assert error.message == "\x1b[2Jé\nleft"


def test_warm_invocations_share_one_process(fleece_runtime, source):
    """Module state lives from one invocation to the next, and each has an id of its own."""
    runtime = fleece_runtime(source(COUNTER), "app.main")
    first, second = runtime.invoke({"ü": [1]}), runtime.invoke()
    assert first.result == {"event": {"ü": [1]}, "count": 1, "id": first.request_id}
    assert second.result == {"event": None, "count": 2, "id": second.request_id}
    assert first.error is None
    assert 0 < first.duration < 60


def test_an_exception_is_the_error_that_lambda_reports(fleece_runtime, source):
    """Type, message and stack come from the runtime client; the process goes on."""
    runtime = fleece_runtime(source(COUNTER), "app.main")
    failed = runtime.invoke("raise")
    assert failed.result is None
    assert (failed.error.type, failed.error.message) == ("LookupError", "no such user")
    assert "app.py" in failed.error.stack[0]
    assert str(failed.error) == "LookupError: no such user"
    assert runtime.invoke().result["count"] == 2


def test_an_error_with_a_long_traceback_is_reported(fleece_runtime, source):
    """Endless recursion is the error that it is: the client sends its thousand frames in one header."""
    invocation = fleece_runtime(source("def main(event, context): return main(event, context)"), "app.main").invoke()
    assert invocation.error.type == "RecursionError"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone says what a process was started with")
def test_a_process_that_has_left_its_group_ends_too(source, tmp_path):
    """What a function started in a session of its own ends with the function's process, as it does on Lambda."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    folder = source(f"""
        import subprocess

        def main(event, context):
            command = "exec > {pipe}; echo started; sleep 20; echo survived"
            return subprocess.Popen(["sh", "-c", command], start_new_session=True) and None
    """)
    with Runtime(folder, "app.main") as runtime:
        runtime.invoke()
        output = pipe.open()
        assert output.readline() == "started\n"
    with output:
        assert output.read() == ""


def test_a_timeout_ends_the_process_and_the_next_invocation_has_a_new_one(fleece_runtime, source):
    """As on Lambda, nothing of the old process is left."""
    runtime = fleece_runtime(source(COUNTER), "app.main")
    runtime.invoke()
    late = runtime.invoke("sleep", deadline=0.2)
    assert late.error == FunctionError(
        "Sandbox.Timedout", f"RequestId: {late.request_id} Error: Task timed out after 0.20 seconds"
    )
    assert late.result is None
    assert runtime.invoke().result["count"] == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")],
)
def test_an_exit_is_an_error_and_the_next_invocation_has_a_new_process(fleece_runtime, source, code, reason):
    """``sys.exit`` in a handler ends the process with nothing posted, which Lambda reports itself."""
    runtime = fleece_runtime(source(COUNTER), "app.main")
    crashed = runtime.invoke(code)
    assert crashed.error == FunctionError("Runtime.ExitError", f"RequestId: {crashed.request_id} Error: {reason}")
    assert runtime.invoke().result["count"] == 1


def test_a_killed_process_is_an_error(fleece_runtime, source):
    """What a memory limit does to a process looks like this."""
    runtime = fleece_runtime(
        source("import os, signal\ndef main(event, context):\n    os.kill(os.getpid(), signal.SIGKILL)\n"), "app.main"
    )
    assert runtime.invoke().error.message.endswith("Runtime exited with error: signal: killed")


def test_a_process_that_dies_between_invocations_is_replaced(fleece_runtime, source):
    """The next invocation finds a new process, not a dead one."""
    runtime = fleece_runtime(source("import os\ndef main(event, context):\n    return os.getpid()\n"), "app.main")
    first = runtime.invoke().result
    os.kill(first, signal.SIGKILL)
    assert runtime.invoke().result != first


def test_output_is_told_apart_by_invocation(fleece_runtime, source):
    """Each invocation has the lines of both streams that were written meanwhile, the last one unfinished or not."""
    runtime = fleece_runtime(
        source("""
            import json, os, sys
            print("booting")

            def main(event, context):
                print(json.dumps({"event": event, "n": 1}))
                print("warning", file=sys.stderr)
                os.write(1, "no newline ü".encode())
        """),
        "app.main",
    )
    first, second = runtime.invoke("a"), runtime.invoke("b")
    assert first.logs == ['{"event": "a", "n": 1}', "warning", "no newline ü"]
    assert second.log_lines == [{"event": "b", "n": 1}]
    assert runtime.logs[0] == "booting"


def test_output_before_a_timeout_and_a_crash_is_kept(fleece_runtime, source):
    """What was written up to the end is there, however long."""
    folder = source("""
        import os, sys, time
        def main(event, context):
            for number in range(20_000):
                print("line", number)
            if event == "exit":
                os._exit(1)
            open("written", "w").close()
            time.sleep(60)
    """)
    runtime = fleece_runtime(folder, "app.main", echo=False)
    logs, deadline = runtime.invoke("exit").logs, 2
    assert (len(logs), logs[-1]) == (20_000, "line 19999")
    while not (folder / "written").exists():  # on a slow machine, writing itself takes so long
        logs, deadline = runtime.invoke("sleep", deadline=deadline).logs, deadline * 2
    assert (len(logs), logs[-1]) == (20_000, "line 19999")


def test_output_is_repeated_where_pytest_and_fleece_logs_see_it(source, capsys):
    """By default the function's output is written on; ``echo=False`` keeps it in the result alone."""
    folder = source("print('init')\ndef main(event, context):\n    print('called')\n")
    with Runtime(folder, "app.main") as runtime:
        runtime.invoke()
    assert capsys.readouterr().out == "init\ncalled\n"
    with Runtime(folder, "app.main", echo=False) as runtime:
        assert runtime.invoke().logs == ["called"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "handler", "kind", "message", "was_run"),
    [
        ("import not_there", "app.main", "Runtime.ImportModuleError", "No module named 'not_there'", True),
        ("def main(:", "app.main", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'", False),
        ("", "app.main", "Runtime.HandlerNotFound", "Handler 'main' missing on module 'app'", True),
        ("", "other.main", "Runtime.ImportModuleError", "Unable to import module 'other'", False),
        ("1 / 0", "app.main", "ZeroDivisionError", "division by zero", True),
        ("import os; os._exit(7)", "app.main", "Runtime.ExitError", "exit status 7", True),
    ],
)
def test_an_init_error_is_an_exception_that_says_what_lambda_says(source, text, handler, kind, message, was_run):
    """The error posted to /init/error, or the exit, is in the exception, with the output."""
    with pytest.raises(InitError) as failure:
        Runtime(source(f"print('starting', flush=True)\n{text}\n"), handler).start()
    assert failure.value.error.type == kind
    assert message in failure.value.error.message
    assert str(failure.value).startswith(f"The function could not be initialised: {kind}: ")
    assert ("starting" in failure.value.logs) == was_run


def test_an_init_that_hangs_is_given_up(source):
    """The time for coming up is bounded, and the process does not stay."""
    folder = source("import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)\n")
    seconds = 1
    while not (folder / "pid").exists():  # on a slow machine, the function has not even begun
        with pytest.raises(InitError, match=rf"Init timed out after {seconds}.00 seconds"):
            Runtime(folder, "app.main", init_timeout=seconds).start()
        seconds *= 3
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_an_init_error_of_a_later_process_is_raised_by_invoke(fleece_runtime, source):
    """A function that comes up only once says so when it has to come up again."""
    folder = source("import sys\ndef main(event, context):\n    sys.exit(1)\n")
    runtime = fleece_runtime(folder, "app.main")
    runtime.invoke()
    (folder / "app.py").write_text("import not_there")
    with pytest.raises(InitError, match="not_there"):
        runtime.invoke()


def test_a_zip_has_only_what_is_in_it_and_what_lambda_provides(fleece_runtime, archive):
    """fleece, requests and pytest are installed here and not in the zip: there they are missing; boto3 is not."""
    runtime = fleece_runtime(
        archive(
            app="""
                import importlib, importlib.metadata, sys

                def main(event, context):
                    found = {}
                    for name in event:
                        try:
                            importlib.import_module(name)
                            found[name] = True
                        except ImportError:
                            found[name] = False
                    return {"found": found, "boto3": importlib.metadata.version("boto3"), "path": sys.path}
            """,
            beside="",
        ),
        "app.main",
    )
    result = runtime.invoke(["boto3", "awslambdaric", "beside", "requests", "fleece", "pytest"]).result
    provided = {"boto3": True, "awslambdaric": True, "beside": True}
    assert result["found"] == {**provided, "requests": False, "fleece": False, "pytest": False}
    assert result["boto3"] == importlib.metadata.version("boto3")
    assert not [path for path in result["path"] if "site-packages" in path]


def test_a_package_missing_from_the_zip_fails_as_on_lambda(archive):
    """The error is the import error that Lambda would show."""
    with pytest.raises(InitError, match=r"Runtime.ImportModuleError: .*No module named 'requests'"):
        Runtime(archive(app="import requests\ndef main(event, context): pass"), "app.main").start()


def test_a_package_in_the_zip_goes_over_the_provided_one(fleece_runtime, archive):
    """The task root comes first on the path, as on Lambda."""
    runtime = fleece_runtime(
        archive(app="import boto3\ndef main(event, context):\n    return boto3.mine", boto3="mine = 'mine'"), "app.main"
    )
    assert runtime.invoke().result == "mine"


def test_isolation_can_be_chosen(source, archive):
    """A folder may be isolated, and a zip need not be."""
    text = "def main(event, context):\n    import requests\n    return requests.__name__\n"
    with Runtime(source(text), "app.main", isolated=True) as runtime:
        assert runtime.invoke().error.type == "ModuleNotFoundError"
    with Runtime(archive(app=text), "app.main", isolated=False) as runtime:
        assert runtime.invoke().result == "requests"


def test_a_zip_is_unpacked_read_only_with_the_archives_times(fleece_runtime, archive):
    """Nothing there is writable, times decide about bytecode, and it is gone after the end."""
    runtime = fleece_runtime(
        archive(
            app="""
                import os
                def main(event, context):
                    found = os.stat("app.py")
                    return [os.getcwd(), found.st_mode, found.st_mtime, os.stat(".").st_mode, os.listdir(".")]
            """
        ),
        "app.main",
    )
    folder, mode, moment, folder_mode, names = runtime.invoke().result
    assert stat.S_IMODE(mode) == 0o444
    assert stat.S_IMODE(folder_mode) == 0o555
    assert time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) == "2020-02-03 04:05:06"
    assert names == ["app.py"]
    runtime.stop()
    assert not Path(folder).parent.exists()


def test_what_the_archive_grants_to_others_is_what_the_function_has(fleece_runtime, archive):
    """The function's user owns nothing: a file for its owner alone is out of its reach; one without modes is not."""
    runtime = fleece_runtime(
        archive(
            modes={"private": 0o600, "program": 0o755, "elsewhere": None},
            private="",
            program="",
            elsewhere="",
            app="""
                import os
                def main(event, context):
                    return {name: os.stat(name).st_mode & 0o777 for name in os.listdir(".")}
            """,
        ),
        "app.main",
    )
    assert runtime.invoke().result == {"private.py": 0, "program.py": 0o555, "app.py": 0o444, "elsewhere.py": 0o555}


def test_a_source_folder_is_left_as_it_was(source):
    """No bytecode and nothing else is written into it."""
    folder = source("import beside\ndef main(event, context): pass\n")
    (folder / "beside.py").touch()
    with Runtime(folder, "app.main") as runtime:
        runtime.invoke()
    assert sorted(path.name for path in folder.iterdir()) == ["app.py", "beside.py"]


def test_the_environment_is_lambdas_and_holds_no_credentials(fleece_runtime, source, monkeypatch):
    """Lambda's variables are there, the caller's go over all but one, and nothing of this process's comes along."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "MY_SECRET"):
        monkeypatch.setenv(name, "parents")
    runtime = fleece_runtime(
        source("import os\ndef main(event, context):\n    return dict(os.environ)\n"),
        "app.main",
        environment={"TABLE": "users", "TZ": "Europe/Berlin", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"},
        function_name="users",
        memory=512,
        region="eu-west-1",
    )
    environment = runtime.invoke().result
    assert "parents" not in environment.values()
    version = ".".join(map(str, sys.version_info[:2]))
    expected = {
        "AWS_LAMBDA_FUNCTION_NAME": "users",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/users",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "_HANDLER": "app.main",
        "TABLE": "users",
        "TZ": "Europe/Berlin",
    }
    assert {name: environment[name] for name in expected} == expected
    assert environment["LAMBDA_TASK_ROOT"].endswith("src")


def test_boto3_finds_no_credentials_of_this_machine(fleece_runtime, source):
    """Not even those of shared files or a metadata service."""
    runtime = fleece_runtime(
        source("import boto3\ndef main(event, context):\n    return boto3.Session().get_credentials()\n"), "app.main"
    )
    assert runtime.invoke(deadline=20).result is None


def test_traces_are_part_of_the_result(fleece_runtime, source):
    """Each invocation has a sampled trace of its own, and the subsegments sent to the runtime's daemon."""
    runtime = fleece_runtime(source(SENDER), "app.main")
    first, second = runtime.invoke("one"), runtime.invoke("two")
    assert [one["name"] for one in first.subsegments] == ["one"]
    assert [one["name"] for one in second.subsegments] == ["two"]
    assert first.result != second.result
    assert first.result.endswith(";Sampled=1")
    runtime.xray.check()


SENDER = """
    import json, os, socket

    def main(event, context):
        header = os.environ.get("_X_AMZN_TRACE_ID")
        if header:
            fields = dict(part.split("=") for part in header.split(";"))
            host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
            document = {"type": "subsegment", "id": os.urandom(8).hex(), "trace_id": fields["Root"],
                        "parent_id": fields["Parent"], "name": event, "start_time": 1, "end_time": 2}
            text = json.dumps({"format": "json", "version": 1}) + "\\n" + json.dumps(document)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(text.encode(), (host, int(port)))
        return header
"""


def test_traces_can_go_to_another_daemon(source):
    """A daemon that is given is used and not stopped; so is the one in the environment, with its trace."""
    with XRayDaemon() as daemon:
        with Runtime(source(SENDER), "app.main", xray=daemon) as runtime:
            assert [one["name"] for one in runtime.invoke("given").subsegments] == ["given"]
        with Runtime(source(SENDER), "app.main", environment=daemon.environment()) as runtime:
            assert runtime.invoke("environment").result == daemon.trace_header
        daemon.assert_subsegment("given")
        daemon.assert_subsegment("environment", parent=daemon.parent_id)


def test_the_trace_header_can_be_chosen_and_left_out(fleece_runtime, source):
    """The header given is the one the function sees; an empty one is none."""
    runtime = fleece_runtime(source(SENDER), "app.main")
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    assert runtime.invoke("x", trace_header=header).result == header
    assert runtime.invoke("x", trace_header="").result is None


def test_an_answer_that_is_no_json_value_is_lambdas_error(fleece_runtime, source):
    """The runtime client itself refuses what it cannot write as JSON."""
    runtime = fleece_runtime(source("def main(event, context):\n    return object()\n"), "app.main")
    assert runtime.invoke().error.type == "Runtime.MarshalError"


def test_bytes_are_returned_as_they_are(fleece_runtime, source):
    """A handler may return bytes; those that are JSON are parsed, as callers do."""
    runtime = fleece_runtime(source("def main(event, context):\n    return bytes.fromhex(event)\n"), "app.main")
    assert runtime.invoke("ff00").result == b"\xff\x00"
    assert runtime.invoke(b"[1]".hex()).result == [1]


def test_an_answer_over_six_megabytes_is_refused(fleece_runtime, source):
    """Lambda's limit is kept, and the function goes on in a new process."""
    runtime = fleece_runtime(source("def main(event, context):\n    return 'x' * event\n"), "app.main", echo=False)
    assert len(runtime.invoke(6 * 1024 * 1024).result) == 6 * 1024 * 1024
    assert runtime.invoke(6 * 1024 * 1024 + 100).error.type == "Function.ResponseSizeTooLarge"
    assert runtime.invoke(1).result == "x"


def test_workers_of_a_managed_instance_run_at_once(fleece_runtime, source):
    """With a concurrency of two, two invocations that wait for each other both come to an end."""
    runtime = fleece_runtime(
        source("""
            import os, pathlib, time
            def main(event, context):
                mine, other = event
                pathlib.Path(mine).touch()
                while not pathlib.Path(other).exists():
                    time.sleep(0.01)
                return os.getpid()
        """),
        "app.main",
        concurrency=2,
    )
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(runtime.invoke, event, deadline=20) for event in (["a", "b"], ["b", "a"])]
        pids = [call.result().result for call in calls]
    assert len(set(pids)) == 2
    assert None not in pids


def test_calls_from_several_threads_wait_for_each_other(fleece_runtime, source):
    """One process handles one event at a time."""
    runtime = fleece_runtime(source(COUNTER), "app.main")
    with ThreadPoolExecutor(4) as pool:
        counts = [one.result["count"] for one in pool.map(runtime.invoke, "abcdefgh")]
    assert sorted(counts) == list(range(1, 9))


def test_stopping_leaves_no_process_file_or_thread(archive, tmp_path, monkeypatch):
    """Grandchildren die as well, temporary files go, threads end, ports close."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = set(threading.enumerate())
    runtime = Runtime(
        archive(
            app="""
                import os, subprocess
                child = subprocess.Popen(["sleep", "60"])
                def main(event, context):
                    return [os.getpid(), child.pid, os.environ["AWS_LAMBDA_RUNTIME_API"]]
            """
        ),
        "app.main",
    )
    pid, grandchild, api = runtime.start().invoke().result
    assert runtime.start() is runtime
    runtime.stop()
    runtime.stop()
    assert set(threading.enumerate()) <= before
    assert list((tmp_path / "temporary").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not is_running(grandchild)
    host, port = api.split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0
    with pytest.raises(RuntimeError, match="has not been started"):
        runtime.invoke()


LEFT_BEHIND = """
    import os, socket, time

    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    request = f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode()

    def main(seconds, context):
        connections = [socket.create_connection((host, int(port))) for _ in range(5)]
        for connection in connections:
            connection.sendall(request)
        time.sleep(seconds)
        for connection in connections:
            connection.close()
        return seconds
"""


@pytest.mark.parametrize("seconds", [0, 0.2], ids=["before it is read", "while it waits"])
def test_an_invocation_is_not_given_to_a_client_that_has_gone(source, seconds):
    """Who asked for the next invocation, and hung up, gets none: it would be lost."""
    with Runtime(source(LEFT_BEHIND), "app.main") as runtime:
        assert [runtime.invoke(seconds, deadline=60).result for _ in range(3)] == [seconds] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lets a pipe end a process")
def test_a_function_ends_with_the_process_that_runs_it(source, tmp_path):
    """When the process that runs the tests is killed, a function that is busy ends too, with what it started."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    folder = source(f"""
        import subprocess

        def main(event, context):
            subprocess.run(["sh", "-c", "exec > {pipe}; echo started; sleep 20; echo survived"])
    """)
    program = (
        "import sys; from fleece_testing import Runtime; Runtime(sys.argv[1], 'app.main').start().invoke(deadline=60)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # a killed process cannot remove its folders
    with (
        subprocess.Popen([sys.executable, "-c", program, str(folder)], env=environment) as runner,
        pipe.open() as output,
    ):
        assert output.readline() == "started\n"
        runner.kill()
        assert output.read() == ""


def is_running(pid):
    """Whether the process lives; an orphan that was killed may still wait for init to bury it."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_what_a_killed_process_has_left_is_removed_by_the_next(archive, tmp_path, monkeypatch):
    """A process that was killed cannot remove its unpacked code: the next does; not that of one that still runs."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    code = archive(app="def main(event, context): pass", **{"folder/module": ""})
    program = """
import sys, time
from fleece_testing import Runtime
runtime = Runtime(sys.argv[1], "app.main").start()
print("started", flush=True)
time.sleep(20)
"""
    command, environment = [sys.executable, "-c", program, str(code)], {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout.readline() == "started\n"
        (left,) = temporary.iterdir()
        with Runtime(code, "app.main"):
            assert left.is_dir()
        runner.kill()
    assert list(temporary.iterdir()) == [left]
    with Runtime(code, "app.main"):
        assert not left.exists()


def test_stopping_ends_a_call_that_another_thread_waits_for(source):
    """A test that is over need not wait for what it has started: the call ends as if the process had been killed."""
    folder = source("import time\ndef main(event, context):\n    open(event, 'w').close()\n    time.sleep(60)\n")
    for number in range(5):
        runtime = Runtime(folder, "app.main").start()
        busy = folder / f"busy {number}"
        with ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(runtime.invoke, str(busy), deadline=60) for _ in range(2)]
            while not busy.exists():
                time.sleep(0.01)
            runtime.stop()
        ended, refused = sorted(calls, key=lambda call: call.exception() is not None)
        assert ended.result().error.message.endswith("signal: killed")
        assert "has not been started" in str(refused.exception())


class SignalError(Exception):
    """What a signal's handler raises in the test below."""


def test_a_signal_ends_a_call_that_waits_though_nothing_wakes_it(source):
    """A signal whose handler raises ends the call also when it came as the wait began, which then goes on."""

    def interrupt(number, frame):
        interrupted.set()
        raise SignalError

    def signal_elsewhere():
        # To this thread, so that the main one's wait is not broken off: that is how it is when the signal was there
        # just before the wait.
        with pipe.open() as running:
            running.readline()
        signal.raise_signal(signal.SIGUSR1)
        seen.append(interrupted.wait(10))
        runtime.stop()

    interrupted, seen = threading.Event(), []
    before = signal.signal(signal.SIGUSR1, interrupt)
    pipe = source("import time\ndef main(event, context):\n    open(event, 'w').close()\n    time.sleep(60)\n") / "pipe"
    os.mkfifo(pipe)
    try:
        with Runtime(pipe.parent, "app.main") as runtime:
            thread = threading.Thread(target=signal_elsewhere, daemon=True)
            thread.start()
            with pytest.raises(SignalError):
                runtime.invoke(str(pipe))
            thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [True]


def test_a_stopped_runtime_can_be_started_again(source):
    """Start after stop boots anew."""
    runtime = Runtime(source(COUNTER), "app.main")
    for _ in range(2):
        with runtime:
            assert runtime.invoke().result["count"] == 1


def test_another_interpreter_brings_its_own_packages(tmp_path, source):
    """The runtime client is looked for where it will run, isolated or not, and missing there is told."""
    venv.EnvBuilder(symlinks=True).create(tmp_path / "venv")
    python = str(tmp_path / "venv" / "bin" / "python")
    folder = source("import sys\ndef main(event, context):\n    return sys.executable\n")
    with pytest.raises(ValueError, match=r"has no awslambdaric, AWS's runtime client: .* -m pip install awslambdaric"):
        Runtime(folder, "app.main", python=python).start()
    (site_packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site_packages / "mine.pth").write_text(sysconfig.get_path("platlib"))
    for isolated in (True, False):
        with Runtime(folder, "app.main", python=python, isolated=isolated) as runtime:
            assert runtime.invoke().result == python


def test_code_that_is_not_there_or_no_zip_says_so(tmp_path):
    """A wrong path or file is an error of its own, before any process."""
    with pytest.raises(FileNotFoundError, match=r"There is no code at .*nowhere: give a source folder or a built zip"):
        Runtime(tmp_path / "nowhere", "app.main").start()
    (tmp_path / "code.zip").write_text("text")
    with pytest.raises(ValueError, match=r"code\.zip is neither a folder nor a zip archive"):
        Runtime(tmp_path / "code.zip", "app.main").start()


def test_an_archive_that_lambda_would_refuse_is_refused(tmp_path):
    """Lambda takes 250 MB unpacked."""
    path = tmp_path / "big.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened, opened.open("zeros", "w") as member:
        for _ in range(251):
            member.write(bytes(1024 * 1024))
    with pytest.raises(ValueError, match="Lambda takes at most 262144000"):
        Runtime(path, "app.main").start()


def test_snapstart_hooks_run(fleece_runtime, source):
    """With SnapStart's initialisation type, the runtime client runs the hooks before the first event."""
    runtime = fleece_runtime(
        source("""
            from snapshot_restore_py import register_after_restore, register_before_snapshot
            seen = []
            register_before_snapshot(seen.append, "before")
            register_after_restore(seen.append, "after")
            def main(event, context):
                return seen
        """),
        "app.main",
        environment={"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"},
    )
    assert runtime.invoke().result == ["before", "after"]


def test_the_result_of_a_json_logger_is_parsed(fleece_runtime, source):
    """AWS's JSON log format gives lines that `log_lines` holds."""
    runtime = fleece_runtime(
        source("import logging\ndef main(event, context):\n    logging.getLogger().error('no')\n"),
        "app.main",
        environment={"AWS_LAMBDA_LOG_FORMAT": "JSON"},
    )
    invocation = runtime.invoke()
    (line,) = invocation.log_lines
    assert (line["level"], line["message"], line["requestId"]) == ("ERROR", "no", invocation.request_id)
    assert json.loads(invocation.logs[0]) == line
