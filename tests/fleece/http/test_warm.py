"""The connections below fleece.requests: what is shared, for how long, and what happens when one has died."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests as plain_requests
import snapshot_restore_py

from fleece import requests
from fleece._defaults import defaults
from fleece._requests import connections
from fleece._requests.sessions import OneCallSession


@pytest.fixture(params=["module", "session"])
def client(request):
    """Whatever has `get` and the others: the module, and a session."""
    if request.param == "module":
        yield requests
    else:
        with requests.Session() as session:
            yield session


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns: the seconds are its first item."""
    now = [1000.0]
    monkeypatch.setattr(connections, "monotonic", lambda: now[0])
    return now


def test_calls_of_the_module_share_one_connection(app, url):
    """A call in a warm container uses the connection of the call before it, whatever the method."""
    for _ in range(5):
        assert requests.get(url).text == "ok"
    requests.post(url, json={"a": 1})
    requests.delete(url)
    assert len(set(app.connections)) == 1


def test_calls_of_the_module_share_one_tls_connection(secure_app, authority):
    """The same over TLS: one handshake for all."""
    for _ in range(5):
        assert requests.get(secure_app.url, verify=authority.file).text == "ok"
    assert len(set(secure_app.connections)) == 1


def test_calls_of_the_module_share_no_state(app, url):
    """Cookies that were set, headers and authentication of one call are not those of the next."""
    app.answers = [(200, [("Set-Cookie", "session=1")], b"ok")]
    first = requests.get(url, headers={"X-Mine": "1"}, auth=("user", "password"), cookies={"a": "b"})
    assert first.cookies == {"session": "1"}
    requests.get(url)
    assert {"Cookie", "X-Mine", "Authorization"} <= set(app.requests[0].headers)
    assert not {"Cookie", "X-Mine", "Authorization"} & set(app.requests[1].headers)


def test_sessions_do_not_share_connections(app, url):
    """What requests keeps apart stays apart: a session's connections are its own."""
    with requests.Session() as one, requests.session() as other:
        for client in (one, other, requests, one, other, requests):
            client.get(url)
    first, second, third, *again = app.connections
    assert len({first, second, third}) == 3
    assert again == [first, second, third]


@pytest.mark.parametrize(("idle", "connections"), [(49.9, 1), (50.0, 1), (50.1, 2), (400.0, 2)])
def test_connection_idle_for_over_50_seconds_is_not_used_again(app, url, client, clock, idle, connections):
    """A connection that was idle for longer is replaced before anything is sent on it."""
    client.get(url)
    clock[0] += idle
    client.get(url)
    assert len(set(app.connections)) == connections


def test_idle_time_counts_from_the_last_use(app, url, clock):
    """A connection that is used every 40 seconds lives on."""
    for _ in range(4):
        requests.get(url)
        clock[0] += 40
    assert len(set(app.connections)) == 1


