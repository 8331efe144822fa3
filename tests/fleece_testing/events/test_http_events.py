"""HTTP requests as events of each kind."""

import base64
import json
import uuid
from operator import itemgetter
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings, strategies as st

from fleece.handlers._events import Kind, kind_of, read_request
from fleece.handlers.wsgi import build_wsgi_environ_from_event
from fleece_testing import events

KINDS = {
    "rest": Kind.REST,
    "http": Kind.HTTP_2,
    "http_1": Kind.HTTP_1,
    "function_url": Kind.FUNCTION_URL,
    "alb": Kind.ALB,
    "alb_multi_value": Kind.ALB_MULTI_VALUE,
    "yoke": Kind.YOKE,
}
PATHS = {"rest": "path", "http": "rawPath", "http_1": "path", "function_url": "rawPath", "alb": "path"}
MULTI_VALUE = sorted(set(events.KINDS) - {"alb", "yoke"})


@pytest.mark.parametrize("kind", events.KINDS)
def test_fleece_recognises_each_kind(kind):
    """The handlers take the event for what it is, and it is JSON."""
    event = events.request("GET", "/users", kind=kind)
    assert kind_of(event) is KINDS[kind]
    assert json.loads(json.dumps(event)) == event


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("rest", "/a%2Fb/%C3%BC%20x"),
        ("function_url", "/a%2Fb/%C3%BC%20x"),
        ("alb", "/a%2Fb/%C3%BC%20x"),
        ("http", "/a/b/ü x"),
        ("http_1", "/a/b/ü x"),
    ],
)
def test_paths_arrive_encoded_or_decoded_as_each_kind_has_them(kind, path):
    """REST, function URLs and load balancers pass the path on encoded, HTTP APIs decoded."""
    event = events.request("GET", "a%2Fb/ü x", kind=kind)
    assert event[PATHS[kind]] == path


@pytest.mark.parametrize("kind", events.KINDS)
def test_methods_are_upper_case(kind):
    """A client's ``post`` is POST."""
    assert read_request(KINDS[kind], events.request("post", kind=kind)).method == "POST"


def test_an_unknown_kind_says_which_there_are():
    """The message has the list."""
    with pytest.raises(ValueError, match="no kind 'soap' of HTTP event; the kinds are rest, http, "):
        events.request("GET", "/", kind="soap")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
safe = st.text(st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="%?"), max_size=12)
bodies = st.none() | st.binary(min_size=1, max_size=40) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@pytest.mark.parametrize("kind", MULTI_VALUE)
@settings(max_examples=50, deadline=None)
@given(path=safe, query=st.lists(st.tuples(texts, texts), max_size=4), body=bodies, value=st.text("abc,;=", max_size=9))
def test_nothing_of_a_request_is_lost(kind, path, query, body, value):
    """Method, path, query, headers and body come out of the event as they went in."""
    event = events.request("PUT", f"/{path}", query=query, headers={"X-Value": value}, body=body, kind=kind)
    request = read_request(KINDS[kind], json.loads(json.dumps(event)))
    assert request.method == "PUT"
    assert request.path == f"/{path}"
    found = parse_qsl(request.query, keep_blank_values=True)
    assert sorted(found, key=itemgetter(0)) == sorted(query, key=itemgetter(0))  # maps bring equal names together
    assert build_wsgi_environ_from_event(event)["HTTP_X_VALUE"] == value
    assert request.body == (body.encode() if isinstance(body, str) else body or b"")


@pytest.mark.parametrize("kind", ["alb", "yoke"])
def test_kinds_with_single_values_have_the_last(kind):
    """Of repeated names, only the last value arrives."""
    event = events.request("GET", "/", query={"a": [1, 2], "b": "ü"}, headers={"X": ["1", "2"]}, kind=kind)
    request = read_request(KINDS[kind], event)
    assert request.query == "a=2&b=%C3%BC"
    assert build_wsgi_environ_from_event(event)["HTTP_X"] == "2"


@pytest.mark.parametrize(
    ("kind", "content_type", "encoded"),
    [
        ("http", "application/x-www-form-urlencoded", True),
        ("http", "application/json; charset=utf-8", False),
        ("http", "application/problem+json", False),
        ("function_url", "image/png", True),
        ("function_url", "text/html", False),
        ("alb", "application/xml", False),
        ("alb_multi_value", "application/x-www-form-urlencoded", True),
        ("rest", "application/x-www-form-urlencoded", False),
    ],
)
def test_text_bodies_are_encoded_by_content_type(kind, content_type, encoded):
    """HTTP APIs, function URLs and load balancers encode what is not text; REST APIs only what is configured."""
    event = events.request("POST", "/", headers={"Content-Type": content_type}, body="a=1", kind=kind)
    assert event["isBase64Encoded"] is encoded
    assert event["body"] == (base64.b64encode(b"a=1").decode() if encoded else "a=1")


