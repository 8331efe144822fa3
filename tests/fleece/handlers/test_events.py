"""From events to requests: literal events, every kind of the builders, and whatever else may come."""

import base64
import copy
import json
import subprocess
import sys
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given, settings, strategies as st

from fleece.handlers._events import Kind, kind_of, read_request
from fleece.handlers._http import Response
from fleece.handlers._log import RequestLog
from fleece.handlers._parts import BadRequestError
from fleece.handlers._proxy import answer_event
from fleece_testing import events

PROXY_KINDS = [kind for kind in events.KINDS if kind != "yoke"]


def read(event, **options):
    return read_request(kind_of(event), event, **options)


class TestLiteralEvents:
    """The events of AWS's own documentation."""

    def test_rest(self, rest_event):
        """A REST event gives its stage as script name, repeated values in order, and the address that AWS saw."""
        request = read(rest_event)
        assert kind_of(rest_event) is Kind.REST
        assert (request.method, request.script_name, request.path) == ("GET", "/prod", "/my/path")
        assert request.query == "parameter1=value1&parameter1=value2&parameter2=a+value"
        assert request.headers["header2"] == ["value1", "value2"]
        assert (request.remote_addr, request.scheme, request.server_port) == ("192.0.2.1", "https", 443)
        assert request.server_name == "id.execute-api.us-east-1.amazonaws.com"
        assert request.body == b""

    def test_http_api(self, http_event):
        """An HTTP API's path is not decoded again, loses its stage, and cookies become one header."""
        request = read(http_event)
        assert kind_of(http_event) is Kind.HTTP_2
        assert (request.method, request.script_name, request.path) == ("POST", "/prod", "/my/päth%2F")
        assert request.query == http_event["rawQueryString"]
        assert request.headers["cookie"] == ["cookie1=1; cookie2=2"]
        assert (request.body, request.headers["content-length"]) == (b"hello", ["5"])
        assert request.remote_addr == "192.0.2.1"

    def test_function_url(self, function_url_event):
        """A function URL's path is decoded once."""
        assert kind_of(function_url_event) is Kind.FUNCTION_URL
        assert read(function_url_event).path == "/my/päth%2F"

    def test_load_balancer(self, alb_event):
        """A load balancer's query stays encoded, and the address is the one that the balancer appended."""
        request = read(alb_event)
        assert kind_of(alb_event) is Kind.ALB
        assert (request.script_name, request.path) == ("", "/a path")
        assert request.query == "parameter=a%20value&other=1%2B1"
        assert (request.remote_addr, request.scheme, request.server_port) == ("72.21.198.66", "http", 80)
        assert request.body == b"request_body"

    def test_yoke(self, yoke_event):
        """The template's path parts are filled in, and the {} that stands for no body is none."""
        request = read(yoke_event)
        assert kind_of(yoke_event) is Kind.YOKE
        assert (request.method, request.path, request.query) == ("GET", "/users/ann/x/y", "q=a%26b")
        assert (request.remote_addr, request.body) == ("192.0.2.1", b"")

    def test_yoke_body(self, yoke_event):
        """The template's decoded JSON is encoded again, with its length."""
        yoke_event["rawContext"]["httpMethod"] = "POST"
        yoke_event["parameters"]["request"]["body"] = {"name": "é", "of": [None, 1.5]}
        request = read(yoke_event)
        assert json.loads(request.body) == {"name": "é", "of": [None, 1.5]}
        assert request.headers["content-length"] == [str(len(request.body))]

    def test_yoke_list_in_query(self, yoke_event):
        """A list in the query is repeated values, not the text of a Python list."""
        yoke_event["parameters"]["request"]["querystring"] = {"q": ["a", "b"]}
        assert read(yoke_event).query == "q=a&q=b"


