"""The conformance table: HTTP requests and the answers to them, each described once.

A `Case` says what the client sends, what the application must see of it, and what the application answers, which is
what the client must get. None of it was computed by fleece. What a service in front of Lambda loses by itself (a load
balancer that keeps one value of each name, yoke's template that passes JSON on) is in `differs`, by the kind of event.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Pairs = tuple[tuple[str, str], ...]

PROXY_KINDS = ("rest", "http", "http_1", "function_url", "alb", "alb_multi_value")
KINDS = (*PROXY_KINDS, "yoke")  # whose template passes on JSON, and nothing else
API_GATEWAY = ("rest", "http", "http_1")
TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True)
class Case:
    """One request, what becomes of it, and the answer.

    Attributes:
        name: what the case is about.
        method: what the client sends, with the three next.
        target: path and query as they stand in the URL.
        headers: with the body's type.
        body: text, or bytes that are no text.
        path: what the application sees: without the part of the deployment, decoded once.
        query: names and values, decoded, in order.
        root: the part of the path that is the deployment's, by kind; those that are not named are not compared.
        status: what the application answers, with the two next.
        answer_headers: in order.
        answer: the body.
        differs: by kind, what the application sees instead: of ``path``, ``query``, ``headers`` or ``body``.
        kinds: the kinds of event that can carry the request.
        options: by kind, what `fleece_testing.events` needs to know of the deployment.
    """

    name: str
    method: str = "GET"
    target: str = "/users"
    headers: Pairs = ()
    body: str | bytes = ""
    path: str = "/users"
    query: Pairs = ()
    root: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    answer_headers: Pairs = TEXT
    answer: bytes = b"fine"
    differs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kinds: tuple[str, ...] = KINDS
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def sent(self) -> bytes:
        """The body in bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body


def _last(**what: Any) -> dict[str, dict[str, Any]]:
    """Say what is left where only the last value of each name arrives."""
    return {"alb": what, "yoke": what}


PATHS = [
    Case("the root", target="/", path="/"),
    Case("a path", target="/users/7", path="/users/7"),
    Case("a trailing slash", target="/users/", path="/users/"),
    Case("slashes at the beginning", target="//a/b", path="//a/b"),
    Case("slashes in the middle", target="/a//b", path="/a//b"),
    Case("an encoded space", target="/a%20b", path="/a b"),
    Case("a plus is no space in a path", target="/a+b", path="/a+b"),
    Case("an encoded plus", target="/a%2Bb", path="/a+b"),
    Case("UTF-8 in the path", target="/%C3%BCber/%E4%B8%AD%F0%9F%98%80", path="/über/中😀"),
    Case("an encoded slash", target="/a%2Fb", path="/a/b"),
    Case("an encoded percent sign", target="/100%25", path="/100%"),
    Case("what looks encoded once decoded", target="/a%2520b%252Fc", path="/a%20b%2Fc"),
    Case(
        "an encoded question mark",
        target="/a%3Fb=c",
        path="/a?b=c",
        kinds=("rest", "function_url", "alb", "alb_multi_value", "yoke"),  # HTTP APIs cut their decoded path there
    ),
    Case("an encoded hash", target="/a%23b", path="/a#b"),
    Case("what a path may hold unencoded", target="/a;v=1,2/@b:c!$&'()*~-._", path="/a;v=1,2/@b:c!$&'()*~-._"),
    Case("dots", target="/.well-known/a..b/c.json", path="/.well-known/a..b/c.json"),
    Case("a stage's name that is part of the path", target="/prod/users", path="/prod/users"),
]

QUERIES = [
    Case("one parameter", target="/users?a=1", query=(("a", "1"),)),
    Case("two parameters in order", target="/users?b=1&a=2", query=(("b", "1"), ("a", "2"))),
    Case(
        "a repeated parameter",
        target="/users?a=1&a=2&a=1",
        query=(("a", "1"), ("a", "2"), ("a", "1")),
        differs=_last(query=(("a", "1"),)),
    ),
    Case("an empty value", target="/users?a=&b=1", query=(("a", ""), ("b", "1"))),
    Case("a name without a value", target="/users?a", query=(("a", ""),)),
    Case("encoded separators", target="/users?q=a%26b%3Dc%23d%3Fe", query=(("q", "a&b=c#d?e"),)),
    Case("an encoded space and plus", target="/users?q=a%20b%2Bc", query=(("q", "a b+c"),)),
    Case("a plus is a space in a query", target="/users?q=a+b", query=(("q", "a b"),)),
    Case("what looks encoded once decoded", target="/users?q=%2520%252B", query=(("q", "%20%2B"),)),
    Case("a percent sign", target="/users?q=100%25", query=(("q", "100%"),)),
    Case("UTF-8 in name and value", target="/users?n%C3%A4me=%E4%B8%AD", query=(("näme", "中"),)),
    Case("brackets", target="/users?filter%5Bname%5D=a", query=(("filter[name]", "a"),)),
    Case("a comma is not a second value", target="/users?ids=1,2", query=(("ids", "1,2"),)),
    Case("a semicolon is no separator", target="/users?a=1;b=2", query=(("a", "1;b=2"),)),
    Case("a URL as a value", target="/users?u=http://a/b?c=d", query=(("u", "http://a/b?c=d"),)),
    Case("a long query", target=f"/users?q={'x' * 4000}", query=(("q", "x" * 4000),)),
]

