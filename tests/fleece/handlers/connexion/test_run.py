"""`FleeceApp.run`, over real HTTP."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
import yaml


@pytest.mark.parametrize(("arguments", "framework"), [("{}", "flask"), ("port={}", "async")])
def test_run_serves_on_loopback(tmp_path, arguments, framework, document):
    """``run(8080)`` serves the API over HTTP to this machine, the port given either way, until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "users_api.py").write_text(
        "def get_user(id, tag=None):\n    return {'id': id}\ndef add_user(body):\n    return body, 201\n"
    )
    paths = document["paths"]
    served = {"/users/{id}": {"get": paths["/users/{id}"]["get"]}, "/users": paths["/users"]}
    (tmp_path / "swagger.yml").write_text(yaml.safe_dump({**document, "paths": served}))
    (tmp_path / "service.py").write_text(
        "import signal\n"
        "from fleece.connexion import get_connexion_app\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # where pytest runs in a background job
        f"get_connexion_app('service', 'swagger.yml', framework={framework!r}).run({arguments.format(port)})\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    with subprocess.Popen(
        [sys.executable, "service.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as child:
        try:
            for _ in range(200):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/users/7?tag=a", timeout=10) as response:
                        said = json.load(response)
                    break
                except OSError:
                    assert child.poll() is None, child.stdout.read()
                    time.sleep(0.05)
            # Without a length, which is how clients send what they do not have yet.
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("POST", "/users", iter([b'{"name":', b' "a"}']), {"Content-Type": "application/json"})
            added = json.load(client.getresponse())
            client.close()
            child.send_signal(signal.SIGINT)
            ended = child.wait(10)
        finally:
            child.kill()
        output = child.stdout.read().decode()
    assert (said, added) == ({"id": 7}, {"name": "a"})
    assert ended == 0
    assert f"http://127.0.0.1:{port}" in output
    assert "Traceback" not in output
