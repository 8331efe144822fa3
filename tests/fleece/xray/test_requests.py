"""HTTP requests as subsegments, by the real requests package and `fleece.requests`, against a server on loopback."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
from werkzeug.wrappers import Request, Response

from fleece import requests as fleece_requests, xray
from fleece_testing._http import LoopbackServer

HEADER = "X-Amzn-Trace-Id"


class Site:
    """A site that remembers the trace headers that it was sent, by path."""

    def __init__(self):
        self.seen = []

    def __call__(self, environ, start_response):
        request = Request(environ)
        self.seen.append((request.path, request.headers.get(HEADER)))
        if request.path.startswith("/status/"):
            return Response("answer", status=int(request.path[8:]))(environ, start_response)
        if request.path == "/redirect":
            return Response(status=302, headers={"Location": "/status/200"})(environ, start_response)
        if request.path == "/loop":
            return Response(status=302, headers={"Location": "/loop"})(environ, start_response)
        if request.path == "/twice" and len(self.seen) == 1:
            return Response(status=503)(environ, start_response)
        return Response("hello")(environ, start_response)


@pytest.fixture
def site():
    """Serve a site; its URL is `site.url`."""
    application = Site()
    with LoopbackServer(application) as server:
        application.url = server.url
        yield application


@pytest.fixture(autouse=True)
def patched(unpatched, fleece_xray):
    """Trace requests for the length of a test."""
    xray.monkey_patch_requests_for_xray()


@pytest.fixture(params=[requests, fleece_requests], ids=["requests", "fleece.requests"])
def http(request):
    """Give both modules, one after the other."""
    return request.param


def test_a_request_is_a_subsegment_of_its_host(http, site, fleece_xray):
    """Method, URL without what may be secret in it, status and length."""
    user_info = site.url.replace("://", "://user:hunter2@")
    answer = http.get(f"{user_info}/path?token=hunter2#part")
    assert answer.text == "hello"
    [document] = fleece_xray.subsegments
    assert (document["name"], document["namespace"]) == ("127.0.0.1", "remote")
    assert document["http"] == {
        "request": {"method": "GET", "url": f"{site.url}/path"},
        "response": {"status": 200, "content_length": 5},
    }
    assert "hunter2" not in json.dumps(fleece_xray.documents)
    assert not {"error", "fault", "throttle", "cause"} & set(document)


def test_the_in_progress_document_says_where_it_went(http, site, fleece_xray):
    """So that a function that times out shows what it waited for."""
    http.get(f"{site.url}/path")
    assert fleece_xray.documents[0]["http"] == {"request": {"method": "GET", "url": f"{site.url}/path"}}


@pytest.mark.parametrize(
    ("status", "flags"),
    [(204, set()), (404, {"error"}), (429, {"error", "throttle"}), (500, {"fault"}), (503, {"fault"})],
)
def test_statuses_make_errors_throttles_and_faults(http, site, fleece_xray, status, flags):
    """The answer is returned as always."""
    assert http.get(f"{site.url}/status/{status}").status_code == status
    [document] = fleece_xray.subsegments
    assert {"error", "throttle", "fault"} & set(document) == flags


def test_a_refused_connection_is_a_fault(http, fleece_xray):
    """It is raised as requests raises it."""
    with pytest.raises(requests.exceptions.ConnectionError):
        http.get("http://127.0.0.1:1/")
    assert fleece_xray.subsegments[0]["fault"] is True


def test_redirects_are_part_of_the_request(http, site, fleece_xray):
    """One request, one subsegment, with the last status; each hop is sent the same parent."""
    answer = http.get(f"{site.url}/redirect")
    assert [hop.status_code for hop in answer.history] == [302]
    [document] = fleece_xray.subsegments
    assert document["http"]["request"]["url"] == f"{site.url}/redirect"
    assert document["http"]["response"]["status"] == 200
    assert [urlsplit(path).path for path, _ in site.seen] == ["/redirect", "/status/200"]
    assert {header for _, header in site.seen} == {_header(fleece_xray, document)}


def test_too_many_redirects_are_one_fault(http, site, fleece_xray):
    """And one subsegment."""
    with pytest.raises(requests.exceptions.TooManyRedirects):
        http.get(f"{site.url}/loop")
    assert [document["fault"] for document in fleece_xray.subsegments] == [True]


def test_a_redirect_that_is_not_followed(http, site, fleece_xray):
    """It is the answer."""
    assert http.get(f"{site.url}/redirect", allow_redirects=False).status_code == 302
    assert fleece_xray.subsegments[0]["http"]["response"]["status"] == 302


def test_a_request_that_follows_no_redirects_is_a_subsegment_within_another(http, site, fleece_xray):
    """Only the session whose request is under way goes on with it: a HEAD in a block, or in a call, is its own."""
    with xray.subsegment("outer"):
        http.head(f"{site.url}/path")
    fleece_xray.assert_subsegment("127.0.0.1", parent="outer")


@pytest.mark.parametrize("kind", ["requests", "fleece"])
def test_retries_are_part_of_the_request(site, fleece_xray, kind):
    """One request, one subsegment, however often it was tried."""
    retry = Retry(total=2, status_forcelist=[503], backoff_factor=0)
    if kind == "requests":
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=retry))
            assert session.get(f"{site.url}/twice").status_code == 200
    else:
        assert fleece_requests.get(f"{site.url}/twice", retries=retry).status_code == 200
    assert len(site.seen) == 2
    assert len(fleece_xray.subsegments) == 1


def test_the_trace_is_sent_downstream(http, site, fleece_xray, trace):
    """With the subsegment as the parent, and fields that fleece does not know."""
    trace(f"{fleece_xray.trace_header};Lineage=1:abcdef12:0|x")
    with xray.subsegment("handler"):
        http.get(site.url)
    document = fleece_xray.assert_subsegment("127.0.0.1", parent="handler")
    assert site.seen == [("/", f"{_header(fleece_xray, document)};Lineage=1:abcdef12:0|x")]


def test_an_unsampled_trace_is_sent_downstream_as_such(http, site, fleece_xray, trace):
    """No subsegment, but the next service does not start a trace of its own; redirects neither."""
    header = f"{fleece_xray.trace_header[:-1]}0"
    trace(header)
    http.get(f"{site.url}/redirect")
    assert [sent for _, sent in site.seen] == [header, header]
    assert fleece_xray.documents == []


def test_without_a_trace_no_header_is_sent(http, site, trace):
    """There is nothing to pass on."""
    trace(None)
    http.get(site.url)
    assert site.seen == [("/", None)]


@pytest.mark.parametrize("name", [HEADER, HEADER.lower()])
def test_a_header_that_the_caller_set_is_kept(http, site, name):
    """It is the caller's decision what is passed on."""
    http.get(site.url, headers={name: "Root=mine"})
    assert site.seen == [("/", "Root=mine")]


