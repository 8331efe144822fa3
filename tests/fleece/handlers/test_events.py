"""From events to requests: literal events, every kind of the builders, and whatever else may come."""

import base64
import copy
import json
import subprocess
import sys
from urllib.parse import parse_qsl, quote
from wsgiref.validate import WSGIWarning, validator

import pytest
from hypothesis import given, settings, strategies as st

from fleece.handlers._events import Kind, kind_of, read_request
from fleece.handlers._log import RequestLog
from fleece.handlers._parts import BadRequestError
from fleece.handlers._proxy import answer_event
from fleece.handlers.asgi import asgi_handler
from fleece.handlers.wsgi import build_wsgi_environ_from_event, wsgi_handler
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

    @pytest.mark.parametrize(("method", "body"), [("GET", b""), ("delete", b""), ("POST", b"{}"), ("PATCH", b"{}")])
    def test_yoke_empty_object(self, yoke_event, method, body):
        """The template's {} is a body where the method has one, and nothing elsewhere."""
        yoke_event["rawContext"]["httpMethod"] = method
        assert read(yoke_event).body == body

    def test_yoke_without_the_raw_context(self, yoke_event):
        """Method and address are in the template's own parts as well."""
        del yoke_event["rawContext"]
        request = read(yoke_event)
        assert (request.method, request.remote_addr) == ("GET", "192.0.2.1")

    def test_yoke_values_in_query(self, yoke_event):
        """A list in the query is repeated values, and a truth is JSON's: neither is what Python prints."""
        yoke_event["parameters"]["request"]["querystring"] = {"q": ["a", "b"], "r": True, "s": 1, "t": None}
        assert read(yoke_event).query == "q=a&q=b&r=true&s=1&t="


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

    @pytest.mark.parametrize(
        ("route", "raw_path", "path"),
        [
            ("$default", "/prod/users/7", "/users/7"),
            ("GET /users/{id}", "/prod/users/7", "/users/7"),
            ("GET /{proxy+}", "/prod/users/7", "/users/7"),
            ("$default", "/users/7", "/users/7"),
            ("GET /prod/users/{id}", "/prod/users/7", "/prod/users/7"),
            ("$default", "/production", "/production"),
            ("$default", "/prod", "/"),
        ],
    )
    def test_the_stage_in_the_path_of_a_custom_domain_is_nobodys(self, route, raw_path, path):
        """An HTTP API writes a named stage into the path of a custom domain too, whose URLs do not have it."""
        event = events.request("GET", raw_path, kind="http", domain="api.example.com", stage="prod")
        parameters = {"id": "7", "proxy": "users/7"} if "{" in route else None
        event.update(rawPath=raw_path, routeKey=route, pathParameters=parameters)
        request = read(event)
        assert (request.script_name, request.path) == ("", path)

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

    def test_a_balancers_check_of_health_is_http(self, alb_event):
        """Where a balancer does not say what the client spoke, as in its own checks, it is what balancers speak."""
        alb_event["headers"] = {"user-agent": "ELB-HealthChecker/2.0"}
        request = read(alb_event)
        assert (request.scheme, request.server_port, request.remote_addr) == ("http", 80, "")

    def test_a_method_made_by_hand(self, rest_event):
        """An event that somebody wrote may have its method in small letters; applications get capitals."""
        assert read({**rest_event, "httpMethod": "get"}).method == "GET"

    @pytest.mark.parametrize(("domain", "name"), [("127.0.0.1:3000", "127.0.0.1"), ("[::1]:3000", "::1")])
    def test_the_servers_name_has_no_port(self, rest_event, http_event, domain, name):
        """The local gateway of AWS SAM puts its port behind the domain's name; a server's name has none."""
        for event in (rest_event, http_event):
            event["requestContext"]["domainName"] = domain
            assert read(event).server_name == name

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

    def test_an_empty_body_keeps_the_length_that_was_sent(self, http_event):
        """A client that says it sends nothing has said so; where it says nothing, nothing is added."""
        http_event.update(body=None, isBase64Encoded=False)
        assert "content-length" not in read(http_event).headers
        http_event["headers"]["content-length"] = "0"
        assert read(http_event).headers["content-length"] == ["0"]

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
            {"version": "3.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}},
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
            {"path": "/\ud800"},
            {"requestContext": {"domainName": "x.execute-api.x", "stage": "\udc80"}},
            {"requestContext": {"identity": "x"}},
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

    def test_names_that_differ_in_case_alone_are_one_header(self, rest_event):
        """Both spellings of a name are in the event; none of their values is lost, and the event is left as it was."""
        sent = {"X-Name": ["a"], "x-name": ["b", "c"]}
        rest_event["multiValueHeaders"] = copy.deepcopy(sent)
        assert read(rest_event).headers["x-name"] == ["a", "b", "c"]
        assert rest_event["multiValueHeaders"] == sent

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

    @pytest.mark.filterwarnings(f"ignore::{WSGIWarning.__module__}.{WSGIWarning.__name__}")  # of unknown methods
    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def test_no_damage_breaks_out(self, data):
        """Whatever is put anywhere in an event, applications see a whole request, or the client gets a 400.

        The one other outcome is the documented `ValueError`, for what is no HTTP request any more.
        """
        kind = data.draw(st.sampled_from(events.KINDS))
        event = events.request("POST", "/a%20b?c=d", kind=kind, body="x", headers={"Cookie": "e=f", "X-G": "é"})
        for _ in range(data.draw(st.integers(1, 4))):
            damage(event, data.draw)
        for handler, app in ((wsgi_handler, wsgi_echo), (asgi_handler, asgi_echo)):
            try:
                answer = handler(event, None, app)
            except ValueError as error:
                assert "no HTTP request of a kind" in str(error)  # noqa: PT017 (the other outcome is as good)
                continue
            assert answer["statusCode"] in (200, 400), answer
            if answer["statusCode"] == 400:
                assert json.loads(answer["body"])["detail"].startswith(
                    ("The event's ", "The event has ", "The body is ", "The path is ", "The query ")
                )
                with pytest.raises(ValueError, match=r"^The "):
                    build_wsgi_environ_from_event(event)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["\ud800", "%ZZ", "http", "443"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)


def damage(part, draw):
    """Put something else, or nothing, in the place of anything in an event, or add something."""
    while True:
        key = draw(st.sampled_from(sorted(part)) | st.text(max_size=5)) if part else draw(st.text(max_size=5))
        inner = part.get(key)
        if isinstance(inner, dict) and draw(st.booleans()):
            part = inner
        elif draw(st.booleans()):
            part[key] = draw(JSON)
            return
        else:
            part.pop(key, None)
            return


@validator
def wsgi_echo(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    for name in ("PATH_INFO", "SCRIPT_NAME"):
        environ[name].encode("latin-1").decode()
    environ["QUERY_STRING"].encode("ascii")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


async def asgi_echo(scope, receive, send):
    if scope["type"] == "http":
        assert scope["path"].encode()
        assert scope["http_version"] in ("1.0", "1.1", "2")
        assert all(type(part) is bytes for header in scope["headers"] for part in header)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": (await receive())["body"]})


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
        "import sys, logging; before = set(sys.modules)\n"  # it loads two of them itself, since Python 3.14
        "import fleece.handlers._events, fleece.handlers.wsgi, fleece.httperror\n"
        f"print(*[name for name in {heavy.split()} if name in set(sys.modules) - before])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_base64_with_line_breaks_is_refused(rest_event):
    """Only what AWS sends is taken for base64: letters that do not belong there are not skipped."""
    rest_event.update(body=base64.encodebytes(b"x" * 100).decode(), isBase64Encoded=True)
    with pytest.raises(BadRequestError, match="base64"):
        read(rest_event)
