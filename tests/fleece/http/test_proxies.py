"""Proxies and passwords of the environment below fleece.requests."""

from __future__ import annotations

import base64
import socket
from pathlib import Path

import pytest
import urllib3

from fleece import requests


@pytest.fixture(params=["http", "https"])
def target(request, app, secure_app):
    return app if request.param == "http" else secure_app


@pytest.fixture
def through(proxy, authority):
    """Arguments of a call that goes through the proxy."""
    return {"proxies": {"http": proxy.url, "https": proxy.url}, "verify": authority.file}


def test_call_goes_through_the_proxy(target, proxy, through):
    """Plain requests are forwarded and TLS is tunnelled, whether the proxy is the call's or the session's."""
    assert requests.get(target.url, **through).text == "ok"
    with requests.Session() as session:
        session.proxies = through["proxies"]
        assert session.get(target.url, verify=through["verify"]).text == "ok"
    assert len(target.requests) == 2
    expected = ("GET", target.url) if target.context is None else ("CONNECT", f"127.0.0.1:{target.server_port}")
    assert [(one.method, one.path) for one in proxy.requests] == [expected] * 2


def test_proxy_of_the_environment_is_used(target, proxy, authority, monkeypatch):
    """HTTP_PROXY and HTTPS_PROXY hold, unless NO_PROXY names the host."""
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert requests.get(target.url, verify=authority.file).text == "ok"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert requests.get(target.url, verify=authority.file).text == "ok"
    assert len(target.requests) == 2
    assert len(proxy.requests) == 1


def test_connections_through_a_proxy_are_kept_warm(target, proxy, through):
    """Calls share the connection to the proxy, and the tunnel in it."""
    for _ in range(3):
        requests.get(target.url, **through)
    assert len(set(proxy.connections)) == 1
    if target.context is not None:
        assert len(proxy.requests) == len(set(target.connections)) == 1


def test_connections_through_a_proxy_and_around_it_are_kept_apart(target, proxy, through, authority):
    """A call that names no proxy takes no connection of one."""
    requests.get(target.url, **through)
    requests.get(target.url, verify=authority.file)
    requests.get(target.url, **through)
    assert len(set(target.connections)) == (3 if target.context is None else 2)  # the proxy itself keeps none


def test_forwarding_connection_that_died_is_replaced_without_an_error(peer, acts):
    """A proxy that closes an idle connection under the request is asked once more on a fresh one."""
    proxy = peer(acts.answer_then(acts.close), acts.answer)
    for _ in range(2):
        assert requests.get("http://nowhere.example/", proxies={"http": proxy.url}).text == "ok"
    assert len(proxy.requests) == 3


def test_tunnel_that_died_is_replaced_without_an_error(secure_app, proxy, through):
    """A tunnel that ends under the request is dug once more, and the request is sent once more."""
    requests.get(secure_app.url, **through)
    proxy.hang_up = True
    assert requests.get(secure_app.url, **through).text == "ok"
    assert [one.method for one in proxy.requests] == ["CONNECT", "CONNECT"]


def test_tunnel_that_died_under_a_post_is_an_error(secure_app, proxy, through):
    """What may have been acted upon is not sent twice through a proxy either."""
    requests.get(secure_app.url, **through)
    proxy.hang_up = True
    with pytest.raises(requests.ConnectionError):
        requests.post(secure_app.url, b"x", **through)
    assert len(proxy.requests) == 1


def test_timeout_in_a_tunnel_that_is_dug_anew_is_a_timeout(secure_app, proxy, through):
    """A proxy that digs no second tunnel, and does not say so, ends in requests' Timeout."""
    requests.get(secure_app.url, **through)
    proxy.hang_up = proxy.silent = True
    with pytest.raises(requests.Timeout):
        requests.get(secure_app.url, timeout=0.2, **through)


def test_calls_through_ever_new_proxies_keep_few_connections(proxy, url):
    """A proxy that takes a new user name for each call is many proxies: what was opened for the old ones is closed."""

    def call(number):
        assert requests.get(url, proxies={"http": proxy.url.replace("://", f"://user-{number}:password@")}).text == "ok"
        return proxy.connections[-1]

    def descriptors():
        return len([*Path("/dev/fd").iterdir()])

    before = descriptors()
    first, *_, last = map(call, range(100))
    assert descriptors() - before <= 2 * 64 + 10  # both ends are of this process; the proxy's may not be closed yet
    assert call(99) == last
    assert call(0) != first


def test_proxy_that_is_used_all_the_time_keeps_its_connection(proxy, url):
    """Of many proxies, it is those that were not asked for longest that go."""

    def call(user):
        requests.get(url, proxies={"http": proxy.url.replace("://", f"://{user}:password@")})
        return proxy.connections[-1]

    assert len({call("often") for number in range(70) if call(f"user-{number}")}) == 1


@pytest.mark.parametrize("retries", [None, {"total": 1, "backoff_factor": 0}])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_never_accepts_is_a_timeout_and_a_proxy_error(scheme, retries):
    """A proxy that cannot be reached in time is a ConnectTimeout, and the ProxyError that requests makes of it."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        address = f"http://127.0.0.1:{full.getsockname()[1]}"
        with pytest.raises(requests.ConnectTimeout) as caught:
            requests.get(f"{scheme}://nowhere.example/", proxies={scheme: address}, timeout=0.1, retries=retries)
    if not urllib3.__version__.startswith("1."):  # which says ConnectTimeout
        assert isinstance(caught.value, requests.exceptions.ProxyError)
    assert caught.value.request.url == f"{scheme}://nowhere.example/"


def test_proxy_that_is_not_there_is_a_proxy_error(proxy, through, url):
    """A refused connection to the proxy is requests' ProxyError."""
    proxy.close()
    with pytest.raises(requests.exceptions.ProxyError) as caught:
        requests.get(url, retries=1, **through)
    assert not isinstance(caught.value, requests.Timeout)


def test_password_in_the_proxys_address_goes_to_the_proxy_alone(app, proxy):
    """The proxy gets its password, the server does not."""
    address = proxy.url.replace("http://", "http://user:password@")
    requests.get(app.url, proxies={"http": address})
    assert proxy.requests[0].headers["Proxy-Authorization"] == f"Basic {base64.b64encode(b'user:password').decode()}"
    assert not {"Proxy-Authorization", "Authorization"} & set(app.requests[0].headers)


def test_passwords_come_from_netrc(app, url, monkeypatch, tmp_path):
    """The password that .netrc has for a host is sent, unless the call has one or the session trusts no environment."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login user password of-netrc\n")
    monkeypatch.setenv("NETRC", str(file))
    requests.get(url)
    requests.get(url, auth=("user", "of-the-call"))
    with requests.Session() as session:
        session.trust_env = False
        session.get(url)
    sent = [one.headers.get("Authorization") for one in app.requests]
    assert sent == [
        f"Basic {base64.b64encode(b'user:of-netrc').decode()}",
        f"Basic {base64.b64encode(b'user:of-the-call').decode()}",
        None,
    ]
