"""The two payloads of API Gateway, whatever sends them.

Sources: AWS's pages "Set up Lambda proxy integrations in API Gateway", "Create AWS Lambda proxy integrations for HTTP
APIs" and "Invoking Lambda function URLs".
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_mapping, checked_texts
from fleece_testing.events._request import Event, HTTPRequest, all_values, joined_values, last_values, match_route

if TYPE_CHECKING:
    from collections.abc import Mapping

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

API_ID = "a1b2c3d4e5"
ACCOUNT = "123456789012"
REGION = "us-east-1"
SOURCE_IP = "192.0.2.1"  # of the addresses that RFC 5737 keeps for documentation
EXECUTE_API = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
FUNCTION_URL = f"a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6.lambda-url.{REGION}.on.aws"

_NO_IDENTITY = (
    "accessKey",
    "accountId",
    "apiKey",
    "apiKeyId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def payload_1(
    sent: HTTPRequest,
    *,
    path: str,
    parameters_from: str,
    route: str | None,
    domain: str,
    source_ip: str,
    stage_variables: Mapping[str, str] | None,
    is_http_api: bool,
    context: Event,
) -> Event:
    """Build an event of payload 1.0, which REST APIs and HTTP APIs send; `context` is what differs between them."""
    # REST APIs keep the Content-Length for themselves, HTTP APIs write names in lower case.
    received = sent.with_headers(domain=domain, source_ip=source_ip, length=is_http_api)
    if is_http_api:
        received = [(name.lower(), value) for name, value in received]
    resource = route or ("/" if parameters_from == "/" else "/{proxy+}")
    now = time.time()
    return {
        "resource": resource,
        "path": path,
        "httpMethod": sent.method,
        "headers": last_values(received),
        "multiValueHeaders": all_values(received),
        "queryStringParameters": last_values(sent.query) or None,
        "multiValueQueryStringParameters": all_values(sent.query) or None,
        "pathParameters": match_route(resource, parameters_from) or None,
        "stageVariables": checked_texts("stage_variables", stage_variables) or None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "extendedRequestId": short_id(),
            "identity": {
                **dict.fromkeys(_NO_IDENTITY),
                "sourceIp": source_ip,
                "userAgent": sent.header("user-agent") or None,
            },
            "protocol": "HTTP/1.1",
            "requestTime": _common_log_time(now),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": "123456",
            "resourcePath": resource,
            **context,
        },
        # REST APIs encode what their binary media types name: here whatever was given in bytes.
        **sent.body_fields(binary=None if is_http_api else not sent.is_text),
    }


def payload_2(
    sent: HTTPRequest,
    *,
    path: str,
    route_key: str,
    domain: str,
    stage: str,
    source_ip: str,
    request_id: str,
    authorizer: Mapping[str, Any] | None,
) -> Event:
    """Build an event of payload 2.0, which HTTP APIs and function URLs send."""
    received = [
        (name.lower(), value)
        for name, value in sent.with_headers(domain=domain, source_ip=source_ip)
        if name.lower() != "cookie"
    ]
    cookies = [
        cookie.strip() for name, value in sent.headers if name.lower() == "cookie" for cookie in value.split(";")
    ]
    now = time.time()
    context: Event = {
        "accountId": ACCOUNT,
        "apiId": domain.partition(".")[0],
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": sent.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": sent.header("user-agent"),
        },
        "requestId": request_id,
        "routeKey": route_key,
        "stage": stage,
        "time": _common_log_time(now),
        "timeEpoch": int(now * 1000),
    }
    if authorizer is not None:
        context["authorizer"] = checked_mapping("authorizer", authorizer)
    event: Event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": sent.raw_query,
        "headers": joined_values(received),
        "requestContext": context,
        **sent.body_fields(),
    }
    # Unlike in payload 1.0, what is empty is absent.
    if event["body"] is None:
        del event["body"]
    if cookies:
        event["cookies"] = cookies
    if sent.query:
        event["queryStringParameters"] = joined_values(sent.query)
    return event


def _common_log_time(seconds: float) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))


def short_id() -> str:
    """Return a request id in the form of HTTP APIs."""
    return f"{secrets.token_urlsafe(11)[:15]}="
