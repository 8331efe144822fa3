"""Events of the request template that the yoke tool puts in API Gateway: decoded JSON, and names with hyphens."""

from __future__ import annotations

import uuid
from typing import Any

from fleece_testing.events._payloads import API_ID, EXECUTE_API, SOURCE_IP
from fleece_testing.events._request import Event, Headers, HTTPRequest, Query, last_values, match_route

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


def yoke(
    method: str = "GET",
    path: str = "/",
    *,
    query: Query | None = None,
    headers: Headers | None = None,
    body: Any = None,
    route: str | None = None,
    stage: str = "prod",
    domain: str = EXECUTE_API,
    operation: str = "",
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
) -> Event:
    """Build the event of yoke's request template; the arguments are those of `rest`.

    Args:
        method: the HTTP method.
        path: the path, as in a URL.
        query: see `fleece_testing.events.request`; of repeated names the last value is there.
        headers: see there.
        body: anything that JSON can say: the template passes it on decoded. ``{}`` where there is none.
        route: the resource, such as ``/users/{id}``. Default: the path itself.
        stage: the stage.
        domain: the host name.
        operation: the template's name for the operation.
        source_ip: the client's address.
        request_id: default: a new one.

    Examples:
        >>> yoke("POST", "/users", body={"id": 1})["parameters"]["request"]["body"]
        {'id': 1}
    """
    sent = HTTPRequest.of(method, path, query=query, headers=headers)
    resource = route or sent.decoded_path
    received = sent.with_headers(domain=domain, source_ip=source_ip)
    request_id = request_id or str(uuid.uuid4())
    return {
        "operation": operation,
        "rawContext": {
            "apiId": API_ID,
            "httpMethod": sent.method,
            "identity": {"sourceIp": source_ip, "userAgent": sent.header("user-agent")},
            "requestId": request_id,
            "resourcePath": resource,
            "stage": stage,
        },
        "parameters": {
            "gateway": {
                "http-method": sent.method,
                "request-id": request_id,
                "resource-path": resource,
                "stage": stage,
                "stage-data": {},
            },
            "request": {
                "body": {} if body is None else body,
                "header": last_values(received),
                "path": match_route(route, sent.decoded_path) if route else {},
                "querystring": last_values(sent.query),
            },
            "requestor": {
                "account-id": "",
                "api-key": "",
                "caller": "",
                "source-ip": source_ip,
                "user": "",
                "user-agent": sent.header("user-agent"),
                "user-arn": "",
            },
        },
    }
