"""Where the functions of this suite run: under AWS's runtime client, and within AWS's own Lambda emulator.

`fleece_runtime` (fleece_testing's) drives the runtime client against a stub. `function` gives each test twice, with the
stub and with AWS's emulator, the program that AWS's container images have inside: what both say is what Lambda does.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fleece_testing._runtime_lifeline import Lifeline
from fleece_testing.runtime import FunctionError, Invocation
from fleece_testing.xray_daemon import Refused, validate

FUNCTIONS = Path(__file__).parent / "functions"

_MACHINES = {"AMD64": "x86_64", "aarch64": "arm64"}
_PATH = "/2015-03-31/functions/function/invocations"


@pytest.fixture
def functions():
    """Return the folder of the functions' code."""
    return FUNCTIONS


@pytest.fixture(scope="session")
def emulator_program(tmp_path_factory):
    """Unpack AWS's Lambda emulator from the wheel of ``aws-sam-cli``, which the environment's set-up fetched."""
    folder = os.environ.get("FLEECE_TEST_RIE", "")
    wheels = sorted(Path(folder).glob("aws_sam_cli-*.whl")) if folder else []
    assert wheels, (
        f"There is no wheel of aws-sam-cli in FLEECE_TEST_RIE={folder!r}: run this suite by tox run -e runtime"
    )
    machine = _MACHINES.get(platform.machine(), platform.machine())
    with zipfile.ZipFile(wheels[-1]) as wheel:
        member = f"samcli/local/rapid/aws-lambda-rie-{machine}"
        program = Path(wheel.extract(member, tmp_path_factory.mktemp("emulator")))
    program.chmod(0o755)
    return program


@pytest.fixture(params=["runtime client", "emulator"])
def function(request, fleece_runtime, tmp_path):
    """Boot a function: ``function("lines.main", environment={...}, deadline=1).invoke(event)``."""
    started = []

    def boot(handler, *, environment=None, deadline=10):
        if request.param == "runtime client":
            return WithDeadline(fleece_runtime(FUNCTIONS, handler, environment=environment), deadline)
        program = request.getfixturevalue("emulator_program")
        started.append(Emulator(program, tmp_path / f"output {len(started)}", handler, environment or {}, deadline))
        return started[-1]

    yield boot
    for emulator in started:
        emulator.stop()


@pytest.fixture
def service():
    """Stand in for every other service, and keep what it was asked."""
    with Service() as running:
        yield running


@pytest.fixture
def silent():
    """Return the URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture
def datagrams():
    """Stand in for the X-Ray daemon, and keep the sender of each document as well."""
    with Datagrams() as running:
        yield running


class Datagrams:
    """A port for datagrams.

    Attributes:
        environment: the variable that leads a function's traces here.
    """

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0)
        self.environment = {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self._socket.getsockname()[1]}"}

    def take(self):
        """Return what has come: pairs of the sender's port and the complete subsegment."""
        came = []
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, (_, port) = self._socket.recvfrom(65_536)
                document = validate(datagram)
                assert not isinstance(document, Refused), document
                if "end_time" in document:
                    came.append((port, document))
        return came

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._socket.close()


class Service(ThreadingHTTPServer):
    """Answer each request, STS's among them, keep connections open as long as the clients want, and keep what was.

    Attributes:
        headers: the trace header of the last request, by path.
        connections: for each request the client's port, which tells connections apart.
    """

    daemon_threads = False  # waited for at the end

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.headers = {}
        self.connections = []
        self._sockets = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def get_request(self):
        """Keep the connections, which the functions keep open, to end them in the end."""
        request = super().get_request()
        self._sockets.append(request[0])
        return request

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self._thread.join()
        for one in self._sockets:
            with contextlib.suppress(OSError):  # the function has closed it
                one.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Answer(BaseHTTPRequestHandler):
    """The answer to every request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    body = b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"

    def do_GET(self):
        """Keep what the request was, and answer it."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.headers[self.path.partition("?")[0]] = self.headers.get("X-Amzn-Trace-Id")
        self.server.connections.append(self.client_address[1])
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET  # noqa: N815 (the base class's name)

    def log_message(self, *args):
        """Say nothing."""


class WithDeadline:
    """A `fleece_testing.Runtime` whose invocations all have the same deadline, as the emulator's have."""

    def __init__(self, runtime, deadline):
        self._runtime = runtime
        self._deadline = deadline

    def invoke(self, event=None):
        """Invoke the function with no trace, as the emulator does."""
        return self._runtime.invoke(event, deadline=self._deadline, trace_header="")


class Emulator:
    """A function within AWS's Lambda emulator."""

    def __init__(self, program, output, handler, environment, deadline):
        self._output = output
        self._port, api_port = free_ports(2)
        command = [
            program,
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{self._port}",
            "--runtime-api-address",
            f"127.0.0.1:{api_port}",
            *(sys.executable, "-m", "awslambdaric", handler),
        ]
        variables = {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_TIMEOUT": str(deadline), **environment}
        self._lifeline = Lifeline()
        with output.open("wb") as stdout, output.with_suffix(".err").open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                cwd=FUNCTIONS,
                env=variables,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                pass_fds=[self._lifeline.end_of_child],
            )
        self._lifeline.tie(self._process.pid)
        wait_for_port(self._port)

    def invoke(self, event=None):
        """Invoke the function once and wait for its answer."""
        start = self._output.stat().st_size
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        try:
            connection.request("POST", _PATH, json.dumps(event))
            answer = connection.getresponse().read().decode()
        finally:
            connection.close()
        # The function writes to the file itself: what it wrote before it answered is there.
        lines = self._output.read_bytes()[start:].decode().split("\n")
        result, error = outcome(answer)
        (request_id,) = [line.split()[2] for line in lines if line.startswith("START RequestId: ")]
        own = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "")
        logs = [line for line in lines if line and not line.startswith(own[:3])]
        return Invocation(request_id, result, error, logs, 0.0)

    def stop(self):
        """End the emulator and the function."""
        self._process.terminate()
        self._process.wait()
        self._lifeline.close()


def outcome(answer):
    """Return the result and the error that the emulator's answer stands for."""
    if answer.startswith("Task timed out after "):
        return None, FunctionError("Sandbox.Timedout", answer)
    parsed = json.loads(answer)
    if isinstance(parsed, dict) and "errorType" in parsed:
        return None, FunctionError.from_document(parsed)
    return parsed, None


def free_ports(count):
    """Return ports that nobody listens on; they are below those that the system gives to whoever asks for any."""
    ports = set()
    while len(ports) < count:
        port = 10_000 + secrets.randbelow(20_000)  # not the random module's, which is seeded alike in all workers
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.add(port)
    return ports


def wait_for_port(port):
    """Wait until somebody listens."""
    for _ in range(3000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"Nobody listens on port {port}")
