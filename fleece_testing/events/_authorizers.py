"""Events of API Gateway's custom (Lambda) authorizers.

Sources: AWS's pages "Input to an API Gateway Lambda authorizer" and "Control access to HTTP APIs with AWS Lambda
authorizers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_list, checked_text
from fleece_testing.events._api_gateway import http, rest
from fleece_testing.events._payloads import ACCOUNT, API_ID, REGION

if TYPE_CHECKING:
    from fleece_testing.events._request import Event

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


def token_authorizer(token: str, *, method: str = "GET", path: str = "/", stage: str = "prod") -> Event:
    """Build the event of a REST API's token authorizer: the token and the ARN of the method.

    Examples:
        >>> token_authorizer("secret", path="/users")["authorizationToken"]
        'secret'
    """
    arn = method_arn(method, path, stage=stage)
    return {"type": "TOKEN", "authorizationToken": checked_text("token", token), "methodArn": arn}


def request_authorizer(method: str = "GET", path: str = "/", *, stage: str = "prod", **options: Any) -> Event:
    """Build the event of a REST API's request authorizer; the options are those of `rest`.

    Examples:
        >>> request_authorizer("GET", "/users")["type"]
        'REQUEST'
    """
    event = rest(method, path, stage=stage, **options)
    for absent in ("body", "isBase64Encoded"):
        del event[absent]
    return {"type": "REQUEST", "methodArn": method_arn(method, event["path"], stage=stage), **event}


def http_authorizer(
    method: str = "GET",
    path: str = "/",
    *,
    identity_source: tuple[str, ...] | None = None,
    stage: str = "$default",
    **options: Any,
) -> Event:
    """Build the event of an HTTP API's authorizer with payload 2.0.

    Args:
        method: the HTTP method.
        path: the path.
        identity_source: the values that identify the caller. Default: the Authorization header, if it is there.
        stage: the stage.
        options: those of `http`.

    Examples:
        >>> http_authorizer("GET", "/users", headers={"Authorization": "me"})["identitySource"]
        ['me']
    """
    event = http(method, path, stage=stage, **options)
    event.pop("body", None)
    del event["isBase64Encoded"]
    authorization = event["headers"].get("authorization")
    if identity_source is None:
        identity_source = () if authorization is None else (authorization,)
    return {
        **event,
        "type": "REQUEST",
        "routeArn": method_arn(method, event["requestContext"]["http"]["path"], stage=stage),
        "identitySource": checked_list("identity_source", identity_source),
    }


def method_arn(method: str, path: str, *, stage: str = "prod") -> str:
    """Return the ARN of a method of the API that the builders of this package are about.

    Examples:
        >>> method_arn("GET", "/users")
        'arn:aws:execute-api:...'
    """
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/{stage}/{method.upper()}/{path.lstrip('/')}"