class TestPaths:
    """Stages, base path mappings, encodings."""

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    @pytest.mark.parametrize(
        "path", ["/", "//a/b", "/a%20b", "/%C3%A9/%E4%B8%AD", "/a%2Fb", "/100%25", "/a+b", "/%2525"]
    )
    def test_every_kind_decodes_a_path_exactly_once(self, kind, path):
        """Whatever the kind, the application sees the path that the client meant."""
        from urllib.parse import unquote

        assert read(events.request("GET", path, kind=kind)).path == unquote(path)

    @pytest.mark.parametrize("kind", ["rest", "http", "http_1"])
    def test_the_stage_is_the_script_name(self, kind):
        """Behind API Gateway's own host name, the stage is the script name, whether the path has it or not."""
        request = read(events.request("GET", "/users", kind=kind, stage="prod"))
        assert (request.script_name, request.path) == ("/prod", "/users")

    @pytest.mark.parametrize("kind", ["http", "http_1"])
    def test_the_default_stage_is_no_script_name(self, kind):
        """An HTTP API's ``$default`` stage is not in the URL."""
        for path in ("/users", "/$default/users"):
            request = read(events.request("GET", path, kind=kind))
            assert (request.script_name, request.path) == ("", path)

    @pytest.mark.parametrize("kind", ["rest", "http", "http_1"])
    def test_a_base_path_mapping_is_the_script_name(self, kind):
        """On a custom domain, what precedes the route is the script name."""
        event = events.request(
            "GET", "/users/a%20b", kind=kind, domain="api.example.com", base_path="shop", route="/users/{id}", stage="x"
        )
        request = read(event)
        assert (request.script_name, request.path) == ("/shop", "/users/a b")

    @pytest.mark.parametrize("kind", events.KINDS)
    def test_an_explicit_base_path_is_taken_off(self, kind):
        """``base_path`` overrides what the event says; a path without it stays."""
        event = events.request("GET", "/v1/users", kind=kind)
        request = read(event, base_path="/v1")
        assert (request.script_name, request.path) == ("/v1", "/users")
        assert read(event, base_path="/v2").path == "/v1/users"