def test_compressed_text_is_binary():
    """A content encoding makes any body binary."""
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    assert events.http("POST", headers=headers, body="x")["isBase64Encoded"] is True


def test_bodies_get_a_content_type_that_goes_without_saying():
    """JSON for values, text for text, bytes for bytes; one that is given stays."""
    assert events.rest("POST", body={"a": 1})["headers"]["Content-Type"] == "application/json"
    assert events.rest("POST", body={"a": 1})["body"] == '{"a": 1}'
    assert events.rest("POST", body="x")["headers"]["Content-Type"] == "text/plain; charset=utf-8"
    assert events.rest("POST", body=b"x")["headers"]["Content-Type"] == "application/octet-stream"
    assert events.rest("POST", body="x", headers={"content-type": "a/b"})["headers"]["content-type"] == "a/b"


def test_a_query_may_be_in_the_path_in_text_in_names_and_in_pairs():
    """All forms give the same, and may be joined."""
    wanted = {"a": ["1", "2"], "b": ["x y"]}
    for path, query in (
        ("/?a=1&a=2&b=x+y", None),
        ("/", "a=1&a=2&b=x%20y"),
        ("/", {"a": [1, 2], "b": "x y"}),
        ("/?a=1", [("a", 2), ("b", "x y")]),
    ):
        assert events.rest("GET", path, query=query)["multiValueQueryStringParameters"] == wanted


def test_cookies_of_payload_2_have_a_place_of_their_own():
    """They are not among the headers; repeated headers and names are joined by commas."""
    event = events.http("GET", "/", query={"a": [1, 2]}, headers={"Cookie": "a=1; b=2", "X-Y": ["1", "2"]})
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-y"] == "1,2"
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["rawQueryString"] == "a=1&a=2"


def test_what_is_empty_is_null_in_payload_1_and_absent_in_payload_2():
    """Each has its own way of saying that there is nothing."""
    rest, http = events.rest(), events.http()
    assert (rest["body"], rest["queryStringParameters"], rest["pathParameters"]) == (None, None, None)
    assert not {"body", "queryStringParameters", "pathParameters", "cookies", "stageVariables"} & set(http)


@pytest.mark.parametrize("kind", ["rest", "http", "http_1"])
def test_a_route_gives_path_parameters(kind):
    """The parameters of the route are found in the path, in the encoding that the kind's paths have."""
    event = events.request("GET", "/users/a%2Fb/x/y", kind=kind, route="/users/{id}/{rest+}")
    encoded = {"id": "a%2Fb", "rest": "x/y"}
    decoded = events.request("GET", "/users/ab/x/y", kind=kind, route="/users/{id}/{rest+}")
    assert decoded["pathParameters"] == {"id": "ab", "rest": "x/y"}
    if kind == "rest":
        assert event["pathParameters"] == encoded
        assert event["resource"] == event["requestContext"]["resourcePath"] == "/users/{id}/{rest+}"
    with pytest.raises(ValueError, match=r"The path '/orders' does not fit the route '/users/\{id\}'"):
        events.request("GET", "/orders", kind=kind, route="/users/{id}")


@pytest.mark.parametrize(
    ("kind", "options", "path", "script_name"),
    [
        ("rest", {"stage": "v1"}, "/users/7", "/v1"),
        ("rest", {"domain": "api.example.com", "base_path": "shop"}, "/shop/users/7", "/shop"),
        ("http", {"stage": "v1"}, "/v1/users/7", "/v1"),
        ("http", {}, "/users/7", ""),
        ("http", {"domain": "api.example.com", "base_path": "shop"}, "/shop/users/7", "/shop"),
        ("http_1", {"stage": "v1"}, "/v1/users/7", "/v1"),
        ("http_1", {"domain": "api.example.com", "base_path": "shop"}, "/shop/users/7", "/shop"),
    ],
)
def test_stages_and_base_paths_are_where_each_kind_has_them(kind, options, path, script_name):
    """What belongs to the deployment is told apart again by the handlers."""
    event = events.request("GET", "/users/7", kind=kind, route="/users/{id}", **options)
    assert event[PATHS[kind]] == path
    request = read_request(KINDS[kind], event)
    assert (request.script_name, request.path) == (script_name, "/users/7")


@pytest.mark.parametrize("kind", events.KINDS)
def test_the_clients_address_is_the_gateways_word(kind):
    """What the client claims comes before the address that the gateway saw."""
    event = events.request("GET", "/", headers={"X-Forwarded-For": "10.0.0.1"}, kind=kind, source_ip="198.51.100.7")
    request = read_request(KINDS[kind], event)
    assert request.remote_addr == "198.51.100.7"
    assert build_wsgi_environ_from_event(event)["HTTP_X_FORWARDED_FOR"] == "10.0.0.1, 198.51.100.7"


