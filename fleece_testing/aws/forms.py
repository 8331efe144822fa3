"""Files that are sent to S3 in a form, as a browser does: within what the form's policy allows, which is signed.

Source: "Browser-Based Uploads Using POST" in the S3 API reference.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from fleece_testing.aws.errors import AWSError
from fleece_testing.aws.requests import REST_XML, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    import werkzeug.wrappers

OPERATION = "PostObject"
"""S3's name for it; botocore knows of no such operation."""

_CREDENTIAL = re.compile(r"([^/\s]+)/(\d{8})/([^/]*)/s3/aws4_request")
_NOT_IN_POLICY = frozenset({"awsaccesskeyid", "bucket", "file", "policy", "signature", "x-amz-signature"})
_FORBIDDEN = 403


def parse(wire: werkzeug.wrappers.Request) -> Request | None:
    """Return what a form is about: the bucket, the key and whose credentials it names; None for what is no form."""
    if wire.method != "POST" or wire.mimetype != "multipart/form-data" or "Authorization" in wire.headers:
        return None
    fields = _fields(wire)
    credential = _CREDENTIAL.fullmatch(fields.get("x-amz-credential", ""))
    return Request(
        service="s3",
        operation=OPERATION,
        parameters={"Bucket": fields["bucket"], "Key": fields.get("key", "")},
        region=credential[3] if credential else "",
        protocol=REST_XML,
        access_key_id=credential[1] if credential else fields.get("awsaccesskeyid"),
        session_token=fields.get("x-amz-security-token"),
    )


def check(wire: werkzeug.wrappers.Request, secret_access_key: str, now: datetime) -> AWSError | None:
    """Check that the form's policy is signed with the secret key, has not ended, and allows what the form has."""
    fields = _fields(wire)
    given = fields.get("x-amz-signature") or fields.get("signature", "")
    if not hmac.compare_digest(_signature(fields, secret_access_key).encode(), given.encode()):
        return AWSError("SignatureDoesNotMatch", "The signature is not that of the form's policy.", _FORBIDDEN)
    try:
        policy = json.loads(base64.b64decode(fields["policy"], validate=True))
        # AWS's times end with a Z, which Python 3.10 does not read.
        ends = datetime.fromisoformat(policy["expiration"].removesuffix("Z") + "+00:00")
        conditions = [_condition(one) for one in policy["conditions"]]
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        return AWSError("InvalidPolicyDocument", f"The content of the form's policy is not valid: {error!r}")
    if ends <= now:
        return _against_policy("Policy expired.")
    size = sum(len(file.read()) for file in wire.files.values())
    return _check_conditions(conditions, fields, size)


def _check_conditions(conditions: list[tuple[str, Any, Any]], fields: Mapping[str, str], size: int) -> AWSError | None:
    for operator, subject, wanted in conditions:
        if operator == "content-length-range":
            if size < int(subject):
                return AWSError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
            if size > int(wanted):
                return AWSError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            continue
        found = fields.get(subject, "")
        if not (found.startswith(wanted) if operator == "starts-with" else found == wanted):
            return _against_policy(f'Policy Condition failed: ["{operator}", "${subject}", "{wanted}"]')
    allowed = {subject for _, subject, _ in conditions} | _NOT_IN_POLICY
    extra = [name for name in fields if name not in allowed and not name.startswith("x-ignore-")]
    return _against_policy(f"Extra input fields: {', '.join(extra)}") if extra else None


def _condition(given: Any) -> tuple[str, Any, Any]:
    """Return a condition as operator, field (in lower case) and value, or with the two limits of the size."""
    if isinstance(given, dict):
        ((name, value),) = given.items()
        return "eq", name.lower(), str(value)
    operator, subject, value = given
    if operator == "content-length-range":
        return operator, int(subject), int(value)
    if operator not in ("eq", "starts-with"):
        raise ValueError(f"there is no operator {operator!r}")
    return operator, subject.removeprefix("$").lower(), str(value)


def _against_policy(message: str) -> AWSError:
    return AWSError("AccessDenied", f"Invalid according to Policy: {message}", _FORBIDDEN)


def _fields(wire: werkzeug.wrappers.Request) -> dict[str, str]:
    """Return the form's fields by their names in lower case, with the bucket, which is in the path."""
    fields = {name.lower(): value for name, value in wire.form.items()}
    names = [file.filename or "" for file in wire.files.values()]
    key = fields.get("key", "").replace("${filename}", names[0] if names else "")
    return {**fields, "bucket": wire.path.strip("/"), **({"key": key} if "key" in fields else {})}


def _signature(fields: Mapping[str, str], secret_access_key: str) -> str:
    policy = fields.get("policy", "")
    credential = _CREDENTIAL.fullmatch(fields.get("x-amz-credential", ""))
    if credential is None:  # version 2, which boto3 makes by default
        digest = hmac.new(secret_access_key.encode(), policy.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()
    credentials = botocore.credentials.Credentials(credential[1], secret_access_key)
    signed = botocore.awsrequest.AWSRequest()
    signed.context["timestamp"] = f"{credential[2]}T000000Z"
    auth = botocore.auth.S3SigV4PostAuth(credentials, "s3", credential[3])
    signature: str = auth.signature(policy, signed)
    return signature
