"""Events of application load balancers, with single or multi-value headers.

Source: AWS's page "Lambda functions as targets" of load balancers.
"""

from __future__ import annotations

from typing import Any

from fleece_testing.events._payloads import ACCOUNT, REGION, SOURCE_IP
from fleece_testing.events._request import Event, Headers, HTTPRequest, Pairs, Query, all_values, last_values

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_DOMAIN = f"lambda-alb-1234567890.{REGION}.elb.amazonaws.com"
_TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/lambda/0123456789abcdef"


def alb(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    domain: str = _DOMAIN,
    scheme: str = "http",
    source_ip: str = SOURCE_IP,
) -> Event:
    """Build the event of a load balancer with single-value headers: of repeated names only the last value is there.

    Args:
        method: the HTTP method.
        path: the path, as in a URL; it arrives as it is.
        query: see `fleece_testing.events.request`; names and values arrive encoded.
        headers: see there.
        body: see there.
        domain: the host name.
        scheme: what the listener speaks, ``http`` or ``https``.
        source_ip: the client's address, the last entry of ``x-forwarded-for``.

    Examples:
        >>> alb("GET", "/", query="a=1&a=2")["queryStringParameters"]
        {'a': '2'}
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers, body=body)
    received = _headers(sent, domain, source_ip, scheme)
    single = {"queryStringParameters": last_values(_raw_pairs(sent)), "headers": last_values(received)}
    return _event(sent, single)


def alb_multi_value(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    domain: str = _DOMAIN,
    scheme: str = "http",
    source_ip: str = SOURCE_IP,
) -> Event:
    """Build the event of a load balancer with multi-value headers; the arguments are those of `alb`.

    Examples:
        >>> alb_multi_value("GET", "/", query="a=1&a=2")["multiValueQueryStringParameters"]
        {'a': ['1', '2']}
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers, body=body)
    received = _headers(sent, domain, source_ip, scheme)
    multiple = {
        "multiValueQueryStringParameters": all_values(_raw_pairs(sent)),
        "multiValueHeaders": all_values(received),
    }
    return _event(sent, multiple)


def _event(sent: HTTPRequest, maps: Event) -> Event:
    fields = sent.body_fields()
    return {
        "requestContext": {"elb": {"targetGroupArn": _TARGET_GROUP}},
        "httpMethod": sent.method,
        "path": sent.path,
        **maps,
        "body": fields["body"] or "",
        "isBase64Encoded": fields["isBase64Encoded"],
    }


def _headers(sent: HTTPRequest, domain: str, source_ip: str, scheme: str) -> Pairs:
    received = sent.with_headers(domain=domain, source_ip=source_ip, scheme=scheme)
    return [(name.lower(), value) for name, value in received]


def _raw_pairs(sent: HTTPRequest) -> Pairs:
    """Return the query's names and values as the client encoded them."""
    parts = (part.partition("=") for part in sent.raw_query.split("&") if part)
    return [(name, value) for name, _, value in parts]