def test_authorizers_and_stage_variables_are_passed_on():
    """They are where API Gateway puts them."""
    for kind in ("rest", "http", "http_1"):
        event = events.request("GET", "/", kind=kind, authorizer={"a": 1}, stage_variables={"v": "1"}, request_id="r")
        assert event["requestContext"]["authorizer"] == {"a": 1}
        assert event["stageVariables"] == {"v": "1"}
        assert event["requestContext"]["requestId"] == "r"
    url = events.function_url(authorizer={"iam": {}}, request_id="r")["requestContext"]
    assert (url["authorizer"], url["requestId"]) == ({"iam": {}}, "r")


def test_yokes_template_passes_decoded_json_and_path_parameters_on():
    """The body is a value, and the path is the route with its parameters beside it."""
    event = events.yoke("POST", "/users/7", body={"a": 1}, route="/users/{id}", operation="users:create")
    assert event["operation"] == "users:create"
    assert event["parameters"]["request"]["body"] == {"a": 1}
    assert event["parameters"]["request"]["path"] == {"id": "7"}
    assert event["parameters"]["gateway"]["resource-path"] == "/users/{id}"
    assert read_request(Kind.YOKE, event).path == "/users/7"


def test_authorizer_events():
    """Token, request and HTTP API authorizers are asked in their own ways."""
    assert events.token_authorizer("t", method="get", path="/users") == {
        "type": "TOKEN",
        "authorizationToken": "t",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/users",
    }
    rest = events.request_authorizer("GET", "/users", headers={"X": "1"}, stage="v1")
    assert rest["type"] == "REQUEST"
    assert rest["methodArn"].endswith("/v1/GET/users")
    assert rest["headers"]["X"] == "1"
    assert "body" not in rest
    http = events.http_authorizer("GET", "/users", headers={"Authorization": "t"})
    assert (http["version"], http["type"], http["identitySource"]) == ("2.0", "REQUEST", ["t"])
    assert http["routeArn"].endswith("/$default/GET/users")
    assert events.http_authorizer()["identitySource"] == []
    assert events.http_authorizer(identity_source=("a", "b"))["identitySource"] == ["a", "b"]


def test_the_fixture_is_the_module(fleece_events):
    """`fleece_events` needs no import."""
    assert fleece_events.request("GET", "/")["httpMethod"] == "GET"


@pytest.mark.parametrize("build", [events.request, *(getattr(events, kind) for kind in events.KINDS)])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"headers": ["a"]}, r"headers must be a dictionary or a list of pairs: \['a'\] was given"),
        ({"headers": ["ab"]}, r"headers must be a dictionary or a list of pairs: \['ab'\] was given"),
        ({"headers": "a: b"}, "headers must be a dictionary or a list of pairs: 'a: b' was given"),
        ({"headers": 5}, "headers must be a dictionary or a list of pairs: 5 was given"),
        ({"headers": {1: "b"}}, "A name in headers must be text: 1 was given"),
        ({"headers": {"a": None}}, "headers must have a text or a list of texts for each name: 'a' has None"),
        ({"headers": {"a": b"b"}}, "headers must have a text or a list of texts for each name: 'a' has b'b'"),
        ({"headers": {"a": [["b"]]}}, r"headers must have a text or a list of texts for each name: 'a' has \['b'\]"),
        ({"query": ["a"]}, r"query must be a dictionary or a list of pairs: \['a'\] was given"),
        ({"query": {"a": None}}, "query must have a text or a list of texts for each name: 'a' has None"),
        ({"source_ip": None}, "source_ip must be text: None was given"),
        ({"domain": 5}, "domain must be text: 5 was given"),
    ],
)
def test_what_no_client_could_send_is_one_line(build, wrong, said):
    """Wrong shapes of what every builder takes are named, and nothing is turned into text that is none."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        build("GET", "/", **wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"method": 5}, "method must be text: 5 was given"),
        ({"path": None}, "path must be text: None was given"),
        ({"body": {1}}, r"body must be what JSON can say: \{1\} was given \(.*\)"),
        ({"route": 5}, "route must be text: 5 was given"),
        ({"stage": 5}, "stage or base_path must be text: 5 was given"),
        ({"authorizer": "me"}, "authorizer must be a dictionary: 'me' was given"),
        ({"stage_variables": {"a": 1}}, r"stage_variables\['a'\] must be text: 1 was given"),
    ],
)
def test_what_api_gateway_could_not_say_is_one_line(wrong, said):
    """So are those of what single kinds take."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        events.request(**{"method": "GET", "path": "/", **wrong})


def test_values_may_be_anything_that_has_a_text():
    """Numbers and ids need no conversion, in a dictionary, in pairs, alone or in a list."""
    number = uuid.UUID(int=1)
    event = events.http(query={"n": 1, "id": [number, 2.5]}, headers=[("X-Id", number), ("X-Id", 7)])
    assert event["rawQueryString"] == f"n=1&id={number}&id=2.5"
    assert event["headers"]["x-id"] == f"{number},7"
