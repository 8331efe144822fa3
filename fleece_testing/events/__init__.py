"""Events as AWS sends them to Lambda functions, built from keyword arguments.

HTTP: `request` builds one request as the event of any kind, and each kind has a builder of its own with what only that
kind has: `rest`, `http` (payload 2.0), `http_1` (payload 1.0), `function_url`, `alb`, `alb_multi_value`, `yoke`.
Authorizers: `token_authorizer`, `request_authorizer`, `http_authorizer`, `method_arn`.
Others: `sqs`, `sns`, `s3`, `dynamodb_stream` (with `dynamodb_value`), `kinesis`, `eventbridge`, `cloudwatch_logs`,
`cognito`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import check_names
from fleece_testing.events._api_gateway import function_url, http, http_1, rest
from fleece_testing.events._authorizers import http_authorizer, method_arn, request_authorizer, token_authorizer
from fleece_testing.events._load_balancer import alb, alb_multi_value
from fleece_testing.events._records import s3, sns, sqs
from fleece_testing.events._services import cloudwatch_logs, cognito, eventbridge
from fleece_testing.events._streams import dynamodb_stream, dynamodb_value, kinesis
from fleece_testing.events._yoke import yoke

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fleece_testing.events._request import Event, Headers, Query

__all__ = [
    "KINDS",
    "alb",
    "alb_multi_value",
    "cloudwatch_logs",
    "cognito",
    "dynamodb_stream",
    "dynamodb_value",
    "eventbridge",
    "function_url",
    "http",
    "http_1",
    "http_authorizer",
    "kinesis",
    "method_arn",
    "request",
    "request_authorizer",
    "rest",
    "s3",
    "sns",
    "sqs",
    "token_authorizer",
    "yoke",
]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

KINDS = ("rest", "http", "http_1", "function_url", "alb", "alb_multi_value", "yoke")
"""The kinds of HTTP events, which are also the names of their builders."""

_BUILDERS: dict[str, Callable[..., Event]] = dict(
    zip(KINDS, (rest, http, http_1, function_url, alb, alb_multi_value, yoke), strict=True)
)


def request(
    method: str,
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    kind: str = "rest",
    **options: Any,
) -> Event:
    """Build the event that one HTTP request becomes.

    Args:
        method: the HTTP method.
        path: the path, as in a URL: escapes (``%20``) stay, what must be escaped is. It may end with a query.
        query: the query, as it stands in a URL, or names with a value or a list of values each, or pairs.
        headers: names with a value or a list of values each, or pairs.
        body: text, bytes, or anything that JSON can say; a content type is added if there is none.
        kind: one of `KINDS`.
        options: what only that kind's builder takes, such as ``stage`` and ``route``.

    Raises:
        ValueError: there is no such kind, or the path does not fit the route.
        TypeError: that kind does not take such an option.

    Examples:
        >>> request("GET", "/users/1", kind="http")["version"]
        '2.0'
        >>> all("/users/1" in str(request("GET", "/users/1", kind=kind)) for kind in KINDS)
        True
    """
    check_options(kind, options)
    return _BUILDERS[kind](method, path, query=query, headers=headers, body=body, **options)


def check_options(kind: str, options: Iterable[str]) -> None:
    """See that there is such a kind of HTTP event, and that its builder takes these options.

    Raises:
        ValueError: there is no such kind.
        TypeError: it does not take one of the options.
    """
    if kind not in _BUILDERS:
        raise ValueError(f"There is no kind {kind!r} of HTTP event; the kinds are {', '.join(KINDS)}")
    check_names(f"An event of the kind {kind!r}", _BUILDERS[kind], options)
