"""Rackspace Identity and the FAWS credentials API, in one server on loopback.

The credentials that it gives out are issued by the emulated AWS, and work there in the account that they are for.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from fleece_testing import _rackspace_answers as answers
from fleece_testing._http import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIEnvironment

    from typing_extensions import Self

    from fleece_testing.aws import AWS

_ROUTES = Map(
    [
        Rule("/v2.0/tokens", methods=["POST"], endpoint="tokens"),
        Rule("/v2.0/tokens/<token>", methods=["GET"], endpoint="validate"),
        Rule("/v0/awsAccounts/<account>/credentials", methods=["POST"], endpoint="credentials"),
    ]
)
_KINDS = ("tokens", "validate", "credentials")
_LONGEST = 3600  # seconds; what FAWS gives out is a role session got by another, and AWS ends these after an hour
_SHORTEST = 900


@dataclass(frozen=True)
class User:
    """A user of Rackspace Identity.

    `mfa` is the passcode that is asked for after the API key; without one, the key is enough. A user without a tenant
    gets tokens without one. `token_seconds` is how long a token is valid.
    """

    name: str
    api_key: str = field(repr=False)
    tenant: str | None = "890123"
    mfa: str | None = field(default=None, repr=False)
    enabled: bool = True
    roles: tuple[str, ...] = ("identity:default",)
    token_seconds: float = 86400


@dataclass(frozen=True)
class Received:
    """One request that was answered: what it was about and how it ended; no key, token or passcode."""

    kind: str
    method: str
    path: str
    user: str | None
    status: int


@dataclass(frozen=True)
class _Token:
    user: User
    tenant: str | None
    expires: float  # seconds since the epoch


@dataclass(frozen=True)
class _Fault:
    status: int | None
    headers: Mapping[str, str]
    body: str | None
    delay: float
    cut: bool


class Rackspace:
    """A stand-in for Rackspace Identity and FAWS, with one user and the emulated AWS's own account to begin with.

    Args:
        aws: the emulated AWS whose credentials FAWS gives out; it must be running when they are asked for.
        port: the TCP port; 0 takes a free one.
    """

    def __init__(self, aws: AWS, port: int = 0) -> None:
        self.aws = aws
        self.requests: list[Received] = []
        self._default_user = User("fleece", secrets.token_hex(16))
        self._server = LoopbackServer(self, port=port)
        self._lock = threading.RLock()
        self._hurry = threading.Event()
        self.clear()

    def start(self) -> Self:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening; stopping twice does nothing."""
        self._hurry.set()
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def clear(self) -> None:
        """Forget users, accounts, tokens, failures and requests, but for the user of `environment` and its account."""
        with self._lock:
            self._hurry.set()  # whoever still waits in an answer that a test made slow
            self._hurry = threading.Event()
            self.requests.clear()
            self._users = {self._default_user.name: self._default_user}
            self._accounts: dict[str, frozenset[str] | None] = {self.aws.account: None}
            self._tokens: dict[str, _Token] = {}
            self._mfa_sessions: dict[str, User] = {}
            self._faults: defaultdict[str, deque[_Fault]] = defaultdict(deque)

    @property
    def url(self) -> str:
        """The base URL of both services, ``http://127.0.0.1:PORT``."""
        return self._server.url

    def environment(self) -> dict[str, str]:
        """Return the variables that lead fleece to this server, with the name and API key of a user."""
        return {
            "FLEECE_IDENTITY_URL": self.url,
            "FLEECE_FAWS_URL": self.url,
            "RS_USERNAME": self._default_user.name,
            "RS_API_KEY": self._default_user.api_key,
        }

    def user(self, name: str, api_key: str, **details: Any) -> User:
        """Add a user, or replace the one of that name; `details` are further fields of `User`."""
        user = User(name, api_key, **details)
        with self._lock:
            self._users[name] = user
        return user

    def account(self, number: str, users: Iterable[str] | None = None) -> None:
        """Add an AWS account, for the users with these names, or for all."""
        with self._lock:
            self._accounts[number] = None if users is None else frozenset(users)

    def token(self, name: str | None = None, *, seconds: float | None = None) -> str:
        """Issue a token without a request.

        Args:
            name: whose; by default the user's of `environment`.
            seconds: how long it is valid, if not as long as the user's others; a negative one is of the past.
        """
        user = self._users[name or self._default_user.name]
        return self._issue(user, user.tenant, user.token_seconds if seconds is None else seconds)

    def revoke_tokens(self) -> None:
        """Make every token that was given out invalid, as a change of password does."""
        with self._lock:
            self._tokens.clear()

    def fail(
        self,
        kind: str,
        status: int | None = 500,
        times: int = 1,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        delay: float = 0,
        cut: bool = False,
    ) -> None:
        """Spoil the next answers of one kind; failures set one after another happen in that order.

        Args:
            kind: ``tokens`` (get a token), ``validate`` (ask about a token) or ``credentials`` (FAWS).
            status: the HTTP status; ``None`` answers as usual, only late or cut.
            times: how many answers.
            headers: added to the answer, such as ``Retry-After`` or ``Location``.
            body: in place of the service's own error document.
            delay: seconds before the answer.
            cut: send half of the body, and close the connection.
        """
        if kind not in _KINDS:
            raise ValueError(f"There is no request of the kind {kind!r}: use one of {', '.join(_KINDS)}")
        with self._lock:
            self._faults[kind].extend([_Fault(status, headers or {}, body, delay, cut)] * times)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        request = Request(environ)
        try:
            kind, arguments = _ROUTES.bind_to_environ(environ).match()
        except HTTPException as error:
            return answers.identity_fault(error.code or 404)(environ, start_response)
        with self._lock:
            fault = self._faults[kind].popleft() if self._faults[kind] else None
            hurry = self._hurry
        if fault is not None and fault.delay:
            hurry.wait(fault.delay)
        user, response = self._answer(kind, request, arguments, fault)
        with self._lock:
            path = "/v2.0/tokens/***" if kind == "validate" else request.path
            self.requests.append(Received(kind, request.method, path, user, response.status_code))
        return response(environ, start_response)

    def _answer(
        self, kind: str, request: Request, arguments: Mapping[str, str], fault: _Fault | None
    ) -> tuple[str | None, Response]:
        """Return the name of the user that the request is of, as far as that is known, and the answer."""
        if fault is not None and fault.status is not None:
            error = answers.faws_fault if kind == "credentials" else answers.identity_fault
            user, response = None, error(fault.status)
            if fault.body is not None:
                response.set_data(fault.body)
        else:
            answer: dict[str, Callable[..., tuple[str, Response]]] = {
                "tokens": self._tokens_post,
                "validate": self._tokens_get,
                "credentials": self._credentials_post,
            }
            try:
                user, response = answer[kind](request, **arguments)
            except answers.RefusedError as refusal:
                user, response = None, refusal.response
        if fault is not None:
            response.headers.update(fault.headers)
            response = answers.cut(response) if fault.cut else response
        return user, response

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
        token = self._issue(user, tenant, user.token_seconds)
        return user.name, self._access(token)

    def _tokens_get(self, request: Request, token: str) -> tuple[str, Response]:
        """Validate a token; Identity lets every token ask about itself."""
        asking = self._valid(request.headers.get("X-Auth-Token", ""))
        if asking is None:
            raise answers.RefusedError(answers.identity_fault(401, "No valid token provided."))
        if self._valid(token) is None:
            raise answers.RefusedError(answers.identity_fault(404, "Token not found."))
        return asking.user.name, self._access(token)

    def _credentials_post(self, request: Request, account: str) -> tuple[str, Response]:
        """Give out credentials of an AWS account that the token's user may use."""
        token = self._valid(request.headers.get("X-Auth-Token", ""))
        if token is None or request.headers.get("X-Tenant-Id", token.user.tenant) != token.user.tenant:
            raise answers.RefusedError(answers.faws_fault(401, "Unauthorized"))
        users = self._accounts.get(account, frozenset())
        if users is not None and token.user.name not in users:
            raise answers.RefusedError(answers.faws_fault(404, "AWS account not found"))
        issued = self.aws.issue_credentials(account, _duration(request))
        credential = {
            "accessKeyId": issued.access_key_id,
            "secretAccessKey": issued.secret_access_key,
            "sessionToken": issued.session_token,
        }
        return token.user.name, answers.as_json({"credential": credential})

    def _log_in(self, name: str, key: str) -> User:
        user = self._users.get(name)
        if user is None or not hmac.compare_digest(user.api_key.encode(), key.encode()):
            message = "Unable to authenticate user with credentials provided."
            raise answers.RefusedError(answers.identity_fault(401, message))
        if not user.enabled:
            raise answers.RefusedError(answers.identity_fault(403, f"User '{name}' is disabled."))
        if user.mfa is not None:
            session = secrets.token_urlsafe(48)
            with self._lock:
                self._mfa_sessions[session] = user
            raise answers.RefusedError(answers.passcode_wanted(session))
        return user

    def _second_factor(self, session: str, passcode: str) -> User:
        with self._lock:
            user = self._mfa_sessions.get(session)
            if user is None or user.mfa is None or not hmac.compare_digest(user.mfa.encode(), passcode.encode()):
                message = "Unable to authenticate user with credentials provided."
                raise answers.RefusedError(answers.identity_fault(401, message))
            return self._mfa_sessions.pop(session)

    def _issue(self, user: User, tenant: str | None, seconds: float) -> str:
        token = f"AA{secrets.token_urlsafe(64)}"
        with self._lock:
            self._tokens[token] = _Token(user, tenant, time.time() + seconds)
        return token

    def _valid(self, token: str) -> _Token | None:
        with self._lock:
            known = self._tokens.get(token)
        return known if known is not None and known.expires > time.time() else None

    def _access(self, token: str) -> Response:
        known = self._tokens[token]
        return answers.access(token, known.expires, known.tenant, known.user.name, known.user.roles)


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