HEADERS = [
    Case("a header", headers=(("X-Custom-Header", "Value"),)),
    Case(
        "a repeated header",
        headers=(("X-Many", "1"), ("X-Many", "2")),
        differs=_last(headers=(("X-Many", "2"),)),
    ),
    Case("a list in a header", headers=(("Accept", "text/html, application/json;q=0.9, */*;q=0.1"),)),
    Case("an empty header", headers=(("X-Empty", ""),)),
    Case("a long header", headers=(("X-Long", "x" * 8000),)),
    Case("many headers", headers=tuple((f"X-Header-{number}", str(number)) for number in range(60))),
    Case("credentials", headers=(("Authorization", "Basic dXNlcjpwYXNzOndvcmQ="),)),
    Case("a cookie", headers=(("Cookie", "session=abc"),)),
    Case("several cookies", headers=(("Cookie", 'a=1; b="2, 3"; c=x=y'),)),
    Case(
        "an address that the client claims",
        headers=(("X-Forwarded-For", "203.0.113.9"), ("X-Real-Ip", "203.0.113.9")),
    ),
]

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
MULTIPART = (("Content-Type", "multipart/form-data; boundary=b"),)
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\n\xff\x00\xfe\r\n--b--\r\n'

BODIES = [
    Case("JSON", method="POST", headers=JSON, body='{"a": [1, null, "b"]}'),
    Case(
        "JSON in UTF-8",
        method="POST",
        headers=(("Content-Type", "application/json; charset=utf-8"),),
        body='{"name": "ü中"}',
        differs={"yoke": {"body": b'{"name": "\\u00fc\\u4e2d"}'}},
    ),
    Case("a +json type", method="POST", headers=(("Content-Type", "application/vnd.api+json"),), body='{"a": 1}'),
    Case("text", method="POST", headers=TEXT, body="line\r\nline ü\n", kinds=PROXY_KINDS),
    Case(
        "a form",
        method="POST",
        target="/form",
        path="/form",
        headers=FORM,
        body="a=1&a=2&b=%C3%BC+x",
        kinds=PROXY_KINDS,
    ),
    Case("XML", method="POST", headers=(("Content-Type", "application/xml"),), body="<a>ü</a>", kinds=PROXY_KINDS),
    Case(
        "every byte",
        method="POST",
        headers=(("Content-Type", "application/octet-stream"),),
        body=bytes(range(256)),
        kinds=PROXY_KINDS,
    ),
    Case("a file", method="POST", target="/file", path="/file", headers=MULTIPART, body=FILE, kinds=PROXY_KINDS),
    Case(
        "a compressed body",
        method="POST",
        headers=(("Content-Type", "text/csv"), ("Content-Encoding", "gzip")),
        body=gzip.compress(b"a,b", mtime=0),
        kinds=PROXY_KINDS,
    ),
    Case("a large body", method="PUT", headers=TEXT, body="ü" * 100_000, kinds=PROXY_KINDS),
    Case("POST without a body", method="POST", kinds=PROXY_KINDS),  # which says {} then
    Case("DELETE with a body", method="DELETE", headers=JSON, body='{"a": 1}'),
]

METHODS = [
    *(Case(f"the method {method}", method=method) for method in ("DELETE", "OPTIONS")),
    *(Case(f"the method {method}", method=method, kinds=PROXY_KINDS) for method in ("PUT", "PATCH", "TRACE")),
    Case("an unknown method", method="PROPFIND", kinds=PROXY_KINDS),
    Case("an unknown method with a hyphen", method="M-SEARCH", kinds=PROXY_KINDS),
    Case("HEAD", method="HEAD", answer_headers=(*TEXT, ("Content-Length", "1234")), answer=b""),
]

COOKIES = (("Set-Cookie", "a=1; Path=/; Expires=Wed, 21 Oct 2065 07:28:00 GMT"), ("Set-Cookie", "b=2; HttpOnly"))
IMAGE = b"\x89PNG\r\n\x1a\n\x00\xff"

