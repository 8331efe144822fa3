"""The HTTP server behind the stubs."""

from __future__ import annotations

import socket
import threading

import pytest
import requests

from fleece_testing._http import LoopbackServer, is_loopback


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def test_server_answers_on_loopback_until_it_is_stopped():
    """It listens on 127.0.0.1 on a free port, and leaves neither port nor thread behind."""
    threads = set(threading.enumerate())
    with LoopbackServer(application) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert requests.get(server.url, timeout=5).text == "hello"
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1"}],
)
def test_web_page_cannot_reach_it(headers):
    """A foreign Host (DNS rebinding) and any Origin are refused, and no CORS header is sent."""
    with LoopbackServer(application) as server:
        answer = requests.get(server.url, headers=headers, timeout=5)
    assert answer.status_code == 403
    assert "hello" not in answer.text
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:4566", True),
        ("localhost:1", True),
        ("[::1]", True),
        ("[::1]:80", True),
        ("LOCALHOST", True),
        ("127.0.0.2:80", True),
        ("evil.example@127.0.0.1", False),
        ("[::1].evil.example", False),
        ("bucket.localhost:4566", True),
        ("", False),
        ("example.com", False),
        ("localhost.example.com:80", False),
        ("notlocalhost", False),
        ("[::2]:80", False),
    ],
)
def test_loopback_hosts_are_told_from_others(host, loopback):
    """Only names that are this machine's own loopback pass."""
    assert is_loopback(host) is loopback


def test_taken_port_is_an_error_at_start():
    """A port that is in use raises OSError; the server neither hangs nor ends the process."""
    with LoopbackServer(application) as first, pytest.raises(OSError, match="in use"):
        LoopbackServer(application, port=first.port).start()


def test_port_of_a_stopped_server_is_an_explained_error():
    """Asking for the address before start() says what to do."""
    with pytest.raises(RuntimeError, match=r"call start\(\)"):
        _ = LoopbackServer(application).url
