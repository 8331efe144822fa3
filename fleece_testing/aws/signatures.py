"""Whether a request was signed with the secret key that belongs to its access key, by botocore's own arithmetic.

A signature is in the headers, or in the query, which makes a URL that can be handed on; S3 still takes version 2 of
both, and boto3 makes such URLs by default.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.compat
import botocore.credentials

if TYPE_CHECKING:
    import werkzeug.wrappers

    from fleece_testing.aws.requests import Request

LONGEST_URL = 7 * 24 * 60 * 60
"""The most seconds that a URL of version 4 may be good for."""

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 .*SignedHeaders=([^,\s]+).*Signature=([0-9a-f]{64})")
_OF_VERSION_2 = re.compile(r"AWS [^:\s]+:(\S+)")
_IN_QUERY = re.compile(r"&?X-Amz-Signature=[^&]*")
_TIME = "%Y%m%dT%H%M%SZ"


def verify(wire: werkzeug.wrappers.Request, request: Request, secret_access_key: str) -> bool:
    """Whether the signature is that of the secret key."""
    credentials = botocore.credentials.Credentials(
        request.access_key_id or "", secret_access_key, request.session_token
    )
    header = wire.headers.get("Authorization", "")
    if match := _SIGNED.match(header):
        return _verify_header(wire, request, credentials, match)
    if match := _OF_VERSION_2.match(header):
        return _same(_version_2(wire, credentials, wire.headers.get("Date", "")), match[1])
    if "X-Amz-Signature" in wire.args:
        return _verify_query(wire, request, credentials)
    given = wire.args.get("Signature", "")
    return not header and _same(_version_2(wire, credentials, wire.args.get("Expires", "")), given)


def ends(wire: werkzeug.wrappers.Request) -> datetime | None:
    """Return when a signed URL ends; ``None`` for other requests.

    Raises:
        ValueError: its times are none, or it would be good for longer than a URL may be.
    """
    if "X-Amz-Signature" in wire.args:
        seconds = int(wire.args.get("X-Amz-Expires", ""))
        if not 1 <= seconds <= LONGEST_URL:
            raise ValueError("X-Amz-Expires must be at least a second and less than a week (in seconds)")
        begins = datetime.strptime(wire.args.get("X-Amz-Date", ""), _TIME).replace(tzinfo=timezone.utc)
        return begins + timedelta(seconds=seconds)
    if "AWSAccessKeyId" in wire.args:
        return datetime.fromtimestamp(int(wire.args.get("Expires", "")), timezone.utc)
    return None


def is_claimed(wire: werkzeug.wrappers.Request) -> bool:
    """Whether a request has something in the place of a signature; moto would take it for one."""
    return "Authorization" in wire.headers or "Signature=" in _url(wire)


def _verify_header(
    wire: werkzeug.wrappers.Request,
    request: Request,
    credentials: botocore.credentials.Credentials,
    match: re.Match[str],
) -> bool:
    signed = _signed(wire, match[1].split(";"), _url(wire), wire.headers.get("X-Amz-Date", ""))
    # S3 alone does not normalise the path.
    kind = botocore.auth.S3SigV4Auth if request.service == "s3" else botocore.auth.SigV4Auth
    return _same(_version_4(kind(credentials, request.service, request.region), signed), match[2])


def _verify_query(
    wire: werkzeug.wrappers.Request, request: Request, credentials: botocore.credentials.Credentials
) -> bool:
    names = wire.args.get("X-Amz-SignedHeaders", "").split(";")
    signed = _signed(wire, names, _IN_QUERY.sub("", _url(wire)), wire.args.get("X-Amz-Date", ""))
    kind = botocore.auth.S3SigV4QueryAuth if request.service == "s3" else botocore.auth.SigV4QueryAuth
    auth = kind(credentials, request.service, request.region)
    return _same(_version_4(auth, signed), wire.args["X-Amz-Signature"])


def _signed(
    wire: werkzeug.wrappers.Request, names: list[str], url: str, timestamp: str
) -> botocore.awsrequest.AWSRequest:
    """Return what was signed: the request with the headers of these names alone."""
    headers = {name: wire.headers.get(name, "") for name in names}
    signed = botocore.awsrequest.AWSRequest(method=wire.method, url=url, headers=headers, data=wire.get_data())
    signed.context["timestamp"] = timestamp
    return signed


def _version_4(auth: botocore.auth.SigV4Auth, signed: botocore.awsrequest.AWSRequest) -> str:
    signature: str = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    return signature


class _Version2(botocore.auth.HmacV1Auth):
    """Botocore's signer with a given date, which for a URL is the second that it ends."""

    date = ""

    def _get_date(self) -> str:
        return self.date


def _version_2(wire: werkzeug.wrappers.Request, credentials: botocore.credentials.Credentials, date: str) -> str:
    # What a URL's maker has given as S3's own headers is in its query.
    given = {**wire.args.to_dict(), **{name.lower(): value for name, value in wire.headers}}
    headers = botocore.compat.HTTPHeaders()
    for name, value in given.items():
        if name.startswith("x-amz-"):
            headers[name] = value
    for name in ("Content-MD5", "Content-Type"):
        headers[name] = wire.headers.get(name, "")
    split = urlsplit(_url(wire))
    path = split.path if split.path.count("/") > 1 else f"{split.path.rstrip('/')}/"  # of a bucket, it ends with one
    auth: Any = _Version2(credentials)
    auth.date = date
    signature: str = auth.sign_string(auth.canonical_string(wire.method, split, headers, auth_path=path))
    return signature


def _url(wire: werkzeug.wrappers.Request) -> str:
    return f"http://{wire.host}{wire.environ.get('RAW_URI', wire.full_path)}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