ANSWERS = [
    Case(
        "201 with a location",
        method="PUT",
        body="x",
        headers=TEXT,
        kinds=PROXY_KINDS,
        status=201,
        answer_headers=(*TEXT, ("Location", "/users/%C3%BC?a=1")),
    ),
    Case("204", method="DELETE", status=204, answer_headers=(("X-Gone", "yes"),), answer=b""),
    Case("304", status=304, answer_headers=(("ETag", '"abc"'), ("Cache-Control", "max-age=0")), answer=b""),
    Case("302", status=302, answer_headers=(*TEXT, ("Location", "https://example.com/")), answer=b""),
    Case(
        "problem+json",
        status=404,
        answer_headers=(("Content-Type", "application/problem+json"),),
        answer='{"title": "Not Found", "detail": "kein Gerät"}'.encode(),
    ),
    Case("an error of the application", status=503, answer_headers=(*TEXT, ("Retry-After", "30")), answer=b"later"),
    Case("one cookie", answer_headers=(*TEXT, COOKIES[0])),
    Case("two cookies", answer_headers=(*TEXT, *COOKIES)),
    Case("a repeated header of the answer", answer_headers=(*TEXT, ("Vary", "Accept"), ("Vary", "Cookie"))),
    Case("text in UTF-8", answer="ü中😀".encode()),
    Case(
        "text in another charset",
        answer_headers=(("Content-Type", "text/plain; charset=iso-8859-1"),),
        answer="ü".encode("latin-1"),
    ),
    Case("an image", answer_headers=(("Content-Type", "image/png"),), answer=IMAGE),
    Case("a drawing", answer_headers=(("Content-Type", "image/svg+xml"),), answer=b"<svg/>"),
    Case(
        "a compressed answer",
        answer_headers=(("Content-Type", "application/json"), ("Content-Encoding", "gzip")),
        answer=gzip.compress(b'{"a": 1}', mtime=0),
    ),
    Case("JSON of a vendor", answer_headers=(("Content-Type", "application/vnd.api+json"),), answer=b'{"a": 1}'),
    Case("an empty answer", answer=b""),
]


def _everywhere(**options: str) -> dict[str, dict[str, str]]:
    """Give the same options to each kind of API Gateway's."""
    return dict.fromkeys(API_GATEWAY, options)


_SHOP = {"domain": "api.example.com", "base_path": "shop", "route": "/users/{id}"}

DEPLOYMENTS = [
    Case(
        "a stage of API Gateway's own host name",
        target="/users/7",
        path="/users/7",
        root=dict.fromkeys(API_GATEWAY, "/prod"),
        kinds=API_GATEWAY,
        options=_everywhere(stage="prod"),
    ),
    Case(
        "a stage that the path repeats",
        target="/prod/users",
        path="/prod/users",
        root=dict.fromkeys(API_GATEWAY, "/prod"),
        kinds=API_GATEWAY,
        options=_everywhere(stage="prod"),
    ),
    Case(
        "the stage alone",
        target="/",
        path="/",
        root=dict.fromkeys(API_GATEWAY, "/prod"),
        kinds=API_GATEWAY,
        options=_everywhere(stage="prod"),
    ),
    Case(
        "the default stage",
        target="/users/7",
        path="/users/7",
        root={"http": "", "http_1": ""},
        kinds=("http", "http_1"),
    ),
    Case(
        "a base path of a custom domain",
        target="/users/7",
        path="/users/7",
        root={"rest": "/shop", "http_1": "/shop"},
        kinds=("rest", "http_1"),
        options={"rest": _SHOP, "http_1": _SHOP},
    ),
    Case(
        "a base path before an encoded parameter",
        target="/users/a%20%C3%BC",
        path="/users/a ü",
        root={"rest": "/shop", "http_1": "/shop"},
        kinds=("rest", "http_1"),
        options={"rest": _SHOP, "http_1": _SHOP},
    ),
    Case(
        "a custom domain without a base path",
        target="/users/7",
        path="/users/7",
        root=dict.fromkeys(API_GATEWAY, ""),
        kinds=API_GATEWAY,
        options=_everywhere(domain="api.example.com", route="/{proxy+}"),
    ),
    Case(
        "a greedy route of a custom domain",
        target="/v2/users/7",
        path="/v2/users/7",
        root=dict.fromkeys(API_GATEWAY, ""),
        kinds=API_GATEWAY,
        options=_everywhere(domain="api.example.com", route="/v2/{rest+}"),
    ),
]

CASES = [*PATHS, *QUERIES, *HEADERS, *BODIES, *METHODS, *ANSWERS, *DEPLOYMENTS]
