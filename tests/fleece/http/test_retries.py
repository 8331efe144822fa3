"""Retries of fleece.requests: whose they are, what is tried again, how long is waited in between."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import socket
import time
from types import MappingProxyType

import pytest
from urllib3.util import Retry

from fleece import requests
from fleece._defaults import defaults

ON_503 = {"total": 2, "status_forcelist": [503], "backoff_factor": 0}


@pytest.fixture
def waits(monkeypatch):
    """The seconds that were waited, without waiting them."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_nothing_is_retried_with_nothing_set(app, url):
    """With nothing installed and nothing given, a request is sent once, as requests does."""
    app.answers = [(503, [("Retry-After", "0")], b"")]
    assert requests.get(url).status_code == 503
    assert len(app.requests) == 1


def test_retries_on_status_as_installed(app, url):
    """The installed default retries on the statuses it names."""
    app.answers = [(503, [], b""), (200, [], b"ok")]
    requests.set_default_retries(2, status_forcelist=[503])
    assert requests.get(url).status_code == 200
    assert len(app.requests) == 2


@pytest.mark.parametrize("status", [413, 429, 503])
def test_retry_after_in_seconds_is_respected(app, url, waits, status):
    """The server says how long to wait, and the next attempt comes after that."""
    app.answers = [(status, [("Retry-After", "17")], b""), (200, [], b"ok")]
    assert requests.get(url, retries=1).text == "ok"
    assert waits == [17]


def test_retry_after_as_a_date_is_respected(app, url, waits):
    """The server says when to come again."""
    then = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=3600)
    app.answers = [(503, [("Retry-After", email.utils.format_datetime(then, usegmt=True))], b""), (200, [], b"ok")]
    assert requests.get(url, retries=1).text == "ok"
    (waited,) = waits
    assert 3000 < waited <= 3600


def test_retry_after_can_be_ignored(app, url, waits):
    """Whoever says so has the backoff instead."""
    app.answers = [(503, [("Retry-After", "17")], b""), (503, [("Retry-After", "17")], b""), (200, [], b"ok")]
    retries = {**ON_503, "backoff_factor": 1, "respect_retry_after_header": False}
    assert requests.get(url, retries=retries).text == "ok"
    assert waits == [2]  # urllib3 goes again at once, and waits before the third


def test_post_is_not_retried_on_status_unless_allowed(app, url):
    """POST is retried only when allowed_methods says so."""
    app.answers = [(503, [], b"")]
    assert requests.post(url, retries=ON_503).status_code == 503
    assert len(app.requests) == 1
    with pytest.raises(requests.exceptions.RetryError):
        requests.post(url, retries={**ON_503, "allowed_methods": ["POST"]})
    assert len(app.requests) == 4


def test_post_is_not_retried_on_a_reset(peer, acts):
    """A POST whose connection was reset may have been acted upon, and is not sent again by its retries either."""
    server = peer(acts.reset, acts.answer)
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url, b"x", retries=3)
    assert len(server.requests) == 1


def test_get_is_retried_on_a_reset(peer, acts):
    """A GET whose connection was reset is sent again, as often as was asked for."""
    server = peer(acts.reset, acts.close, acts.answer)
    assert requests.get(server.url, retries={"total": 2, "backoff_factor": 0}).text == "ok"
    assert len(server.requests) == 3


def test_exhausted_retries_are_a_retry_error_or_the_last_answer(app, url):
    """A status to retry on that comes every time is a RetryError, or the last answer with raise_on_status=False."""
    app.answers = [(503, [], b"busy")]
    with pytest.raises(requests.exceptions.RetryError):
        requests.get(url, retries=ON_503)
    answer = requests.get(url, retries={**ON_503, "raise_on_status": False})
    assert (answer.status_code, answer.text) == (503, "busy")


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
        (MappingProxyType({"total": 2, "status_forcelist": [500]}), None, 5, 3),
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


