"""What the tests of the local stack share: the commands as child processes, and stacks that are running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fleece_testing._environment import scrubbed
from fleece_testing._runtime_lifeline import Lifeline
from fleece_testing._trace_header import new_trace_id
from fleece_testing.local.main import exit_code_of

COMMAND = [sys.executable, "-m", "fleece_testing.local"]
LOCALSTACK = Path(__file__).parents[3] / "localstack"


class Place:
    """A folder to run ``fleece-local`` in, with a home, a cache and temporary files of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.environment = {
            **{name: value for name, value in scrubbed(os.environ).items() if name != "FLEECE_LOCAL_STACK"},
            "HOME": str(folder),
            "COLUMNS": "120",
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TMPDIR": str(self.temporary),
        }

    def run(self, *arguments, stdin="", env=None):
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    @contextlib.contextmanager
    def start(self, *arguments):
        """Have a command running, in a process group that ends with the block, or with the tests if they are killed."""
        lifeline = Lifeline()
        with subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[lifeline.end_of_child],
        ) as process:
            lifeline.tie(process.pid)
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                lifeline.close()

    @contextlib.contextmanager
    def up(self, *arguments, port="0", name="ready.json"):
        """Have a stack running: yield its process, with what its file says as ``stack``."""
        ready = self.folder / name
        with self.start("up", "--port", port, "--ready-file", ready, *arguments) as process:
            while not ready.exists():
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.02)
            process.stack = json.loads(ready.read_text())
            yield process

    def files(self):
        """Return all files, but for those of the test itself."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Keep one stack running for all tests that only ask it, seeded with the example's resources."""
    place = Place(tmp_path_factory.mktemp("stack"))
    resources = LOCALSTACK / "resources.yml"
    with place.up("--resources", resources, "--env-file", "stack.env", "--environments", "environments.yml") as process:
        place.stack = process.stack
        yield place


@pytest.fixture
def here(tmp_path, monkeypatch, capfd):
    """Run commands in this process, in an empty folder: ``here("traces")`` is exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FLEECE_LOCAL_STACK", raising=False)

    def run(*arguments):
        code = exit_code_of(list(map(str, arguments)))
        return (code, *capfd.readouterr())

    run.folder = tmp_path
    return run


@pytest.fixture
def source(tmp_path):
    """Return a folder with handlers of several kinds in ``handler.py``."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "handler.py").write_text(
        """
import os, signal
from fleece import boto3
from fleece.xray import monkey_patch_botocore_for_xray, trace_xray_subsegment

monkey_patch_botocore_for_xray()

@trace_xray_subsegment()
def who(event, context):
    print("printed", event["id"])
    return {"arn": boto3.client("sts").get_caller_identity()["Arn"], "id": event["id"]}

def fails(event, context):
    raise KeyError("\\x1b[31mnope")

def plain(event, context):
    print("a\\tb \\x1b[31mred")
    return os.environ.get("COLOUR")

def waits(event, context):
    with open(event, "w") as output:
        print(os.getpid(), file=output, flush=True)
        signal.pause()
"""
    )
    return folder


@pytest.fixture
def documents():
    """Make the documents of a trace: a root, and a child that it has called."""

    def make(**fields):
        trace_id = new_trace_id()
        root = {"trace_id": trace_id, "id": "1" * 16, "type": "subsegment", "name": "root", "parent_id": "0" * 16}
        child = {"trace_id": trace_id, "id": "2" * 16, "type": "subsegment", "name": "child", "parent_id": "1" * 16}
        times = {"start_time": 1.0, "end_time": 2.0}
        return [{**child, **times}, {**root, **times, **fields}]

    return make


@pytest.fixture
def send():
    """Send documents to an X-Ray daemon, as fleece and AWS's SDK do."""
    import socket

    def datagrams(address, documents):
        host, _, port = address.partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for document in documents:
                header = b'{"format": "json", "version": 1}\n'
                sender.sendto(header + json.dumps(document).encode(), (host, int(port)))

    return datagrams
