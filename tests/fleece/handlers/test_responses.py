"""From responses to what the sender of the event wants back."""

import base64
import json
import sys

import pytest
from hypothesis import given, settings, strategies as st

from fleece.handlers._events import Kind
from fleece.handlers._http import Response
from fleece.handlers._responses import is_too_large, proxy_response
from fleece_testing import events
from fleece_testing._api_response import read_answer

# Which event of the builders makes which kind.
KINDS = {
    "rest": Kind.REST,
    "http_1": Kind.HTTP_1,
    "http": Kind.HTTP_2,
    "function_url": Kind.FUNCTION_URL,
    "alb": Kind.ALB,
    "alb_multi_value": Kind.ALB_MULTI_VALUE,
}
TWO_COOKIES = [
    ("Content-Type", "text/plain"),
    ("Set-Cookie", "a=1"),
    ("Vary", "A"),
    ("vary", "B"),
    ("Set-Cookie", "b=2"),
]


class TestHeaders:
    """Each kind's own way with repeated headers and cookies."""

    @pytest.mark.parametrize("kind", [Kind.REST, Kind.HTTP_1, Kind.ALB_MULTI_VALUE])
    def test_multi_value_kinds_get_lists(self, kind):
        """Where there are multi-value headers, every value stays on its own."""
        answer = proxy_response(kind, Response(200, TWO_COOKIES))
        assert answer["multiValueHeaders"] == {
            "Content-Type": ["text/plain"],
            "Set-Cookie": ["a=1", "b=2"],
            "Vary": ["A", "B"],
        }
        assert "headers" not in answer

    @pytest.mark.parametrize("kind", [Kind.HTTP_2, Kind.FUNCTION_URL])
    def test_payload_2_has_its_cookies_apart(self, kind):
        """Payload 2.0 takes cookies beside the headers, and the values of other headers joined."""
        answer = proxy_response(kind, Response(200, TWO_COOKIES))
        assert answer["headers"] == {"Content-Type": "text/plain", "Vary": "A, B"}
        assert answer["cookies"] == ["a=1", "b=2"]

    def test_payload_2_without_cookies_says_nothing_of_them(self):
        """No cookie, no ``cookies``."""
        assert "cookies" not in proxy_response(Kind.HTTP_2, Response(200, []))

    def test_a_balancer_without_multi_value_headers_sets_all_cookies(self):
        """Each cookie gets a spelling of the name of its own, because the balancer keeps one value for each."""
        cookies = [("Set-Cookie", f"c{number}=1") for number in range(20)]
        headers = proxy_response(Kind.ALB, Response(200, cookies))["headers"]
        assert {name.lower() for name in headers} == {"set-cookie"}
        assert list(headers.values()) == [value for _, value in cookies]

    @pytest.mark.parametrize(("status", "description"), [(200, "200 OK"), (404, "404 Not Found"), (299, "299")])
    def test_balancers_get_a_description(self, status, description):
        """Load balancers want the whole status line; other kinds do not."""
        assert proxy_response(Kind.ALB, Response(status, []))["statusDescription"] == description
        assert proxy_response(Kind.ALB_MULTI_VALUE, Response(status, []))["statusDescription"] == description
        assert "statusDescription" not in proxy_response(Kind.REST, Response(status, []))

    def test_bytes_in_headers_become_text(self):
        """A header's bytes are read as UTF-8, and as latin-1 where they are none; what is no byte is a ``?``."""
        utf_8 = "é中".encode().decode("latin-1")
        headers = [("X-A", utf_8), ("X-B", "\xe9"), ("X-C", "中"), ("Set-Cookie", utf_8)]
        answer = proxy_response(Kind.HTTP_2, Response(200, headers))
        assert answer["headers"] == {"X-A": "é中", "X-B": "é", "X-C": "?"}
        assert answer["cookies"] == ["é中"]