@pytest.mark.parametrize("death", ["close", "reset"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_reused_connection_that_died_is_replaced_without_an_error(
    peer, acts, client, authority, server_context, death, secure
):
    """A server that ends an idle connection under the request is asked once more on a fresh one."""
    context = server_context if secure else None
    server = peer(acts.answer_then(getattr(acts, death)), acts.answer, context=context)
    assert client.get(server.url, verify=authority.file).text == "ok"
    assert client.get(server.url, verify=authority.file).text == "ok"
    assert len(server.requests) == 3


def test_idle_connection_that_the_server_closed_is_not_used_again(peer, acts, client):
    """Not even a POST notices: the connection is seen to be closed before anything is sent."""
    server = peer(acts.answer, acts.answer)
    client.get(server.url)
    assert server.ended.acquire(timeout=60)
    assert client.post(server.url).text == "ok"
    assert len(server.requests) == 2


@pytest.mark.parametrize("body", [b"bytes", "text"])
def test_body_that_is_still_there_is_sent_again(peer, acts, body):
    """PUT is idempotent, and its body is at hand."""
    server = peer(acts.answer_then(acts.close), acts.answer)
    requests.get(server.url)
    assert requests.put(server.url, body).text == "ok"
    assert [seen.split(b" ")[0] for seen in server.requests] == [b"GET", b"PUT", b"PUT"]


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_connection_that_dies_while_sending_is_replaced_too(peer, acts, authority, server_context, secure):
    """A body so large that the end of the connection is noticed before it is all sent."""
    server = peer(acts.answer_then(acts.close), acts.answer_all, context=server_context if secure else None)
    requests.get(server.url, verify=authority.file)
    assert requests.put(server.url, b"x" * 20_000_000, verify=authority.file).text == "ok"
    assert len(server.requests) == 3


@pytest.mark.parametrize(("reason", "sent"), [("UNEXPECTED_EOF_WHILE_READING", 2), ("BAD_LENGTH", 1)])
def test_what_openssl_says_of_a_connection_that_died(peer, acts, authority, server_context, monkeypatch, reason, sent):
    """OpenSSL 3.6 tells the sender of an end that was not expected, as an error without a class of its own."""

    def await_end(connection, _requests_seen):
        with contextlib.suppress(OSError):
            connection.recv(1)

    server = peer(acts.answer_then(await_end), acts.answer, context=server_context)
    requests.get(server.url, verify=authority.file)
    sendall = ssl.SSLSocket.sendall

    def fail_once(self, *arguments):
        monkeypatch.setattr(ssl.SSLSocket, "sendall", sendall)
        error = ssl.SSLError(5, f"[SSL: {reason}]")
        error.reason = reason
        raise error

    monkeypatch.setattr(ssl.SSLSocket, "sendall", fail_once)
    if sent == 2:
        assert requests.get(server.url, verify=authority.file).text == "ok"
    else:
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(server.url, verify=authority.file)
    assert len(server.requests) == sent


def test_body_that_was_streamed_is_not_sent_again(peer, acts):
    """What came from an iterator is gone; the error reaches the caller."""
    server = peer(acts.answer_then(acts.close), acts.answer)
    requests.get(server.url)
    with pytest.raises(requests.ConnectionError):
        requests.put(server.url, iter([b"a", b"b"]))
    assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_not_be_done_twice_is_not_sent_again(peer, acts, method):
    """A POST or PATCH may have been acted upon: the error reaches the caller."""
    server = peer(acts.answer_then(acts.close), acts.answer)
    requests.get(server.url)
    with pytest.raises(requests.ConnectionError):
        requests.request(method, server.url, data=b"x")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "begun",
    [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["a byte", "status", "header", "interim"],
)
@pytest.mark.parametrize("end", ["close", "reset"])
def test_nothing_is_sent_again_once_an_answer_has_begun(peer, acts, begun, end):
    """The server has dealt with the request: what it said is the answer, or the error, as with requests."""
    break_off = getattr(acts, f"say_then_{end}")(begun)

    def outcome(get):
        server = peer(acts.answer_then(break_off), acts.answer)
        get(server.url)
        try:
            answer = get(server.url)
        except requests.RequestException as error:
            return type(error), len(server.requests)
        return answer.status_code, answer.text, len(server.requests)

    with plain_requests.Session() as session:
        assert outcome(requests.get) == outcome(session.get)


def test_it_is_tried_once_and_no_more(peer, acts):
    """When the fresh connection dies as well, that is the caller's error."""
    server = peer(acts.answer_then(acts.close), acts.close, acts.answer)
    requests.get(server.url)
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url)
    assert len(server.requests) == 3


@pytest.mark.parametrize("death", ["close", "reset"])
def test_fresh_connection_that_dies_is_not_retried(peer, acts, client, death):
    """With nothing configured, a request on a new connection is sent once, as requests does."""
    server = peer(getattr(acts, death), acts.answer)
    with pytest.raises(requests.ConnectionError):
        client.get(server.url)
    assert len(server.requests) == 1


def test_many_threads_may_share_the_connections_of_the_module(app, url, caplog):
    """Sixteen threads at once keep their connections, and urllib3 does not warn of any that it drops."""
    with ThreadPoolExecutor(16) as threads:
        together = threading.Barrier(16)

        def call(_):
            together.wait(60)
            held = requests.get(url, stream=True)
            together.wait(60)
            return held.text

        assert list(threads.map(call, range(16))) == ["ok"] * 16
        assert list(threads.map(call, range(16))) == ["ok"] * 16
    assert len(set(app.connections)) == 16
    assert caplog.messages == []


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # 3.12's; the server's threads are the parent's
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_child_after_fork_has_connections_of_its_own(app, secure_app, client, authority, secure):
    """Parent and child go on at once, each on its own connection; on one, they would read each other's answers."""
    server = secure_app if secure else app

    def calls(path):
        return [client.get(server.url + path, verify=authority.file).text for _ in range(20)]

    calls("before")
    child = os.fork()
    if child == 0:
        os._exit(0 if calls("child") == ["ok"] * 20 else 1)
    assert calls("parent") == ["ok"] * 20
    assert os.waitpid(child, 0)[1] == 0
    calls("after")
    used = {
        path: {one.connection for one in server.requests if one.path == f"/{path}"}
        for path in ("before", "child", "parent", "after")
    }
    assert len(used["before"]) == len(used["child"]) == 1
    assert used["before"] == used["parent"] == used["after"] != used["child"]


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_child_does_not_wait_for_a_thread_of_its_parent(url, client):
    """A thread that is in the middle of a call when the process forks holds a lock, in the child for ever."""
    client.get(url)
    adapter = OneCallSession().get_adapter(url) if client is requests else client.get_adapter(url)
    held, done = threading.Event(), threading.Event()

    def be_in_the_middle():
        with adapter.poolmanager.pools.lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=be_in_the_middle)
    thread.start()
    held.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # which ends it
        os._exit(0 if client.get(url).text == "ok" else 1)
    status = os.waitpid(child, 0)[1]
    done.set()
    thread.join()
    assert status == 0


def test_many_servers_have_a_connection_each(start_app):
    """More servers than requests has pools for (10) are called in turns over one connection each."""
    apps = [start_app() for _ in range(12)]
    for _ in range(2):
        for app in apps:
            requests.get(app.url)
    assert [len(set(app.connections)) for app in apps] == [1] * 12


def test_connections_are_not_used_after_a_snapstart_restore(app, url, client, monkeypatch):
    """What was opened before the snapshot leads nowhere after the restore; AWS's hooks say when that was."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setattr(defaults, "_restore_hook", False)
    monkeypatch.setattr(snapshot_restore_py, "_after_restore_registry", [])
    defaults.reset()  # the hook is registered when there is something to drop
    client.get(url)
    client.get(url)
    for hook, args, kwargs in snapshot_restore_py.get_after_restore():
        hook(*args, **kwargs)
    client.get(url)
    before, still, after = app.connections
    assert before == still != after
