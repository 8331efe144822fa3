"""fleece.requests against real servers on loopback."""

from __future__ import annotations

import importlib
import os
import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests as plain_requests
from hypothesis import given, strategies as st
from urllib3.util import Retry

from fleece import _connections, requests
from fleece._defaults import defaults


class Recorder:
    """An HTTP/1.1 server that keeps connections alive, answers from a list (the last one for ever), and records."""

    def __init__(self):
        self.answers = [(200, [], b"ok")]
        self.requests = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                recorder.requests.append((self.client_address[1], self.headers))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = recorder.answers.pop(0) if len(recorder.answers) > 1 else recorder.answers[0]
                self.send_response(status)
                for name, value in [*headers, ("Content-Length", str(len(body)))]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)

            do_POST = do_HEAD = do_GET  # noqa: N815 (http.server's names)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def connections(self):
        return [port for port, _ in self.requests]


@pytest.fixture
def app():
    recorder = Recorder()
    recorder.thread.start()
    yield recorder
    recorder.server.shutdown()
    recorder.server.server_close()
    recorder.thread.join()


@pytest.fixture
def url(app):
    return app.url


class Peer:
    """A TCP server that does with each connection what the next function of its script says."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for act in self.script:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                act(connection, self.requests)

    def close(self):
        # shutdown wakes an accept() that waits; close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@pytest.fixture
def peer():
    peers = []

    def make(*script):
        peers.append(Peer(*script))
        return peers[-1]

    yield make
    for one in peers:
        one.close()


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def answer(connection, requests_seen):
    requests_seen.append(read_request(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def answer_then_close_on_next(connection, requests_seen):
    """Answer one request, and close without a byte when the next one has come in."""
    answer(connection, requests_seen)
    requests_seen.append(read_request(connection))


def close_at_once(connection, requests_seen):
    requests_seen.append(read_request(connection))


def stall(connection, requests_seen):
    requests_seen.append(read_request(connection))
    connection.settimeout(5)
    connection.recv(1)  # until the client gives up


def test_calls_of_the_module_share_one_connection(app, url):
    """A call in a warm container uses the connection of the call before it."""
    for _ in range(5):
        assert requests.get(url).text == "ok"
    requests.post(url, json={"a": 1})
    assert len(set(app.connections)) == 1


def test_calls_of_the_module_share_no_state(app, url):
    """A cookie set by one answer is not sent by the next call, which plain sessions would do."""
    app.answers = [(200, [("Set-Cookie", "session=1")], b"ok")]
    assert requests.get(url, headers={"X-Mine": "1"}).cookies == {"session": "1"}
    requests.get(url)
    _, headers = app.requests[1]
    assert "Cookie" not in headers
    assert "X-Mine" not in headers


def test_connection_idle_for_too_long_is_not_used_again(app, url, monkeypatch):
    """A connection that was idle beyond the limit is replaced before anything is sent on it."""
    requests.get(url)
    monkeypatch.setattr(_connections, "MAX_IDLE_SECONDS", -1.0)
    requests.get(url)
    assert len(set(app.connections)) == 2


def test_reused_connection_that_died_is_replaced_without_an_error(peer):
    """A server that closes an idle connection under the request is asked once more on a fresh one."""
    server = peer(answer_then_close_on_next, answer)
    assert requests.get(server.url).text == "ok"
    assert requests.get(server.url).text == "ok"
    assert len(server.requests) == 3


def test_post_on_a_reused_connection_that_died_is_not_sent_again(peer):
    """A POST may have been acted upon: the error reaches the caller."""
    server = peer(answer_then_close_on_next, answer)
    requests.get(server.url)
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url, data=b"x")
    assert len(server.requests) == 2


def test_fresh_connection_that_dies_is_not_retried(peer):
    """With nothing configured, a request is sent once, as requests does."""
    server = peer(close_at_once, answer)
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize("retries", [None, 1, {"total": 1}])
def test_timeout_is_a_timeout_also_after_retries(peer, retries):
    """A server that never answers ends in ReadTimeout, after as many attempts as were asked for."""
    server = peer(stall, stall)
    with pytest.raises(requests.ReadTimeout):
        requests.get(server.url, timeout=0.1, retries=retries)
    assert len(server.requests) == (1 if retries is None else 2)


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found\r\nLocation: /elsewhere"])
@pytest.mark.parametrize("retries", [None, 1])
def test_timeout_within_the_body_is_a_timeout(peer, status, retries):
    """A server that stalls half-way through a body ends in ReadTimeout, where requests says ConnectionError."""

    def stall_half_way(connection, requests_seen):
        requests_seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\n\r\nha")
        connection.settimeout(5)
        connection.recv(1)

    server = peer(stall_half_way)
    with pytest.raises(requests.ReadTimeout, match="timed out"):
        requests.get(server.url, timeout=0.1, retries=retries)


def test_half_a_body_is_what_it_is_to_requests(peer):
    """A server that closes half-way through a body: an error with urllib3 2, half an answer with urllib3 1."""

    def close_half_way(connection, requests_seen):
        requests_seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")

    def outcome(get):
        try:
            return get(peer(close_half_way).url).text
        except requests.RequestException as error:
            return type(error)

    assert outcome(requests.get) == outcome(plain_requests.get)


def test_retries_on_status_as_installed(app, url):
    """The installed default retries on the statuses it names, and Retry-After is respected."""
    app.answers = [(503, [("Retry-After", "0")], b""), (200, [], b"ok")]
    requests.set_default_retries(2, status_forcelist=[503])
    assert requests.get(url).status_code == 200
    assert len(app.requests) == 2


def test_post_is_not_retried_on_status_unless_allowed(app, url):
    """POST is retried only when allowed_methods says so."""
    app.answers = [(503, [], b"")]
    rule = {"total": 2, "status_forcelist": [503], "backoff_factor": 0}
    assert requests.post(url, retries=rule).status_code == 503
    assert len(app.requests) == 1
    with pytest.raises(requests.exceptions.RetryError):
        requests.post(url, retries={**rule, "allowed_methods": ["POST"]})
    assert len(app.requests) == 4


@pytest.mark.parametrize(
    ("of_call", "of_session", "installed", "sent"),
    [
        (None, None, None, 1),
        (None, None, 1, 2),
        (None, 2, 1, 3),
        (0, 2, 1, 1),
        (3, None, None, 4),
        (Retry(1, status_forcelist=[500]), 5, None, 2),
        ({"total": 2, "status_forcelist": [500]}, None, 5, 3),
    ],
)
def test_first_retries_given_win(app, url, of_call, of_session, installed, sent):
    """The call's retries win over the session's, and these over the installed default."""
    app.answers = [(500, [], b"")]
    if installed is not None:
        requests.set_default_retries(installed, status_forcelist=[500], raise_on_status=False)
    of_session = of_session and Retry(of_session, status_forcelist=[500], raise_on_status=False)
    if isinstance(of_call, int) and installed is None:
        of_call = Retry(of_call, status_forcelist=[500], raise_on_status=False)
    with requests.Session(retries=of_session) as session:
        try:
            session.get(url, retries=of_call)
        except requests.exceptions.RetryError:
            assert not isinstance(of_call, int)
    assert len(app.requests) == sent


seconds = st.none() | st.floats(0.5, 90)


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
    default = (
        None
        if installed == (None, None, None)
        else (
            both if connect is None else connect,
            both if read is None else read,
        )
    )
    inherited = default if of_session is None else of_session
    assert seen == [inherited if of_call == "not given" else of_call, inherited]


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"timeout": "5"}, ValueError, r"timeout must be .*'5'"),
        ({"timeout": 0}, ValueError, r"timeout must be .*0"),
        ({"timeout": (1, -1)}, ValueError, r"read_timeout must be .*-1"),
        ({"timeout": (1, 2, 3)}, ValueError, r"\(connect, read\).*\(1, 2, 3\)"),
        ({"retries": "3"}, TypeError, r"retries must be .*'3'"),
        ({"retries": True}, TypeError, r"retries must be .*True"),
        ({"retries": {"tries": 3}}, TypeError, r"tries"),
    ],
)
def test_senseless_argument_is_refused_before_anything_is_sent(app, url, kwargs, error, message):
    """Wrong timeouts and retries fail at the call, on sessions as well, and nothing is sent."""
    with pytest.raises(error, match=message):
        requests.get(url, **kwargs)
    with pytest.raises(error, match=message):
        requests.Session(**kwargs)
    assert app.requests == []


@pytest.mark.parametrize(
    ("args", "kwargs"), [((1, 2), {}), ((1,), {"total": 2}), ((), {"tries": 1}), (("x", "y", "z"), {})]
)
def test_default_retries_are_checked_when_installed(args, kwargs):
    """Arguments that Retry does not take are a TypeError at set_default_retries, and nothing is installed."""
    with pytest.raises(TypeError):
        requests.set_default_retries(*args, **kwargs)
    assert defaults.settings.requests_retries is None


def test_default_retries_can_be_uninstalled(app, url):
    """set_default_retries() without arguments takes the default away."""
    app.answers = [(500, [], b"")]
    requests.set_default_retries(3, status_forcelist=[500])
    requests.set_default_retries()
    assert requests.get(url).status_code == 500
    assert len(app.requests) == 1


def test_refused_connection_is_a_connection_error():
    """Nobody listening is requests' ConnectionError."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/", retries=1)


