"""Redirects of fleece.requests: followed as requests follows them, passwords included."""

from __future__ import annotations

import pytest

from fleece import requests


def test_redirect_is_followed_on_the_same_connection(app, url):
    """The answer is the last one, its history has the first, and both came over one connection."""
    app.answers = [(302, [("Location", "/next")], b""), (200, [], b"there")]
    answer = requests.get(url)
    assert (answer.text, [one.status_code for one in answer.history]) == ("there", [302])
    assert [one.path for one in app.requests] == ["/", "/next"]
    assert len(set(app.connections)) == 1


def test_authentication_is_kept_on_the_same_host(app, url):
    """A redirect within the server keeps the password."""
    app.answers = [(302, [("Location", "/next")], b""), (200, [], b"there")]
    requests.get(url, auth=("user", "password"))
    assert "Authorization" in app.requests[1].headers


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["another host", "another port"])
def test_authentication_is_not_passed_to_another_server(app, start_app, url, host):
    """A redirect to another server goes without the password."""
    another_app = start_app()
    there = f"http://{host}:{another_app.server_port}/"
    app.answers = [(302, [("Location", there)], b"")]
    assert requests.get(url, auth=("user", "password")).url == there
    assert "Authorization" in app.requests[0].headers
    assert "Authorization" not in another_app.requests[0].headers


def test_post_becomes_get_after_see_other(app, url):
    """303 is followed with GET and without the body, 307 with POST and with it."""
    app.answers = [(303, [("Location", "/a")], b""), (307, [("Location", "/b")], b""), (200, [], b"")]
    requests.post(url, b"body")
    assert [(one.method, one.body) for one in app.requests] == [("POST", b"body"), ("GET", b""), ("GET", b"")]


def test_redirects_in_a_circle_end(app, url):
    """A server that sends its clients round in a circle ends in TooManyRedirects, and not in RetryError."""
    app.answers = [(302, [("Location", "/")], b"")]
    with pytest.raises(requests.TooManyRedirects):
        requests.get(url, retries=3)


def test_timeout_and_retries_hold_for_every_hop(app, url, peer, acts):
    """What was given for the call is in force where it is redirected to."""
    silent = peer(acts.say_then_stall(b""), acts.say_then_stall(b""))
    app.answers = [(302, [("Location", silent.url)], b"")]
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, timeout=0.5, retries=1)
    assert len(silent.requests_of(connections=2)) == 2
