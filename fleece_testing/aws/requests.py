"""What a request to AWS is about, found in its bytes: service, operation, parameters, and who signed it.

Every protocol of the SDKs is understood as far as naming the operation; how far its parameters are decoded differs,
see `Request`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleece_testing.aws import _routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import werkzeug.wrappers

JSON, QUERY, REST_JSON, REST_XML = "json", "query", "rest-json", "rest-xml"

_FORM = "application/x-www-form-urlencoded"
_PAGES_OF_MOTO = "/moto-api"
_UNSIGNED_TARGETS = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AWSCognitoIdentityService": "cognito-identity",
}
_VERSION_2 = re.compile(r"AWS ([^:\s]+):")
_SCOPE = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/]*)/([^/]*)/aws4_request")


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire.

    `parameters` are what boto3 was given, with these differences: blobs are still in Base64 and times as they were
    sent; those of a query service are flat (``Tags.member.1.Key``) and all strings; those in an XML or a compressed
    body are left out.

    Examples:
        A failure that is for one parameter alone:

        >>> fleece_aws.fail("ssm", "GetParameter", when=lambda request: request.parameters["Name"] == "/users/password")
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(repr=False)
    region: str
    protocol: str
    method: str = "POST"
    access_key_id: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)


def parse(wire: werkzeug.wrappers.Request) -> Request | None:
    """Return what the request is about; ``None`` when it is no call of an AWS service (moto's own pages, a browser)."""
    scope = _scope(wire)
    target = wire.headers.get("X-Amz-Target", "")
    action = wire.args.get("Action") or _form(wire).get("Action", "")
    if scope is None and not target and not action:
        return _unsigned_of_s3(wire)
    access_key_id, region, service = scope or (None, "", _unsigned_service(target))
    if target:
        protocol, operation, parameters = JSON, target.rpartition(".")[2], _json_body(wire)
    elif action:
        flat = {**wire.args.to_dict(), **_form(wire)}
        parameters = {
            name: value
            for name, value in flat.items()
            if name not in ("Action", "Version") and not name.startswith("X-Amz-")
        }
        protocol, operation = QUERY, action
    else:
        protocol, operation, parameters = _rest(service, wire)
    return Request(
        service=service,
        operation=operation,
        parameters=parameters,
        region=region,
        protocol=protocol,
        method=wire.method,
        access_key_id=access_key_id,
        session_token=_session_token(wire),
    )


def _scope(wire: werkzeug.wrappers.Request) -> tuple[str, str, str] | None:
    """Return access key id, region and service of a signature, in the header or in the query."""
    credential = f"Credential={wire.args.get('X-Amz-Credential', '')}"
    match = _SCOPE.search(wire.headers.get("Authorization", "")) or _SCOPE.fullmatch(credential)
    if match is not None:
        return match[1], match[2], match[3]
    # Version 2 names neither region nor service; S3 alone still takes it, and boto3 makes such URLs by default.
    older = _VERSION_2.match(wire.headers.get("Authorization", ""))
    access_key_id = older[1] if older else wire.args.get("AWSAccessKeyId")
    return None if access_key_id is None else (access_key_id, "", "s3")


def _session_token(wire: werkzeug.wrappers.Request) -> str | None:
    name = "X-Amz-Security-Token"
    return wire.headers.get(name) or wire.args.get(name) or wire.args.get(name.lower())


def _unsigned_service(target: str) -> str:
    """Name the service of an unsigned request: one that has such operations, or as far as error documents need it."""
    prefix = target.partition(".")[0]
    return _UNSIGNED_TARGETS.get(prefix) or prefix.partition("_")[0].lower() or "sts"


def _unsigned_of_s3(wire: werkzeug.wrappers.Request) -> Request | None:
    """Return what an unsigned request to S3 is about: what neither has a target nor an action can only be one."""
    protocol, operation, parameters = _rest("s3", wire)
    if protocol != REST_XML or wire.path.startswith(_PAGES_OF_MOTO):
        return None
    return Request("s3", operation, parameters, "", protocol, wire.method)


def _form(wire: werkzeug.wrappers.Request) -> dict[str, str]:
    return wire.form.to_dict() if wire.mimetype == _FORM else {}


def _json_body(wire: werkzeug.wrappers.Request) -> dict[str, Any]:
    try:
        body = json.loads(wire.get_data() or b"{}")
    except ValueError:
        return {}  # the service has its own answer to that
    return body if isinstance(body, dict) else {}


def _rest(service: str, wire: werkzeug.wrappers.Request) -> tuple[str, str, dict[str, Any]]:
    path = wire.environ.get("RAW_URI", wire.path).partition("?")[0]
    headers = {name.lower(): value for name, value in wire.headers}
    route = _routes.find(service, wire.method, path, wire.args, headers)
    if route is None:
        return REST_JSON, f"{wire.method} {path}", {}
    body = _json_body(wire) if route.protocol == REST_JSON else {}
    return route.protocol, route.operation, {**route.parameters, **body}