class Counting(requests.adapters.HTTPAdapter):
    """An adapter of the user's own, which keeps something of each request."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sent = 0

    def send(self, request, **kwargs):
        self.sent += 1
        return super().send(request, **kwargs)


@pytest.mark.parametrize(
    ("of_call", "of_session", "of_adapter", "installed", "sent"),
    [
        (None, None, 0, None, 1),
        (2, None, 0, None, 3),
        (None, 2, 0, None, 3),
        (None, None, 2, None, 3),
        (None, None, 0, 2, 3),
        (1, 2, 3, 4, 2),
        (None, 1, 2, 3, 2),
        (None, None, 1, 2, 2),
        (0, None, 3, None, 1),
        (None, None, Retry(0), 2, 1),
    ],
)
def test_adapter_of_the_user_has_the_retries_too(app, url, of_call, of_session, of_adapter, installed, sent):
    """The call wins, then the session, then what the adapter was made with, then the installed default."""
    app.answers = [(503, [], b"")]

    def retry(total):
        if not isinstance(total, int) or total == 0:
            return total
        return Retry(total, status_forcelist=[503], raise_on_status=False)

    if installed is not None:
        requests.set_default_retries(installed, status_forcelist=[503], raise_on_status=False)
    adapter = Counting(max_retries=retry(of_adapter))
    before = adapter.max_retries
    with requests.Session(retries=retry(of_session)) as session:
        session.mount("http://", adapter)
        session.get(url, retries=retry(of_call))
        assert session.get_adapter(url) is adapter
    assert adapter.sent == 1
    assert len(app.requests) == sent
    assert len(set(app.connections)) == 1
    assert adapter.max_retries is before


def test_adapter_with_slots_is_left_alone(app, url):
    """What is in slots cannot be shared with a double: such an adapter retries as it was made to, and works."""

    class Slotted(requests.adapters.HTTPAdapter):
        __slots__ = ("sent",)

        def send(self, request, **kwargs):
            self.sent = request
            return super().send(request, **kwargs)

    adapter = Slotted()
    with requests.Session(retries=2) as session:
        session.mount("http://", adapter)
        assert session.get(url).text == "ok"
    assert adapter.sent.url == url


def test_adapter_that_is_shared_is_left_as_it_is(app, url):
    """What one session asks for is not what another one gets through the same adapter."""
    app.answers = [(503, [], b"")]
    adapter = Counting()
    with requests.Session(retries=Retry(2, status_forcelist=[503], raise_on_status=False)) as one:
        other = requests.Session()
        one.mount("http://", adapter)
        other.mount("http://", adapter)
        one.get(url)
        other.get(url)
    assert len(app.requests) == 4


def test_adapter_of_another_kind_is_left_alone(url):
    """An adapter that is not an HTTPAdapter gets its requests as ever."""

    class Adapter(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code, response.url, response.request = 200, request.url, request
            return response

        def close(self):
            pass

    with requests.Session() as session:
        session.mount("of-mine://", Adapter())
        assert session.get("of-mine://x", retries=3).status_code == 200


@pytest.mark.parametrize(
    ("retries", "error", "message"),
    [
        ("3", TypeError, "retries must be a number.*'3'"),
        (True, TypeError, "retries must be a number.*True"),
        (2.0, TypeError, "retries must be a number.*2.0"),
        ([3], TypeError, r"retries must be a number.*\[3\]"),
        (-1, ValueError, "retries must be zero or more: -1"),
        ({"total": -1}, ValueError, "total must be zero or more: -1"),
        ({"connect": 1.5}, TypeError, "connect must be a whole number.*1.5"),
        ({"read": True}, TypeError, "read must be a whole number.*True"),
        ({"backoff_factor": "1"}, TypeError, "backoff_factor must be a number: '1'"),
        ({"backoff_factor": -1}, ValueError, "backoff_factor must be zero or more: -1"),
        ({"backoff_max": float("nan")}, ValueError, "backoff_max must be zero or more: nan"),
        ({"status_forcelist": 503}, TypeError, "status_forcelist must be a collection of int: 503"),
        ({"status_forcelist": ["503"]}, TypeError, r"status_forcelist must be a collection of int: \['503'\]"),
        ({"allowed_methods": "POST"}, TypeError, "allowed_methods must be a collection of str: 'POST'"),
        (
            {"remove_headers_on_redirect": None},
            TypeError,
            "remove_headers_on_redirect must be a collection of str: None",
        ),
    ],
)
def test_senseless_retries_are_refused_before_anything_is_sent(app, url, retries, error, message):
    """Wrong retries fail at the call, on sessions and what was set on them as well, and nothing is sent."""
    with requests.Session() as session:
        for call in (
            lambda: requests.get(url, retries=retries),
            lambda: requests.Session(retries=retries),
            lambda: session.get(url, retries=retries),
            lambda: setattr(session, "retries", retries) or session.get(url),
        ):
            with pytest.raises(error, match=f"^{message} was given$"):
                call()
    assert app.requests == []


def test_unknown_argument_of_retry_is_refused(app, url):
    """What Retry does not have is a TypeError that names it."""
    with pytest.raises(TypeError, match="'tries'"):
        requests.get(url, retries={"tries": 3})
    assert app.requests == []


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        ((1, 2), {}, TypeError, "one positional argument.* 2 were given"),
        (("x", "y", "z"), {}, TypeError, "one positional argument.* 3 were given"),
        ((1,), {"total": 2}, TypeError, "total twice"),
        ((), {"tries": 1}, TypeError, "'tries'"),
        ((True,), {}, TypeError, "total must be .*True was given"),
        (("3",), {}, TypeError, "total must be .*'3' was given"),
        ((-1,), {}, ValueError, "total must be .*-1 was given"),
        ((), {"status": 0.5}, TypeError, "status must be .*0.5 was given"),
        ((3,), {"status_forcelist": 503}, TypeError, "status_forcelist must be .*503 was given"),
    ],
)
def test_default_retries_are_checked_when_installed(args, kwargs, error, message):
    """Arguments that Retry could do nothing with fail at set_default_retries, and nothing is installed."""
    with pytest.raises(error, match=message):
        requests.set_default_retries(*args, **kwargs)
    assert defaults.settings.requests_retries is None


@pytest.mark.parametrize("total", [None, False, 0, 10])
def test_what_retry_takes_can_be_installed(total):
    """None is no limit of the total, False is not to retry and not to call it so: urllib3's own meanings."""
    requests.set_default_retries(total, allowed_methods=None, status_forcelist=(503,), redirect=False)
    assert defaults.settings.requests_retries["total"] is total


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
    with pytest.raises(requests.ConnectionError, match=re.escape(str(port))):
        requests.get(f"http://127.0.0.1:{port}/", retries=1)


def test_request_of_another_session_in_a_hook_has_the_retries_of_that_session(app, url):
    """What a hook sends through another session is not retried as the call that the hook belongs to."""
    app.answers = [(200, [], b""), (503, [], b""), (200, [], b"ok")]
    other, seen = requests.Session(), []

    def ask_another(response, **_):
        seen.append(other.send(other.prepare_request(requests.Request("GET", url))))

    requests.get(url, retries={"total": 1, "status_forcelist": [503]}, hooks={"response": ask_another})
    other.close()
    assert [response.status_code for response in seen] == [503]
