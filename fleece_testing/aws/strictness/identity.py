"""Who a request is from, and what AWS answers to keys and tokens that it did not issue or that have ended."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from fleece_testing.aws.errors import AWSError
from fleece_testing.aws.requests import JSON, QUERY, REST_XML

if TYPE_CHECKING:
    from datetime import datetime

    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness.state import Principal, State


UNREADABLE = AWSError("InvalidArgument", "Unsupported Authorization Type", 400)
"""What S3 says to a signature of a form that it does not know."""


def identify(request: Request, state: State, now: datetime) -> Principal | AWSError:
    """Return whoever signed the request, or why their credentials are refused."""
    if request.access_key_id is None:
        return _missing(request)
    principal = state.principal(request.access_key_id)
    if principal is None:
        return _unknown_key(request)
    if not hmac.compare_digest((principal.session_token or "").encode(), (request.session_token or "").encode()):
        return _wrong_token(request)
    if principal.expires is not None and principal.expires <= now:
        return _expired(request)
    return principal


def wrong_signature(request: Request) -> AWSError:
    """Return what AWS says to a signature of another secret key."""
    code = "SignatureDoesNotMatch" if request.protocol in (QUERY, REST_XML) else "InvalidSignatureException"
    message = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access"
        " Key and signing method."
    )
    return AWSError(code, message, _status(request))


def wrong_region(request: Request) -> AWSError:
    """Return what AWS says to a signature for a region that it does not have."""
    message = f"Credential should be scoped to a valid region, not '{request.region}'."
    return AWSError(wrong_signature(request).code, message, _status(request))


def url_has_ended(request: Request) -> AWSError:
    """Return what AWS says to a signed URL whose time is over."""
    if request.protocol == REST_XML:
        return AWSError("AccessDenied", "Request has expired", 403)
    return AWSError(wrong_signature(request).code, "Signature expired", _status(request))


def url_is_malformed(message: str) -> AWSError:
    """Return what AWS says to a signed URL that no time makes good."""
    return AWSError("AuthorizationQueryParametersError", message, 400)


def _missing(request: Request) -> AWSError:
    code = "MissingAuthenticationToken"
    return (
        AWSError(code, "Request is missing Authentication Token", 403)
        if request.protocol == QUERY
        else AWSError(f"{code}Exception", "Missing Authentication Token", _status(request))
    )


def _unknown_key(request: Request) -> AWSError:
    if request.protocol == REST_XML:
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AWSError("InvalidAccessKeyId", message, 403)
    return _invalid(request)


def _wrong_token(request: Request) -> AWSError:
    if request.protocol == REST_XML:
        return AWSError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    return _invalid(request)


def _invalid(request: Request) -> AWSError:
    code = "InvalidClientTokenId" if request.protocol == QUERY else "UnrecognizedClientException"
    return AWSError(code, "The security token included in the request is invalid.", _status(request))


def _expired(request: Request) -> AWSError:
    if request.protocol == REST_XML:
        return AWSError("ExpiredToken", "The provided token has expired.", 400)
    code = "ExpiredToken" if request.protocol == QUERY else "ExpiredTokenException"
    return AWSError(code, "The security token included in the request is expired", _status(request))


def _status(request: Request) -> int:
    return 400 if request.protocol == JSON else 403