class TestBodies:
    """Text or base64."""

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/html; charset=utf-8",
            "text/plain",
            'application/json; charset="UTF-8"',
            "application/problem+json",
            "application/vnd.api+json",
            "image/svg+xml",
            "application/xml",
            "application/javascript",
            "application/x-www-form-urlencoded",
            "Application/JSON",
        ],
    )
    def test_text_goes_out_as_text(self, content_type):
        """Bodies of text types are text, so that no gateway needs to be told of binary types."""
        answer = proxy_response(Kind.REST, Response(200, [("content-type", content_type)], "é".encode()))
        assert (answer["body"], answer["isBase64Encoded"]) == ("é", False)

    @pytest.mark.parametrize(
        "headers",
        [
            [("Content-Type", "image/png")],
            [("Content-Type", "application/octet-stream")],
            [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")],
            [("Content-Type", "text/plain; charset=iso-8859-1")],
            [("Content-Type", "application/jsonp")],
            [],
        ],
    )
    def test_anything_else_goes_out_as_base64(self, headers):
        """Other types, compressed text, and text that is not UTF-8 keep their bytes."""
        answer = proxy_response(Kind.REST, Response(200, headers, "é".encode()))
        assert (base64.b64decode(answer["body"]), answer["isBase64Encoded"]) == ("é".encode(), True)

    def test_what_is_only_called_text_goes_out_as_base64(self):
        """A text type whose bytes are no UTF-8 keeps its bytes."""
        answer = proxy_response(Kind.REST, Response(200, [("Content-Type", "text/plain")], b"\xff"))
        assert (answer["body"], answer["isBase64Encoded"]) == ("/w==", True)

    @pytest.mark.parametrize(("status", "method"), [(204, "GET"), (304, "GET"), (200, "HEAD")])
    def test_some_answers_have_no_body(self, status, method):
        """204, 304 and answers to HEAD have none, whatever the application gave."""
        answer = proxy_response(Kind.REST, Response(status, [("Content-Type", "text/plain")], b"x"), method)
        assert (answer["body"], answer["isBase64Encoded"]) == ("", False)


class TestSize:
    """What Lambda and load balancers take."""

    @pytest.mark.parametrize(
        ("kind", "limit"), [(Kind.REST, 6), (Kind.HTTP_2, 6), (Kind.ALB, 1), (Kind.ALB_MULTI_VALUE, 1)]
    )
    def test_the_limit_is_of_the_encoded_answer(self, kind, limit):
        """The answer may have exactly so many bytes as JSON, and not one more."""
        headers = [("Content-Type", "text/plain")]
        envelope = len(json.dumps(proxy_response(kind, Response(200, headers))))
        for extra, expected in ((0, False), (1, True)):
            response = Response(200, headers, b"x" * (limit * 1024 * 1024 - envelope + extra))
            assert is_too_large(kind, response, proxy_response(kind, response)) is expected

    def test_escapes_count_as_the_runtime_writes_them(self, monkeypatch):
        """AWS's runtime client writes UTF-8 in its images from Python 3.12 on, and ASCII escapes elsewhere."""
        response = Response(200, [("Content-Type", "text/plain")], "é".encode() * (2 * 1024 * 1024))
        answer = proxy_response(Kind.REST, response)
        monkeypatch.delenv("AWS_EXECUTION_ENV", raising=False)
        assert is_too_large(Kind.REST, response, answer)
        monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python{}.{}".format(*sys.version_info))
        assert is_too_large(Kind.REST, response, answer) is (sys.version_info < (3, 12))

    def test_a_body_may_grow_sixfold(self):
        """A control character is one byte, and six in JSON: of these, a sixth of the limit is too many."""
        response = Response(200, [("Content-Type", "text/plain")], b"\0" * (1024 * 1024 + 1))
        assert is_too_large(Kind.REST, response, proxy_response(Kind.REST, response))

    def test_headers_count(self):
        """It is the whole answer that is limited."""
        response = Response(200, [("X-Long", "x" * (1024 * 1024))])
        assert is_too_large(Kind.ALB, response, proxy_response(Kind.ALB, response))


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    status=st.sampled_from([200, 201, 302, 404, 500]),
    cookies=st.lists(st.from_regex(r"[a-z]{1,5}=[a-z0-9]{0,5}", fullmatch=True), max_size=5),
    value=st.text(
        st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc"], exclude_characters=","), min_size=1, max_size=9
    ),
    content_type=st.sampled_from(["text/plain", "application/json", "image/png", "text/plain; charset=utf-16"]),
    body=st.binary(max_size=50),
)
def test_no_kind_of_answer_loses_anything(kind, status, cookies, value, content_type, body):
    """What the service behind each kind makes of the answer is what the application answered."""
    headers = [("Content-Type", content_type), ("X-Value", value.encode().decode("latin-1"))]
    headers += [("Set-Cookie", cookie) for cookie in cookies]
    answer = proxy_response(KINDS[kind], Response(status, headers, body))
    received = read_answer(kind, events.request("GET", "/", kind=kind), json.loads(json.dumps(answer)))
    assert (received.status, received.content) == (status, body)
    assert received.headers.getlist("Set-Cookie") == cookies
    assert received.headers["X-Value"] == value
