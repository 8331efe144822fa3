"""Whether a request was signed with the secret key that belongs to its access key, by botocore's own arithmetic."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

import botocore.auth
import botocore.awsrequest
import botocore.credentials

if TYPE_CHECKING:
    import werkzeug.wrappers

    from fleece_testing.aws.requests import Request

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 .*SignedHeaders=([^,\s]+).*Signature=([0-9a-f]{64})")


def verify(wire: werkzeug.wrappers.Request, request: Request, secret_access_key: str) -> bool:
    """Whether the signature in the headers is that of the secret key; signed URLs are not checked."""
    match = _SIGNED.match(wire.headers.get("Authorization", ""))
    if match is None:
        return "Authorization" not in wire.headers
    signed = botocore.awsrequest.AWSRequest(
        method=wire.method,
        url=f"http://{wire.host}{wire.environ.get('RAW_URI', wire.full_path)}",
        headers={name: wire.headers.get(name, "") for name in match[1].split(";")},
        data=wire.get_data(),
    )
    signed.context["timestamp"] = wire.headers.get("X-Amz-Date", "")
    credentials = botocore.credentials.Credentials(
        request.access_key_id or "", secret_access_key, request.session_token
    )
    # S3 alone does not normalise the path.
    kind = botocore.auth.S3SigV4Auth if request.service == "s3" else botocore.auth.SigV4Auth
    auth = kind(credentials, request.service, request.region)
    expected = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    return hmac.compare_digest(expected, match[2])
