"""Timeouts of fleece.requests: which one holds, and what its end is called."""

from __future__ import annotations

import re
import socket
import sys
import threading

import pytest
import requests as plain_requests
from hypothesis import given, strategies as st
from urllib3.util import Timeout

from fleece import requests
from fleece._defaults import defaults

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 4\r\n\r\nha"

seconds = st.none() | st.floats(0.5, 90) | st.integers(1, 90)


@given(
    of_call=st.just("not given") | seconds | st.tuples(seconds, seconds),
    of_session=seconds | st.tuples(seconds, seconds),
    installed=st.tuples(seconds, seconds, seconds),
)
def test_first_timeout_given_wins(of_call, of_session, installed):
    """Call, session, default of its kind, default timeout, none: the first given wins, and None on a call is given."""
    seen = []

    class Adapter(requests.adapters.BaseAdapter):
        def send(self, request, timeout=None, **kwargs):
            seen.append(timeout)
            response = requests.Response()
            response.status_code, response.url, response.request = 200, request.url, request
            return response

        def close(self):
            pass

    with defaults.override(), requests.Session(timeout=of_session) as session:
        requests.set_default_timeout(*installed)
        session.mount("http://", Adapter())
        session.get("http://127.0.0.1/", **({} if of_call == "not given" else {"timeout": of_call}))
        session.send(session.prepare_request(requests.Request("GET", "http://127.0.0.1/")))

    both, connect, read = installed
    default = (both if connect is None else connect, both if read is None else read) if any(installed) else None
    inherited = default if of_session is None else of_session
    assert seen == [inherited if of_call == "not given" else of_call, inherited]


@pytest.mark.parametrize("retries", [None, 1, {"total": 1}])
def test_timeout_is_a_timeout_also_after_retries(peer, acts, retries):
    """A server that never answers ends in ReadTimeout, after as many attempts as were asked for."""
    server = peer(acts.say_then_stall(b""), acts.say_then_stall(b""))
    with pytest.raises(requests.ReadTimeout):
        requests.get(server.url, timeout=0.1, retries=retries)
    attempts = 1 if retries is None else 2
    assert len(server.requests_of(connections=attempts)) == attempts


@pytest.mark.parametrize("answer", [OK, REDIRECT], ids=["answer", "redirect"])
@pytest.mark.parametrize("retries", [None, 1])
def test_timeout_within_the_body_is_a_timeout(peer, acts, answer, retries):
    """A server that stalls half-way through a body ends in ReadTimeout, where requests says ConnectionError."""
    server = peer(acts.say_then_stall(answer))
    with pytest.raises(requests.ReadTimeout, match="timed out"):
        requests.get(server.url, timeout=0.1, retries=retries)


@pytest.mark.parametrize(
    "read",
    [
        lambda answer: answer.content,
        lambda answer: answer.json(),
        lambda answer: list(answer.iter_content(1)),
        lambda answer: list(answer.iter_lines()),
        list,
    ],
    ids=["content", "json", "iter_content", "iter_lines", "iter"],
)
def test_timeout_within_a_body_that_is_streamed_is_a_timeout(peer, acts, read):
    """The same when the body is read later, in whatever way."""
    server = peer(acts.say_then_stall(OK))
    with requests.get(server.url, timeout=0.5, stream=True) as answer:  # the head comes in time also where it is slow
        assert isinstance(answer, requests.Response)
        with pytest.raises(requests.ReadTimeout, match="timed out"):
            read(answer)


def test_streamed_body_is_read_once(url):
    """What requests says of a body that was read already, it says at once."""
    with requests.get(url, stream=True) as answer:
        assert b"".join(answer.iter_content(1)) == b"ok"
        with pytest.raises(requests.exceptions.StreamConsumedError):
            answer.iter_content(1)


@pytest.mark.parametrize("half", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["status", "header"])
def test_timeout_within_the_head_is_a_timeout(peer, acts, half):
    """A server that stalls half-way through the head ends in ReadTimeout, on a reused connection too."""
    server = peer(acts.answer_then(acts.say_then_stall(half)))
    requests.get(server.url)
    with pytest.raises(requests.ReadTimeout):
        requests.get(server.url, timeout=0.1)
    assert len(server.requests_of(connections=1)) == 2