def test_a_prepared_request_that_is_sent_again_has_a_new_parent(site, fleece_xray):
    """What fleece has put into its headers is not taken for the caller's."""
    prepared = requests.Request("GET", site.url).prepare()
    with requests.Session() as session:
        answers = [session.send(prepared) for _ in range(2)]
    assert answers[0].request is prepared
    expected = [_header(fleece_xray, document) for document in fleece_xray.subsegments]
    assert [header for _, header in site.seen] == expected
    assert len(set(expected)) == 2


def _header(daemon, document):
    return f"Root={daemon.trace_id};Parent={document['id']};Sampled=1"


def test_a_request_within_a_request_is_a_subsegment_of_its_own(site, fleece_xray):
    """A hook that fetches something, as authentication does."""
    with requests.Session() as session:

        def fetch(answer, **_):
            if answer.url.endswith("/outer"):
                session.get(f"{site.url}/inner")

        session.get(f"{site.url}/outer", hooks={"response": fetch})
    [trace] = fleece_xray.traces()
    [outer] = trace.roots
    assert outer.document["http"]["request"]["url"] == f"{site.url}/outer"
    assert [child.document["http"]["request"]["url"] for child in outer.children] == [f"{site.url}/inner"]


def test_a_session_can_be_left_untraced(site, fleece_xray):
    """For URLs that are secrets themselves: no subsegment, no header."""
    with requests.Session() as session:
        session.fleece_untraced = True
        session.get(f"{site.url}/tokens/hunter2")
    assert fleece_xray.documents == []
    assert site.seen == [("/tokens/hunter2", None)]


def test_mistakes_are_raised_as_ever(http, fleece_xray):
    """A request that is not prepared, a URL that is none."""
    not_prepared = requests.Request("GET", "http://127.0.0.1/")
    with requests.Session() as session, pytest.raises(ValueError, match="PreparedRequest"):
        session.send(not_prepared)
    assert HEADER not in not_prepared.headers
    with pytest.raises(requests.exceptions.MissingSchema):
        http.get("/path")
    spoilt = requests.Request("GET", "http://127.0.0.1/").prepare()
    spoilt.url = "http://[127.0.0.1/"
    with requests.Session() as session, pytest.raises(ValueError):
        session.send(spoilt)
    assert fleece_xray.documents == []


def test_a_streamed_body_is_not_read(http, site, fleece_xray):
    """The subsegment ends with the headers; the body is the caller's."""
    with http.get(site.url, stream=True) as answer:
        assert len(fleece_xray.subsegments) == 1
        assert answer.raw.read() == b"hello"


def test_mocked_adapters_are_traced_too(fleece_xray):
    """What a test puts in place of the network: `responses`, or an adapter of its own."""
    with responses.RequestsMock() as mocked:
        mocked.get("https://api.example.com/users", json=[], status=404)
        assert requests.get("https://api.example.com/users", timeout=1).json() == []
    document = fleece_xray.assert_subsegment("api.example.com")
    assert document["error"] is True


def test_patching_twice_is_patching_once_and_can_be_undone(http, site, fleece_xray):
    """One subsegment for each request; none after `unpatch_xray`, which leaves the original."""
    xray.unpatch_xray()
    original = requests.Session.send
    for _ in range(3):
        xray.monkey_patch_requests_for_xray()
    http.get(site.url)
    assert len(fleece_xray.subsegments) == 1
    xray.unpatch_xray()
    assert requests.Session.send is original
    http.get(site.url)
    assert len(fleece_xray.subsegments) == 1
    assert site.seen[1] == ("/", None)


def test_requests_of_several_tasks_do_not_mix(site, fleece_xray):
    """Each hangs on the task that made it."""

    @xray.trace_xray_subsegment(skip_args=True)
    async def work():
        await asyncio.to_thread(requests.get, site.url, timeout=5)

    async def both():
        await asyncio.gather(work(), work())

    asyncio.run(both())
    [trace] = fleece_xray.traces()
    assert [[child.name for child in root.children] for root in trace.roots] == [["127.0.0.1"], ["127.0.0.1"]]