def test_every_other_name_is_requests():
    """Whatever requests has, the wrapper has, and it is the same object."""
    wrapped = {"get", "options", "head", "post", "put", "patch", "delete", "request", "Session", "session"}
    names = [name for name in dir(plain_requests) if not name.startswith("_") and name != "annotations"]
    assert {name for name in names if getattr(requests, name) is not getattr(plain_requests, name)} == wrapped


def test_submodules_are_not_imported_a_second_time():
    """A submodule is reached as an attribute: imported as fleece's, it would be a copy with exceptions of its own."""
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fleece.requests.exceptions")


def test_request_of_another_session_in_a_hook_has_the_retries_of_that_session(app, url):
    """What a hook sends through another session is not retried as the call that the hook belongs to."""
    app.answers = [(200, [], b""), (503, [], b""), (200, [], b"ok")]
    other, seen = requests.Session(), []

    def ask_another(response, **_):
        seen.append(other.send(other.prepare_request(requests.Request("GET", url))))

    retries = {"total": 1, "status_forcelist": [503]}
    requests.get(url, retries=retries, hooks={"response": ask_another})
    other.close()
    assert [response.status_code for response in seen] == [503]


def test_many_threads_may_share_the_connections_of_the_module(app, url, caplog):
    """Sixteen threads at once keep their connections, and urllib3 does not warn of any that it drops."""
    with ThreadPoolExecutor(16) as threads:
        together = threading.Barrier(16)

        def call(_):
            together.wait(10)
            held = requests.get(url, stream=True)
            together.wait(10)
            return held.text

        assert list(threads.map(call, range(16))) == ["ok"] * 16
    assert len(set(app.connections)) == 16
    assert caplog.messages == []


def test_head_follows_no_redirect_unless_told(app, url):
    """HEAD keeps requests' own default of not following redirects."""
    app.answers = [(302, [("Location", "/next")], b""), (200, [], b"")]
    assert requests.head(url).status_code == 302
    assert len(app.requests) == 1


def test_session_survives_pickling(url):
    """A pickled session comes back with its timeout and retries, and works."""
    session = pickle.loads(pickle.dumps(requests.Session(timeout=3, retries=1)))  # noqa: S301 (made here)
    assert (session.timeout, session.retries) == (3, 1)
    assert session.get(url).text == "ok"
    session.close()


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # 3.12's; the server's threads are the parent's
@pytest.mark.parametrize("kind", ["module", "session"])
def test_child_after_fork_has_connections_of_its_own(app, url, kind):
    """A forked child opens a connection of its own; two processes on one socket would mix their answers."""
    session = requests.Session()
    get = requests.get if kind == "module" else session.get
    get(url)
    child = os.fork()
    if child == 0:
        os._exit(0 if get(url).text == "ok" else 1)
    assert os.waitpid(child, 0)[1] == 0
    get(url)
    session.close()
    first, of_child, last = app.connections
    assert first == last != of_child
