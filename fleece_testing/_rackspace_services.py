"""The three requests of Rackspace Identity and FAWS that fleece makes, and what they are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import Map, Rule

from fleece_testing import _rackspace_answers as answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request, Response

    from fleece_testing._rackspace_directory import Directory, Token, User
    from fleece_testing.aws import AWS

ROUTES = Map(
    [
        Rule("/v2.0/tokens", methods=["POST"], endpoint="tokens"),
        Rule("/v2.0/tokens/<token>", methods=["GET"], endpoint="validate"),
        Rule("/v0/awsAccounts/<account>/credentials", methods=["POST"], endpoint="credentials"),
    ]
)
KINDS = ("tokens", "validate", "credentials")
_LONGEST = 3600  # seconds; what FAWS gives out is a role session got by another, and AWS ends these after an hour
_SHORTEST = 900


class Services:
    """Answers requests from a directory, with credentials of an emulated AWS."""

    def __init__(self, aws: AWS, directory: Directory) -> None:
        self.aws = aws
        self._directory = directory

    def answer(self, kind: str, request: Request, arguments: Mapping[str, str]) -> tuple[str | None, Response]:
        """Return the name of the user that the request is of, ``None`` when it is refused, and the answer."""
        methods: dict[str, Callable[..., tuple[str, Response]]] = {
            "tokens": self._tokens_post,
            "validate": self._tokens_get,
            "credentials": self._credentials_post,
        }
        try:
            return methods[kind](request, **arguments)
        except answers.RefusedError as refusal:
            return None, refusal.response

    def _tokens_post(self, request: Request) -> tuple[str, Response]:
        """Get a token for an API key, or for the passcode that was asked for after one."""
        body = request.get_json(force=True, silent=True)
        match body:
            case {"auth": {"RAX-KSKEY:apiKeyCredentials": {"username": str(name), "apiKey": str(key)}}}:
                user = self._log_in(name, key)
                tenant = user.tenant
            case {"auth": {"RAX-AUTH:passcodeCredentials": {"passcode": str(passcode)}}}:
                user = self._second_factor(request.headers.get("X-SessionId", ""), passcode)
                tenant = None  # the documented answer to a passcode has none
            case _:
                raise answers.RefusedError(answers.identity_fault(400, "Invalid json request body"))
        return user.name, answers.access(self._directory.issue(user, tenant, user.token_seconds))

    def _tokens_get(self, request: Request, token: str) -> tuple[str, Response]:
        """Validate a token; Identity lets every token ask about itself."""
        asking = self._token_of(request)
        if asking is None:
            raise answers.RefusedError(answers.identity_fault(401, "No valid token provided."))
        found = self._directory.token(token)
        if found is None:
            raise answers.RefusedError(answers.identity_fault(404, "Token not found."))
        return asking.user.name, answers.access(found)

    def _credentials_post(self, request: Request, account: str) -> tuple[str, Response]:
        """Give out credentials of an AWS account that the token's user may use."""
        token = self._token_of(request)
        if token is None or not _is_for_tenant(request, token):
            raise answers.RefusedError(answers.faws_fault(401, "Unauthorized"))
        if not self._directory.may_use(token.user, account):
            raise answers.RefusedError(answers.faws_fault(404, "AWS account not found"))
        issued = self.aws.issue_credentials(account, _duration(request))
        credential = {
            "accessKeyId": issued.access_key_id,
            "secretAccessKey": issued.secret_access_key,
            "sessionToken": issued.session_token,
        }
        return token.user.name, answers.as_json({"credential": credential})

    def _token_of(self, request: Request) -> Token | None:
        return self._directory.token(request.headers.get("X-Auth-Token", ""))

    def _log_in(self, name: str, key: str) -> User:
        user = self._directory.user_with_key(name, key)
        if user is None:
            raise _unauthenticated()
        if not user.enabled:
            raise answers.RefusedError(answers.identity_fault(403, f"User '{name}' is disabled."))
        if user.mfa is not None:
            raise answers.RefusedError(answers.passcode_wanted(self._directory.open_session(user)))
        return user

    def _second_factor(self, session: str, passcode: str) -> User:
        user = self._directory.close_session(session, passcode)
        if user is None:
            raise _unauthenticated()
        return user


def _is_for_tenant(request: Request, token: Token) -> bool:
    """Whether the request names the token's tenant, which it may only leave out when Identity has told it none."""
    given = request.headers.get("X-Tenant-Id")
    return token.tenant is None if given is None else given == token.user.tenant


def _unauthenticated() -> answers.RefusedError:
    return answers.RefusedError(answers.identity_fault(401, "Unable to authenticate user with credentials provided."))


def _duration(request: Request) -> int:
    """Return the seconds that the credentials are wanted for; the documented request has them as a string."""
    body = request.get_json(force=True, silent=True) if request.content_length else {}
    match body:
        case {"credential": {"duration": str() | int() as duration}} if str(duration).isdecimal():
            seconds = int(duration)
        case {} if not body:
            seconds = _LONGEST
        case _:
            seconds = 0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise answers.RefusedError(answers.faws_fault(400, f"duration must be {_SHORTEST} to {_LONGEST} seconds"))
    return seconds