@pytest.mark.parametrize("retries", [None, {"total": 1, "backoff_factor": 0}])
def test_connection_that_is_never_accepted_is_a_connect_timeout(retries):
    """A server whose queue is full ends in ConnectTimeout, which is a ConnectionError and a Timeout, as in requests."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(requests.ConnectTimeout):
            requests.get(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout=(0.1, 50), retries=retries)


def test_default_timeout_fires(peer, acts):
    """What set_default_timeout has set ends a call that names none; set to nothing, it is no more."""
    requests.set_default_timeout(50, read_timeout=0.1)
    with pytest.raises(requests.ReadTimeout):
        requests.get(peer(acts.say_then_stall(b"")).url)
    requests.set_default_timeout()
    assert requests.get(peer(acts.answer).url).text == "ok"


def test_timeout_of_urllib3_is_taken(peer, acts):
    """What requests takes besides numbers, fleece takes."""
    with pytest.raises(requests.ReadTimeout):
        requests.get(peer(acts.say_then_stall(b"")).url, timeout=Timeout(connect=50, read=0.1))


@pytest.mark.parametrize(
    ("timeout", "message"),
    [
        ("5", "timeout must be .*'5'"),
        (0, "timeout must be .*0"),
        (-0.1, "timeout must be .*-0.1"),
        (True, "timeout must be .*True"),
        (sys.maxsize, f"timeout must be .*{sys.maxsize}"),
        (float("nan"), "timeout must be .*nan"),
        ([1, 2], r"timeout must be .*\[1, 2\]"),
        ((1, -1), "read_timeout must be .*-1"),
        (("1", 1), "connect_timeout must be .*'1'"),
        ((1, 2, 3), r"timeout must be .*\(connect, read\).*\(1, 2, 3\)"),
    ],
)
def test_senseless_timeout_is_refused_before_anything_is_sent(app, url, timeout, message):
    """Wrong timeouts fail at the call, on sessions and what was set on them as well, and nothing is sent."""
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("GET", url))
        for call in (
            lambda: requests.get(url, timeout=timeout),
            lambda: requests.Session(timeout=timeout),
            lambda: session.get(url, timeout=timeout),
            lambda: session.send(prepared, timeout=timeout),
            lambda: setattr(session, "timeout", timeout) or session.get(url),
            lambda: session.send(prepared),
        ):
            with pytest.raises(ValueError, match=f"^{message} was given$"):
                call()
    assert app.requests == []


def test_longest_timeout_is_taken(url):
    """What sockets can wait for is not refused."""
    assert requests.get(url, timeout=threading.TIMEOUT_MAX).text == "ok"


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "read_timeout"])
@pytest.mark.parametrize("bad", ["5", 0, True, (1, 2), sys.maxsize, 10**400])
def test_senseless_default_timeout_is_refused_by_name(name, bad):
    """set_default_timeout takes numbers above zero, and says which argument is none."""
    with pytest.raises(ValueError, match=rf"^{name} must be .*{re.escape(repr(bad))} was given$"):
        requests.set_default_timeout(**{name: bad})


def test_half_a_body_is_what_it_is_to_requests(peer, acts):
    """A server that closes half-way through a body: an error with urllib3 2, half an answer with urllib3 1."""

    def outcome(get):
        try:
            return get(peer(acts.say_then_close(OK)).url).text
        except requests.RequestException as error:
            return type(error)

    assert outcome(requests.get) == outcome(plain_requests.get)


def test_reset_within_the_body_is_what_it_is_to_requests(peer, acts):
    """A server that resets half-way through a body ends in the error that requests has for it."""

    def outcome(get):
        with pytest.raises(requests.RequestException) as caught:
            get(peer(acts.say_then_reset(OK)).url)
        return caught.type

    assert outcome(requests.get) == outcome(plain_requests.get)
