"""Libraries that stand in for requests work on fleece.requests unchanged, warm connections or not."""

from __future__ import annotations

import pytest
import requests_mock
import responses
import vcr

from fleece import requests

# vcrpy 8, the last for Python 3.10, puts connections away without closing them.
unclosed_by_vcrpy = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["module", "session", "mounted"])
def client(request):
    """Whatever has `get`: the module, a session, and a session with an adapter of the user's own."""
    if request.param == "module":
        yield requests
        return
    with requests.Session() as session:
        if request.param == "mounted":
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=1))
        yield session


@pytest.fixture
def _warm(app, client):
    """A connection to the real server is there, and would be used."""
    client.get(app.url)
    app.requests.clear()


@pytest.mark.usefixtures("_warm")
def test_responses_answers(app, url, client):
    """`responses` answers, sees what was sent, and is gone afterwards."""
    with responses.RequestsMock() as mock:
        mock.get(url, json={"mocked": True}, match=[responses.matchers.query_param_matcher({"a": "1"})])
        assert client.get(url, params={"a": 1}, timeout=3, retries=2).json() == {"mocked": True}
        with pytest.raises(requests.ConnectionError):
            client.get(f"{url}other")
    assert app.requests == []
    assert client.get(url).text == "ok"


@pytest.mark.usefixtures("_warm")
def test_responses_counts_retries(app, url, client):
    """The retries of the call, the session or the process are those that `responses` plays through."""
    with responses.RequestsMock() as mock:
        for status in (503, 503, 200):
            mock.get(url, status=status)
        retries = {"total": 2, "status_forcelist": [503], "backoff_factor": 0}
        assert client.get(url, retries=retries).status_code == 200
        assert len(mock.calls) == 3
    assert app.requests == []


@pytest.mark.usefixtures("_warm")
def test_requests_mock_answers(app, url, client):
    """`requests-mock` answers, sees what was sent, and is gone afterwards."""
    with requests_mock.Mocker() as mock:
        mock.get(url, json={"mocked": True})
        mock.get(f"{url}slow", exc=requests.ReadTimeout)
        assert client.get(url, timeout=3, retries=2).json() == {"mocked": True}
        with pytest.raises(requests.ReadTimeout):
            client.get(f"{url}slow")
        assert mock.call_count == 2
        assert mock.request_history[0].timeout == 3
    assert app.requests == []
    assert client.get(url).text == "ok"


def test_adapter_of_requests_mock_can_be_mounted(app, url):
    """Its other way, an adapter on one session, works as well."""
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", url, text="mocked")
    with requests.Session(retries=2) as session:
        session.mount("http://", adapter)
        assert session.get(url).text == "mocked"
    assert app.requests == []


@unclosed_by_vcrpy
@pytest.mark.usefixtures("_warm")
def test_vcrpy_records_and_plays(app, url, client, tmp_path):
    """`vcrpy` records over warm connections too, plays without the server, and leaves nothing of itself behind."""
    cassette = str(tmp_path / "cassette.yaml")
    with vcr.use_cassette(cassette) as recorded:
        assert [client.get(url, timeout=3, retries=2).text for _ in range(2)] == ["ok", "ok"]
        assert len(recorded) == 2
    assert len(app.requests) == 2
    with vcr.use_cassette(cassette, record_mode="none") as played:
        assert [client.get(url).text for _ in range(2)] == ["ok", "ok"]
        assert played.all_played
    assert len(app.requests) == 2
    client.get(url)
    assert len(app.requests) == 3


@unclosed_by_vcrpy
def test_vcrpy_records_tls(secure_app, authority, client, tmp_path):
    """The same over TLS."""
    client.get(secure_app.url, verify=authority.file)
    with vcr.use_cassette(str(tmp_path / "cassette.yaml")) as cassette:
        assert client.get(secure_app.url, verify=authority.file).text == "ok"
        assert client.get(secure_app.url, verify=authority.file).text == "ok"
        assert len(cassette) == 2
    assert client.get(secure_app.url, verify=authority.file).text == "ok"
    assert len(secure_app.requests) == 4
