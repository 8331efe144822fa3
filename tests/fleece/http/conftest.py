"""Real servers on loopback: some that do as they should, and some that do not."""

from __future__ import annotations

import contextlib
import http.client
import re
import select
import socket
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import trustme


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """Keep the proxies, certificates and passwords of whoever runs the tests out of them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Return a certificate authority that nobody trusts, and the file of its certificate."""
    made = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(file))
    return SimpleNamespace(made=made, file=str(file))


@pytest.fixture(scope="session")
def server_context(authority):
    """Return what a server needs to speak TLS as 127.0.0.1 and localhost; it takes client certificates, if offered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    authority.made.configure_trust(context)
    authority.made.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that stay open, TLS when the server has a context, and no lines on stderr."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    """A server with a list of the requests it got, in a thread, until it is closed."""

    def __init__(self, handler, context=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.context = context
        self.requests = []
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.server_port}/"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def note(self, handler, body=b""):
        self.requests.append(
            SimpleNamespace(
                connection=handler.client_address[1],
                method=handler.command,
                path=handler.path,
                headers=handler.headers,
                body=body,
            )
        )

    @property
    def connections(self):
        """The client's port of each request: requests that came on one connection have the same."""
        return [request.connection for request in self.requests]

    def handle_error(self, request, client_address):
        request.close()  # a client that refuses the certificate, or goes away

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class App(Server):
    """Answers from a list: with the first, and the last one for ever."""

    def __init__(self, context=None):
        self.answers = [(200, [], b"ok")]
        super().__init__(AppHandler, context)


class AppHandler(Handler):
    def do_GET(self):
        self.server.note(self, self.read_body())
        answers = self.server.answers
        self.answer(*(answers.pop(0) if len(answers) > 1 else answers[0]))

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 (http.server's names)


@pytest.fixture
def start():
    """Return a function that keeps a server until the test is over, and closes it then."""
    with contextlib.ExitStack() as stack:

        def started(server):
            stack.callback(server.close)
            return server

        yield started


@pytest.fixture
def start_app(start):
    return lambda context=None: start(App(context))


@pytest.fixture
def app(start_app):
    return start_app()


@pytest.fixture
def url(app):
    return app.url


@pytest.fixture
def secure_app(start_app, server_context):
    return start_app(server_context)


class ProxyHandler(Handler):
    def do_GET(self):
        self.server.note(self)
        _, _, server, path = self.path.split("/", 3)
        upstream = http.client.HTTPConnection(server)
        upstream.request(self.command, f"/{path}")
        response = upstream.getresponse()
        self.answer(response.status, [("X-Via", "proxy")], response.read())
        upstream.close()

    def do_CONNECT(self):
        self.server.note(self)
        if self.server.silent:
            self.connection.settimeout(5)
            self.rfile.read(1)  # until the client gives up
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as upstream:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            self.relay(upstream)
        self.close_connection = True

    def relay(self, upstream):
        while True:
            for readable in select.select([self.connection, upstream], [], [])[0]:
                data = readable.recv(65536)
                hang_up, self.server.hang_up = self.server.hang_up, False
                if not data or hang_up:
                    return
                (upstream if readable is self.connection else self.connection).sendall(data)


class Proxy(Server):
    """Forwards http and tunnels https; when told to, it hangs up at the next piece of data, or digs no more tunnels."""

    hang_up = False
    silent = False

    def __init__(self):
        super().__init__(ProxyHandler)


@pytest.fixture
def proxy(start):
    return start(Proxy())


class Peer:
    """A TCP server that does with each connection what the next function of its script says, and keeps what came."""

    def __init__(self, script, context):
        self.script = script
        self.context = context
        self.requests = []
        self.ended = threading.Semaphore(0)  # released when a connection was closed
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for act in self.script:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                act(connection, self.requests)
            self.ended.release()

    def requests_of(self, connections):
        """Return the requests that came, once so many connections were closed: a client may give up before they do."""
        for _ in range(connections):
            assert self.ended.acquire(timeout=20)
        return self.requests

    def close(self):
        with contextlib.suppress(OSError):  # macOS: not connected
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes an accept() that waits; close alone does not
        self.listener.close()
        self.thread.join(5)


@pytest.fixture
def peer(start):
    return lambda *script, context=None: start(Peer(script, context))


class Acts:
    """What a `Peer` does with a connection."""

    OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @staticmethod
    def read(connection, requests_seen):
        """Read one request."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        requests_seen.append(data)

    @classmethod
    def answer(cls, connection, requests_seen):
        """Answer one request, and close."""
        cls.read(connection, requests_seen)
        connection.sendall(cls.OK)

    @classmethod
    def answer_all(cls, connection, requests_seen):
        """Read one request with its body, answer, and close."""
        with connection.makefile("rb") as stream:
            head = b"".join(iter(stream.readline, b"\r\n"))
            requests_seen.append(head)
            stream.read(int(re.search(rb"Content-Length: (\d+)", head)[1]))
        connection.sendall(cls.OK)

    @classmethod
    def close(cls, connection, requests_seen):
        """Close in place of an answer."""
        cls.read(connection, requests_seen)

    @classmethod
    def reset(cls, connection, requests_seen):
        """Reset in place of an answer."""
        cls.read(connection, requests_seen)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    @classmethod
    def answer_then(cls, act):
        """Answer one request, and do that in place of answering the next."""

        def acts(connection, requests_seen):
            cls.answer(connection, requests_seen)
            act(connection, requests_seen)

        return acts

    @classmethod
    def say_then_close(cls, data):
        """Answer with these bytes and no more."""

        def act(connection, requests_seen):
            cls.read(connection, requests_seen)
            connection.sendall(data)

        return act

    @classmethod
    def say_then_reset(cls, data):
        """Answer with these bytes, and reset."""

        def act(connection, requests_seen):
            cls.read(connection, requests_seen)
            connection.sendall(data)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        return act

    @classmethod
    def say_then_stall(cls, data):
        """Answer with these bytes, and wait until the client gives up."""

        def act(connection, requests_seen):
            cls.read(connection, requests_seen)
            with contextlib.suppress(ConnectionError):  # who gave up before all that was said resets the connection
                connection.sendall(data)
                connection.settimeout(60)
                connection.recv(1)

        return act


@pytest.fixture
def acts():
    return Acts
