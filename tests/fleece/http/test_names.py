"""fleece.requests in place of requests: its names, its sessions, its small habits."""

from __future__ import annotations

import importlib
import pickle
import socket
import sys
import types

import pytest
import requests as plain_requests

from fleece import requests


def test_every_other_name_is_requests():
    """Whatever requests has, the wrapper has, and it is the same object."""
    wrapped = {"get", "options", "head", "post", "put", "patch", "delete", "request", "Session", "session"}
    names = [name for name in dir(plain_requests) if not name.startswith("_") and name != "annotations"]
    assert {name for name in names if getattr(requests, name) is not getattr(plain_requests, name)} == wrapped
    assert set(names) <= set(dir(requests))
    assert requests.__version__ == plain_requests.__version__


def test_star_import_brings_what_requests_brings():
    """A star import has the names of requests' own, exceptions included, and nothing of fleece's inside."""
    names = {}
    exec("from fleece.requests import *", names)  # noqa: S102 (only a module may do that otherwise)
    theirs = {name for name in names if not name.startswith("__")} - {"set_default_timeout", "set_default_retries"}
    assert {"Session", "get", "ConnectionError", "Timeout", "codes", "utils"} <= theirs
    assert theirs == set(getattr(plain_requests, "__all__", theirs))  # requests has it since 2.34


def test_submodules_are_not_imported_a_second_time():
    """A submodule is reached as an attribute: imported as fleece's, it would be a copy with exceptions of its own."""
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fleece.requests.exceptions")


@pytest.mark.parametrize("method", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_methods_send_what_they_say(app, url, method):
    """Each function of the module sends its own method, as the session's does."""
    getattr(requests, method)(url)
    with requests.Session() as session:
        getattr(session, method)(url)
    assert [one.method for one in app.requests] == [method.upper()] * 2


def test_arguments_by_position_are_those_of_requests(app, url):
    """The query of GET and the bodies of POST, PUT and PATCH go by position."""
    requests.get(url, {"a": "1"})
    requests.post(url, b"data")
    requests.post(url, None, {"json": 1})
    requests.put(url, b"put")
    requests.patch(url, b"patch")
    assert app.requests[0].path == "/?a=1"
    assert [one.body for one in app.requests[1:]] == [b"data", b'{"json": 1}', b"put", b"patch"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_messages_are_those_of_requests(scheme):
    """What alarms look for in logs is there: messages name the pool as they do with requests."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"{scheme}://127.0.0.1:{gone.getsockname()[1]}/"

    def message(get):
        with pytest.raises(requests.ConnectionError) as caught:
            get(address)
        return str(caught.value).partition("(Caused by")[0]

    assert message(requests.get) == message(plain_requests.get)


def test_unknown_argument_is_a_type_error(app, url):
    """A misspelt argument fails at the call, as with requests."""
    with pytest.raises(TypeError, match="timout"):
        requests.get(url, timout=3)
    with requests.Session() as session, pytest.raises(TypeError, match="retry"):
        session.get(url, retry=3)
    assert app.requests == []


def test_head_follows_no_redirect_unless_told(app, url):
    """HEAD keeps requests' own default of not following redirects."""
    app.answers = [(302, [("Location", "/next")], b""), (302, [("Location", "/next")], b""), (200, [], b"")]
    assert requests.head(url).status_code == 302
    assert len(app.requests) == 1
    assert requests.head(url, allow_redirects=True).status_code == 200


def test_session_function_takes_what_the_class_takes(peer, acts):
    """`session()`, which has no arguments in requests, has the timeout and retries of the class."""
    server = peer(acts.reset, acts.say_then_stall(b""))
    with requests.session(timeout=0.1, retries={"total": 1, "backoff_factor": 0}) as session:
        assert isinstance(session, requests.Session)
        with pytest.raises(requests.ReadTimeout):
            session.get(server.url)
    assert len(server.requests_of(connections=2)) == 2


class OfAUser(requests.Session):
    """A session that says itself what is pickled of it, as requests' documentation shows."""

    __attrs__ = ("headers", "adapters", *plain_requests.Session.__attrs__)


def test_session_of_a_user_survives_pickling(url, monkeypatch):
    """A subclass written for requests knows nothing of timeout and retries, and comes back without them."""
    monkeypatch.setitem(sys.modules, __name__, types.SimpleNamespace(OfAUser=OfAUser))  # which pytest does not do
    with pickle.loads(pickle.dumps(OfAUser())) as session:  # noqa: S301 (made here)
        assert (session.timeout, session.retries) == (None, None)
        assert session.get(url).text == "ok"


def test_session_survives_pickling(url):
    """A pickled session comes back with its timeout and retries, and works."""
    session = pickle.loads(pickle.dumps(requests.Session(timeout=3, retries=1)))  # noqa: S301 (made here)
    assert (session.timeout, session.retries) == (3, 1)
    assert session.get(url).text == "ok"
    session.close()


def test_session_keeps_cookies_and_headers(app, url):
    """A session is one: what one answer sets, and what is set on it, the next request has."""
    app.answers = [(200, [("Set-Cookie", "session=1")], b"ok")]
    with requests.Session() as session:
        session.headers["X-Mine"] = "1"
        session.auth = ("user", "password")
        session.get(url)
        session.get(url)
    assert app.requests[1].headers["Cookie"] == "session=1"
    assert app.requests[1].headers["X-Mine"] == "1"
    assert app.requests[1].headers["Authorization"].startswith("Basic ")


def test_answer_can_be_streamed(app, url):
    """A streamed answer is read piece by piece, and its connection is used again afterwards."""
    app.answers = [(200, [], b"x" * 100_000)]
    with requests.get(url, stream=True) as answer:
        assert sum(map(len, answer.iter_content(8192))) == 100_000
    requests.get(url)
    assert len(set(app.connections)) == 1
