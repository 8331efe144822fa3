"""What Rackspace's two services can answer, and a second factor, from their stub."""

import contextlib
import dataclasses
import json
import socket
import ssl
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from fleece.cli.credentials import CredentialsError, Login, MemoryStore, Resolver, rackspace
from fleece.cli.credentials.rackspace import Rackspace
from fleece.cli.errors import UsageError

ACCOUNT = "123456789012"


BODY = '{"secret": "hunter2"}'


@pytest.mark.parametrize(
    ("kind", "fault", "told"),
    [
        ("tokens", {"status": 400}, "Rackspace Identity answered HTTP 400: try again later"),
        ("tokens", {"status": 401}, "refuses the API key of 'fleece': check the user name and the key"),
        ("tokens", {"status": 403}, "says that the user 'fleece' is disabled"),
        ("tokens", {"status": 413, "headers": {"Retry-After": "0"}}, "limits how often it is asked (HTTP 413): wait"),
        ("tokens", {"status": 503, "headers": {"Retry-After": "0"}}, "Rackspace Identity answered HTTP 503"),
        (
            "tokens",
            {"status": 301, "headers": {"Location": "http://127.0.0.1:1/"}},
            "answered 301, a redirect: refused",
        ),
        ("tokens", {"status": 200, "body": "<html>hunter2"}, "Identity answered with something that is not JSON"),
        ("tokens", {"status": 200, "body": "[" * 100_000}, "Identity answered with something that is not JSON"),
        ("tokens", {"status": 200, "body": "9" * 5_000}, "Identity answered with something that is not JSON"),
        ("tokens", {"status": 200, "body": BODY}, "Identity answered with something that is no token"),
        ("tokens", {"status": 200, "body": '{"access": {"token": {"id": "a\\nhunter2"}}}'}, "that is no token"),
        ("credentials", {"status": 403}, "FAWS has no AWS account 123456789012 for this user"),
        ("credentials", {"status": 404}, "FAWS has no AWS account 123456789012 for this user"),
        (
            "credentials",
            {"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}},
            "FAWS answered 307, a redirect",
        ),
        ("credentials", {"status": 501}, "FAWS answered HTTP 501: try again later"),
        ("credentials", {"status": 200, "body": BODY}, "FAWS answered with something that is no credential"),
        ("credentials", {"status": 401}, "FAWS refuses the token"),
    ],
)
def test_what_services_answer(fleece_rackspace, environment, kind, fault, told):
    """Every answer but the right one is one line with the service and the status, and nothing of what came back."""
    fleece_rackspace.fail(kind, times=8, **{"body": BODY, **fault})
    with pytest.raises(CredentialsError) as caught:
        Resolver().resolve(environment)
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("status", [413, 429, 500, 503])
def test_a_busy_service_is_asked_again(fleece_rackspace, environment, status):
    """A service that is busy for a moment is asked again."""
    fleece_rackspace.fail("tokens", status, headers={"Retry-After": "0"})
    fleece_rackspace.fail("credentials", status, headers={"Retry-After": "0"})
    assert Resolver().resolve(environment).session_token
    assert [request.status for request in fleece_rackspace.requests] == [status, 200, status, 200]


def test_no_service_is_waited_for_as_long_as_it_likes(fleece_rackspace, environment, monkeypatch):
    """A ``Retry-After`` of an hour is cut to what somebody waits."""
    monkeypatch.setattr(rackspace, "_LONGEST_WAIT", 0.1)
    fleece_rackspace.fail("tokens", 429, headers={"Retry-After": "3600"})
    assert Resolver().resolve(environment).session_token


@pytest.mark.parametrize("kind", ["tokens", "credentials"])
def test_a_slow_service_is_waited_for(fleece_rackspace, environment, kind):
    """An answer that takes its time is an answer."""
    fleece_rackspace.fail(kind, None, delay=0.3)
    assert Resolver().resolve(environment).session_token


@pytest.mark.parametrize("kind", ["tokens", "credentials"])
def test_a_service_that_hangs(fleece_rackspace, kind):
    """A service that does not answer in time is asked once more, and then told."""
    addresses = (fleece_rackspace.url, fleece_rackspace.url, lambda _user: "")
    token = Rackspace(*addresses).token("fleece", fleece_rackspace.environment()["RS_API_KEY"])
    services = Rackspace(*addresses, timeout=(5, 0.2))
    fleece_rackspace.fail(kind, None, times=2, delay=60)
    with pytest.raises(CredentialsError, match=r"cannot be reached at http://127.* \(ReadTimeout\): try again"):
        services.token("fleece", "k") if kind == "tokens" else services.credentials(ACCOUNT, token)


@pytest.mark.parametrize("kind", ["tokens", "credentials"])
def test_a_connection_that_is_cut(fleece_rackspace, environment, kind):
    """Half an answer is none: it is told where it broke off, and nothing of it is used or kept."""
    fleece_rackspace.fail(kind, None, times=8, cut=True)
    store = MemoryStore()
    with pytest.raises(CredentialsError, match=r"cannot be reached at http://127.* \(\w+\): try again"):
        Resolver(store=store).resolve(environment)
    fleece_rackspace.clear()
    assert Resolver(store=store).resolve(environment).session_token


class Faws(BaseHTTPRequestHandler):
    """Takes down what it is asked, and has no such account."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, bool(self.headers["X-Auth-Token"]), self.headers["X-Tenant-Id"], body))
        self.send_error(404)

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize("tenant", ["7", None])
def test_what_faws_is_asked(fleece_rackspace, environment, monkeypatch, tenant):
    """FAWS gets the token, the tenant where there is one, and for how long the credentials shall be good."""
    fleece_rackspace.user("mine", "k2", tenant=tenant)
    with HTTPServer(("127.0.0.1", 0), Faws) as server:
        server.asked = []
        monkeypatch.setenv("FLEECE_FAWS_URL", f"http://127.0.0.1:{server.server_port}")
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        with pytest.raises(CredentialsError, match="FAWS has no AWS account"):
            Resolver(Login("mine", "k2")).resolve(environment)
        answering.join()
    path = f"/v0/awsAccounts/{ACCOUNT}/credentials"
    assert server.asked == [(path, True, tenant, {"credential": {"duration": "3600"}})]


def test_a_user_without_a_tenant(fleece_rackspace, environment):
    """A token may come without a tenant, and is used without."""
    fleece_rackspace.user("mine", "k2", tenant=None)
    assert Resolver(Login("mine", "k2")).resolve(environment).session_token


@pytest.mark.parametrize("kind", ["tokens", "credentials"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(fleece_rackspace, environment, kind, status):
    """A redirect, though it be to the same server, is refused: key, token and passcode go nowhere else."""
    to = f"{fleece_rackspace.url}/elsewhere"
    fleece_rackspace.fail(kind, status, headers={"Location": to})
    with pytest.raises(CredentialsError, match=f"answered {status}, a redirect: refused"):
        Resolver().resolve(environment)
    assert "/elsewhere" not in [request.path for request in fleece_rackspace.requests]


def test_a_passcode_is_not_sent_on(fleece_rackspace, environment, answers):
    """A redirect of the call that has the passcode is refused, and the passcode is sent once."""
    fleece_rackspace.user("mine", "k2", mfa="123456")
    answers["Passcode"] = "123456"
    challenge = {"WWW-Authenticate": "OS-MF sessionId='s', factor='PASSCODE'"}
    fleece_rackspace.fail("tokens", 401, headers=challenge)
    fleece_rackspace.fail("tokens", 307, headers={"Location": f"{fleece_rackspace.url}/v2.0/tokens"})
    with pytest.raises(CredentialsError, match="answered 307, a redirect: refused"):
        Resolver(Login("mine", "k2"), ask=answers).resolve(environment)
    assert [request.status for request in fleece_rackspace.requests] == [401, 307]


def test_a_service_that_is_not_there(environment, monkeypatch):
    """No connection is told with the URL."""
    monkeypatch.setenv("FLEECE_IDENTITY_URL", "http://127.0.0.1:1")
    with pytest.raises(CredentialsError, match=r"Identity cannot be reached at http://127\.0\.0\.1:1/v2\.0/tokens"):
        Resolver(Login("me", "k")).resolve(environment)


@pytest.mark.parametrize("vouched", [False, True])
def test_a_certificate_that_nobody_vouches_for(environment, tmp_path, monkeypatch, vouched):
    """Without a certificate that ``REQUESTS_CA_BUNDLE`` or the system vouches for, no byte of the request is sent."""
    authority, context, received = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (authority if vouched else trustme.CA()).cert_pem.write_to_path(str(tmp_path / "bundle.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("FLEECE_IDENTITY_URL", f"https://127.0.0.1:{server.getsockname()[1]}")
        accepting = threading.Thread(target=_receive, args=(server, context, received))
        accepting.start()
        with pytest.raises(CredentialsError, match=f"{'Connection' if vouched else 'SSL'}Error"):
            Resolver(Login("me", "k")).resolve(environment)
        server.shutdown(socket.SHUT_RDWR)
        accepting.join()
    assert {request.partition(b" HTTP")[0] for request in received} == ({b"POST /v2.0/tokens"} if vouched else set())


def _receive(server, context, received):
    """Hang up on everybody, once they have sent a request."""
    with contextlib.suppress(OSError):  # the server has been shut down
        while True:
            connection, _ = server.accept()
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                received.append(secured.recv(65536))


@pytest.mark.parametrize("name", ["FLEECE_IDENTITY_URL", "FLEECE_FAWS_URL"])
@pytest.mark.parametrize("url", ["http://identity.example", "identity.example", "https://user@identity.example"])
def test_secrets_go_to_https_alone(environment, monkeypatch, name, url):
    """A base URL without TLS, or that is none, is wrong usage that names the variable."""
    monkeypatch.setenv(name, url)
    with pytest.raises(UsageError, match=f"{name}: '{url}'"):
        Resolver(Login("me", "k")).resolve(environment)


def test_a_passcode(fleece_rackspace, environment, answers):
    """A user with a second factor is asked for the passcode, hidden, once per token."""
    fleece_rackspace.user("mine", "k2", mfa="123456")
    answers["Passcode"] = "123456"
    resolver = Resolver(Login("mine", "k2"), ask=answers)
    resolver.resolve(environment)
    fleece_rackspace.account("210987654321")
    resolver.resolve(dataclasses.replace(environment, account="210987654321"))
    assert answers.asked == [("Passcode of mine", True)]


def test_a_passcode_is_good_for_one_use(fleece_rackspace, environment, answers):
    """A passcode is not sent again, though the service be busy for the moment."""
    answers["Passcode"] = "123456"
    challenge = {"WWW-Authenticate": "OS-MF sessionId='s', factor='PASSCODE'"}
    fleece_rackspace.fail("tokens", 401, headers=challenge)
    fleece_rackspace.fail("tokens", 503, times=4, headers={"Retry-After": "0"})
    with pytest.raises(CredentialsError, match="Rackspace Identity answered HTTP 503"):
        Resolver(Login("mine", "k2"), ask=answers).resolve(environment)
    assert [request.status for request in fleece_rackspace.requests] == [401, 503]


def test_when_credentials_end(fleece_rackspace, environment):
    """An end that FAWS tells is believed."""
    body = '{"credential": {"accessKeyId": "A", "secretAccessKey": "s", "expiration": "2090-01-01T00:00:00Z"}}'
    fleece_rackspace.fail("credentials", 200, body=body)
    assert Resolver().resolve(environment).expiration == datetime(2090, 1, 1, tzinfo=timezone.utc)


def test_a_wrong_passcode(fleece_rackspace, environment, answers):
    """A passcode that is refused is a failure that does not repeat it."""
    fleece_rackspace.user("mine", "k2", mfa="123456")
    answers["Passcode"] = "654321"
    with pytest.raises(CredentialsError, match="refuses the passcode of 'mine'") as caught:
        Resolver(Login("mine", "k2"), ask=answers).resolve(environment)
    assert "654321" not in str(caught.value)


def test_a_passcode_where_nobody_can_be_asked(fleece_rackspace, environment):
    """Without a terminal, or with ``--no-input``, a second factor is wrong usage."""
    fleece_rackspace.user("mine", "k2", mfa="123456")
    with pytest.raises(UsageError, match="the passcode of mine is missing; give it in a terminal, without --no-input"):
        Resolver(Login("mine", "k2")).resolve(environment)
