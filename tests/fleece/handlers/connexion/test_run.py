"""`FleeceApp.run`, over real HTTP."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time

import pytest
import yaml

HANDLERS = """
import connexion
from connexion.context import scope

def get_user(id, tag=None):
    return {"id": id, "url": str(connexion.request.url), "server": list(scope["server"])}

def add_user(body):
    return body, 201, {"Set-Cookie": "user=1"}

def delete_user(id):
    return connexion.NoContent, 204
"""
SERVICE = """
import signal
from fleece.connexion import get_connexion_app

signal.signal(signal.SIGINT, signal.default_int_handler)  # which pytest's background jobs do not have
get_connexion_app("service", "swagger.yml", framework={framework!r}).run({arguments})
"""


@pytest.fixture
def port():
    """Return a TCP port that nobody listens on; one below those that the system gives to whoever asks for any."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)  # not the random module's, which is seeded alike in all workers
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@pytest.fixture
def service(tmp_path, document):
    """Write a service, and return what runs it for the length of a block."""
    served = {"/users": document["paths"]["/users"], "/users/{id}": document["paths"]["/users/{id}"]}
    served["/users/{id}"]["get"]["responses"]["200"] = {"description": "ok"}
    (tmp_path / "swagger.yml").write_text(yaml.safe_dump({**document, "paths": served}))
    (tmp_path / "users_api.py").write_text(HANDLERS)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}

    @contextlib.contextmanager
    def run(framework, arguments):
        (tmp_path / "service.py").write_text(SERVICE.format(framework=framework, arguments=arguments))
        command = [sys.executable, "service.py"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=pipe, stderr=subprocess.STDOUT) as child:
            try:
                yield child
            finally:
                child.kill()

    return run


def ask(port, method, path, *, body=None, headers=None, child=None):
    """Make a request, as soon as somebody answers."""
    for _ in range(2000):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            client.request(method, path, body, headers or {})
            answer = client.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except ConnectionRefusedError:
            assert child.poll() is None, child.stdout.read()
            time.sleep(0.05)
        finally:
            client.close()
    raise TimeoutError


@pytest.mark.parametrize(("arguments", "framework"), [("{}", "flask"), ("port={}", "async")])
def test_run_serves_on_loopback(service, port, arguments, framework):
    """``run(8080)`` serves the API over HTTP to this machine, the port given either way, until Ctrl-C."""
    with service(framework, arguments.format(port)) as child:
        status, _, body = ask(port, "GET", "/users/7?tag=a", child=child)
        said = {"id": 7, "url": f"http://127.0.0.1:{port}/users/7?tag=a", "server": ["127.0.0.1", port]}
        assert (status, json.loads(body)) == (200, said)
        # Without a length, which is how clients send what they do not have yet.
        chunks = iter([b'{"name":', b' "a"}'])
        status, headers, body = ask(port, "POST", "/users", body=chunks, headers={"Content-Type": "application/json"})
        assert (status, json.loads(body), headers["set-cookie"]) == (201, {"name": "a"}, "user=1")
        status, headers, body = ask(port, "DELETE", "/users/7")
        assert (status, body) == (204, b"")
        assert ask(port, "GET", "/users/7?other=1")[0] == 400
        assert ask(port, "GET", "/nowhere")[0] == 404
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 0
        output = child.stdout.read().decode()
    assert f"http://127.0.0.1:{port}" in output
    assert "Traceback" not in output


def test_a_port_that_is_taken(service):
    """It is said in a line that names the port, and the process ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with service("async", port) as child:
            assert child.wait(120) == 1
            output = child.stdout.read().decode()
    assert f"Port {port} is in use by another program." in output
    assert "Traceback" not in output
