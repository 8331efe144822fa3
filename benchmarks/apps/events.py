"""Events as API Gateway's REST APIs send them, with the headers of a browser behind CloudFront."""

from __future__ import annotations

import json
from typing import Any

_HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9",
    "Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyIn0.",
    "CloudFront-Forwarded-Proto": "https",
    "CloudFront-Is-Desktop-Viewer": "true",
    "CloudFront-Viewer-Country": "GB",
    "Cookie": "session=0123456789abcdef; theme=dark",
    "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
    "Origin": "https://shop.example.com",
    "Referer": "https://shop.example.com/orders",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    "X-Forwarded-For": "192.0.2.1, 198.51.100.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}


def rest(method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> dict[str, Any]:
    """Return the event of a request with a query, and with `body` as JSON, if there are any.

    API Gateway passes no ``Content-Length`` on, but some adapters lose the body without it, so here it is.
    """
    text = None if body is None else json.dumps(body)
    headers = dict(_HEADERS)
    if text is not None:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(text))}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "pathParameters": {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "extendedRequestId": "E-7vCi-c-2zwCN0=",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": _HEADERS["User-Agent"]},
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": "650dac51-f365-4b93-bdf3-c6e33326e5b9",
            "requestTime": "22/Nov/2026:14:03:32 +0000",
            "requestTimeEpoch": 1795356212328,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": text,
        "isBase64Encoded": False,
    }