class TestQueriesAndHeaders:
    """Repeated names, encodings, addresses."""

    @pytest.mark.parametrize("kind", sorted(set(PROXY_KINDS) - {"alb"}))
    def test_repeated_values_stay_in_order(self, kind):
        """A repeated name keeps all its values, commas in them included."""
        event = events.request("GET", "/?a=1&a=2,3&b=&a=%26%3D%20%2B", kind=kind)
        assert parse_qsl(read(event).query, keep_blank_values=True) == [
            ("a", "1"),
            ("a", "2,3"),
            *([("b", ""), ("a", "&= +")] if kind in ("http", "function_url") else [("a", "&= +"), ("b", "")]),
        ]

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_the_address_is_not_what_the_client_claims(self, kind):
        """``X-Forwarded-For`` as the client wrote it does not decide who the client is."""
        event = events.request("GET", "/", kind=kind, headers={"X-Forwarded-For": "6.6.6.6"}, source_ip="192.0.2.9")
        assert read(event).remote_addr == "192.0.2.9"

    @pytest.mark.parametrize(
        ("forwarded", "address"),
        [
            ("6.6.6.6, 1.2.3.4:567", "1.2.3.4"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("", ""),
        ],
    )
    def test_a_balancers_client_may_have_a_port(self, alb_event, forwarded, address):
        """The port that a balancer can be told to append is no part of the address."""
        alb_event["headers"]["x-forwarded-for"] = forwarded
        assert read(alb_event).remote_addr == address

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({"X-Forwarded-Proto": "http", "X-Forwarded-Port": "8080"}, ("http", 8080)),
            ({"X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "9" * 5000}, ("https", 443)),
            ({}, ("https", 443)),
        ],
    )
    def test_scheme_and_port_come_from_the_event(self, rest_event, headers, expected):
        """What makes no sense as a scheme or a port is left alone."""
        rest_event["multiValueHeaders"] = None
        rest_event["headers"] = headers
        request = read(rest_event)
        assert (request.scheme, request.server_port) == expected

    def test_unicode_in_a_header_is_bytes(self, rest_event):
        """A header outside of ASCII holds the bytes of its UTF-8, one character each, as servers hand them on."""
        rest_event["multiValueHeaders"] = {"X-Name": ["é中"]}
        assert [value.encode("latin-1").decode() for value in read(rest_event).headers["x-name"]] == ["é中"]

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_a_body_has_its_length(self, kind):
        """A body always has a ``Content-Length`` that is true, and never a ``Transfer-Encoding``."""
        event = events.request(
            "POST", "/", kind=kind, body="é", headers={"Content-Length": "99", "Transfer-Encoding": "x"}
        )
        request = read(event)
        assert (request.body, request.headers["content-length"]) == ("é".encode(), ["2"])
        assert "transfer-encoding" not in request.headers

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_bytes_stay_bytes(self, kind):
        """A binary body arrives as it was sent."""
        assert read(events.request("POST", "/", kind=kind, body=bytes(range(256)))).body == bytes(range(256))


class TestOtherEvents:
    """What is no HTTP request, and what is a broken one."""

    @pytest.mark.parametrize(
        "event",
        [
            None,
            {},
            [],
            "text",
            7,
            {"requestContext": None},
            {"requestContext": {"connectionId": "x", "routeKey": "$connect"}},
            {"version": "2.0", "requestContext": {}},
            {"parameters": None},
            {"Records": [{"eventSource": "aws:sqs"}]},
            {"type": "REQUEST", "methodArn": "arn:x", "httpMethod": "GET", "requestContext": {"stage": "x"}},
            {1: 2},
        ],
        ids=repr,
    )
    def test_an_event_of_no_known_kind_is_a_value_error(self, event):
        """An event that is no HTTP request is a ``ValueError`` that says what fleece takes."""
        with pytest.raises(ValueError, match=r"no HTTP request of a kind that fleece knows \(.*REST.*\): it is "):
            kind_of(event)

    @pytest.mark.parametrize("build", ["sqs", "sns", "s3", "eventbridge", "request_authorizer", "http_authorizer"])
    def test_other_services_events_are_refused(self, build):
        """The events of queues, topics and authorizers are not taken for requests."""
        with pytest.raises(ValueError, match="no HTTP request"):
            kind_of(getattr(events, build)())

    @pytest.mark.parametrize(
        "change",
        [
            {"body": "###", "isBase64Encoded": True},
            {"body": "é", "isBase64Encoded": True},
            {"body": "\ud800"},
            {"body": {"a": 1}},
            {"httpMethod": None},
            {"httpMethod": "GET / HTTP/1.1\r\nX: y"},
            {"httpMethod": 7},
            {"path": ["x"]},
            {"headers": "x", "multiValueHeaders": None},
            {"headers": {"a": {}}, "multiValueHeaders": None},
            {"multiValueHeaders": {"a": [[]]}},
            {"multiValueQueryStringParameters": [1]},
            {"multiValueQueryStringParameters": {"a": ["\ud800"]}},
        ],
        ids=repr,
    )
    def test_a_broken_request_is_answered_with_400(self, rest_event, change):
        """A part of a wrong type or content is the client's 400, which says which part, and not an exception."""
        rest_event.update(change)
        with pytest.raises(BadRequestError):
            read(rest_event)
        answer = answer_event(rest_event, pytest.fail, RequestLog())
        assert answer["statusCode"] == 400
        assert json.loads(answer["body"])["detail"]

    @pytest.mark.parametrize("change", [{"cookies": "a=b"}, {"cookies": [{}]}, {"rawQueryString": "\ud800"}], ids=repr)
    def test_a_broken_payload_2_is_refused(self, http_event, change):
        """The parts that only payload 2.0 has are checked as well."""
        with pytest.raises(BadRequestError):
            read({**http_event, **change})

    @pytest.mark.parametrize(
        "missing", ["headers", "multiValueHeaders", "multiValueQueryStringParameters", "body", "path"]
    )
    def test_missing_parts_are_empty(self, rest_event, missing):
        """An event made by hand, with parts left out, is read as far as it goes."""
        del rest_event[missing]
        assert read(rest_event).method == "GET"

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_no_change_of_an_event_breaks_out(self, data):
        """Whatever is put in place of any part, the outcome is an answer, or the documented ``ValueError``."""
        event = copy.deepcopy(events.request("POST", "/a?b=c", kind=data.draw(st.sampled_from(events.KINDS)), body="x"))
        junk = (
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()) | st.just({"a": {"b": []}})
        )
        part = event
        while True:
            key = data.draw(st.sampled_from(sorted(part)))
            if isinstance(part[key], dict) and part[key] and data.draw(st.booleans()):
                part = part[key]
            else:
                part[key] = data.draw(junk)
                break
        try:
            answer = answer_event(event, lambda request: Response(200, []), RequestLog())
        except ValueError as error:
            assert "no HTTP request of a kind" in str(error)  # noqa: PT017 (the other outcome is as good)
        else:
            assert answer["statusCode"] in (200, 400)


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(PROXY_KINDS),
    path=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    query=st.lists(
        st.tuples(st.text("ab =&+%é", min_size=1), st.text("ab =&+%é,")), max_size=4, unique_by=lambda q: q[0]
    ),
    body=st.binary(max_size=50),
)
def test_no_kind_of_event_loses_anything(kind, path, query, body):
    """Path, query and body come out of every kind of event as they went in."""
    request = read(events.request("POST", "/" + quote(path), query=query, body=body, kind=kind))
    assert request.path == "/" + path
    assert parse_qsl(request.query, keep_blank_values=True) == query
    assert request.body == body


def test_the_translation_loads_no_framework():
    """Importing the translation and the WSGI handler loads neither a framework nor asyncio, YAML or AWS's SDK."""
    heavy = "asyncio boto3 botocore connexion flask jsonschema requests starlette werkzeug yaml dataclasses inspect"
    code = (
        "import sys, fleece.handlers._events, fleece.handlers.wsgi, fleece.httperror\n"
        f"print(*[name for name in {heavy.split()} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_base64_with_line_breaks_is_refused(rest_event):
    """Only what AWS sends is taken for base64: letters that do not belong there are not skipped."""
    rest_event.update(body=base64.encodebytes(b"x" * 100).decode(), isBase64Encoded=True)
    with pytest.raises(BadRequestError, match="base64"):
        read(rest_event)
