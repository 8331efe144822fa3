"""STS: AssumeRole of a role that is not there or trusts others, for longer than allowed, or with a bad name.

Source: AssumeRole in the STS API reference; "role chaining" in the IAM user guide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fleece_testing.aws.errors import AWSError
from fleece_testing.aws.strictness.trust import trusts

if TYPE_CHECKING:
    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness.state import Principal, Rule, State

CHAINED_SESSION = 3600
"""The longest session of a role that is assumed by another role's session, in seconds."""

_SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_DURATIONS = range(900, 43_201)
_DURATIONS_OF_USERS = range(900, 129_601)


def check_assume_role(request: Request, caller: Principal, state: State) -> AWSError | None:
    """Check the role, whom it trusts, the session's name and its duration."""
    name, arn = request.parameters.get("RoleSessionName", ""), request.parameters.get("RoleArn", "")
    if not _SESSION_NAME.fullmatch(name):
        return _invalid(
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member"
            f" must satisfy regular expression pattern: {_SESSION_NAME.pattern}"
        )
    role = state.role(arn)
    if role is None or not trusts(role.trust, caller):
        message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        return AWSError("AccessDenied", message, 403)
    return _check_duration(request.parameters.get("DurationSeconds", ""), caller, role.longest_session)


def _check_duration(text: str, caller: Principal, longest: int) -> AWSError | None:
    if not text:
        return None
    seconds = int(text) if text.isdecimal() else 0
    if seconds not in _DURATIONS:
        return _invalid(
            f"1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member"
            f" must have value between {_DURATIONS[0]} and {_DURATIONS[-1]}"
        )
    if caller.session_token is not None and caller.user_key is None and seconds > CHAINED_SESSION:
        return _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > longest:
        return _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return None


def check_get_session_token(request: Request, caller: Principal, _state: State) -> AWSError | None:
    """Check who asks, and for how long: a session gets no other one."""
    if caller.session_token is not None:
        return AWSError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    text = request.parameters.get("DurationSeconds", "")
    if text and not (text.isdecimal() and int(text) in _DURATIONS_OF_USERS):
        return _invalid(
            f"1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member"
            f" must have value between {_DURATIONS_OF_USERS[0]} and {_DURATIONS_OF_USERS[-1]}"
        )
    return None


def _invalid(message: str) -> AWSError:
    return AWSError("ValidationError", message)


def refuse_federation_token(_request: Request, _caller: Principal, _state: State) -> AWSError:
    """Say that there are none: moto's are the same for everybody, and nobody's."""
    message = "The emulated AWS has no sts:GetFederationToken; AWS.issue_credentials() gives out temporary credentials"
    return AWSError("NotImplemented", message, 501)


RULES: dict[str, Rule] = {
    "AssumeRole": check_assume_role,
    "GetFederationToken": refuse_federation_token,
    "GetSessionToken": check_get_session_token,
}
