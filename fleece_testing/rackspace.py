"""Rackspace Identity and the FAWS credentials API, in one server on loopback.

The credentials that it gives out are issued by the emulated AWS, and work there in the account that they are for.
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from fleece_testing import _rackspace_answers as answers
from fleece_testing._arguments import (
    check_names,
    check_status,
    check_times,
    checked_lifetime,
    checked_list,
    checked_text,
    checked_texts,
)
from fleece_testing._http import LoopbackServer
from fleece_testing._lifecycle import Startable
from fleece_testing._rackspace_directory import Directory, User
from fleece_testing._rackspace_services import KINDS, ROUTES, Services
from fleece_testing.aws.arguments import check_account, check_delay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from typing_extensions import Self
    from werkzeug.wrappers import Response

    from fleece_testing.aws import AWS

__all__ = ["Rackspace", "Received", "User"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


@dataclass(frozen=True)
class Received:
    """One request that was answered: what it was about and how it ended; no key, token or passcode.

    `kind` is one of those of `Rackspace.fail`, or ``unknown`` for what neither service answers.

    Examples:
        >>> import requests
        >>> url = f"{fleece_rackspace.url}/v2.0/tokens"
        >>> wrong = {"username": "me", "apiKey": "x"}
        >>> requests.post(url, json={"auth": {"RAX-KSKEY:apiKeyCredentials": wrong}}).status_code
        401
        >>> fleece_rackspace.requests
        [Received(kind='tokens', method='POST', path='/v2.0/tokens', user=None, status=401)]
    """

    kind: str
    method: str
    path: str
    user: str | None
    status: int


@dataclass(frozen=True)
class _Fault:
    status: int | None
    headers: Mapping[str, str]
    body: str | None
    delay: float
    cut: bool


class Rackspace(Startable):
    """A stand-in for Rackspace Identity and FAWS, with one user and the emulated AWS's own account to begin with.

    Args:
        aws: the emulated AWS whose credentials FAWS gives out; it must be running when they are asked for.
        port: the TCP port; 0 takes a free one.

    Examples:
        >>> rackspace = Rackspace(fleece_aws).start()
        >>> sorted(rackspace.environment())
        ['FLEECE_FAWS_URL', 'FLEECE_IDENTITY_URL', 'RS_API_KEY', 'RS_USERNAME']
        >>> user = rackspace.user("me", "key")
        >>> rackspace.account("210987654321", users=["me"])
        >>> token = rackspace.token("me", seconds=60)
        >>> rackspace.revoke_tokens()
        >>> rackspace.fail("credentials", 503, times=2, headers={"Retry-After": "1"})
        >>> rackspace.url.startswith("http://127.0.0.1:")
        True
        >>> rackspace.clear()
        >>> rackspace.stop()
    """

    def __init__(self, aws: AWS, port: int = 0) -> None:
        self.aws = aws
        self.requests: list[Received] = []
        self._default_user = User("fleece", secrets.token_hex(16))
        self._server = LoopbackServer(self, port=port)
        self._lock = threading.Lock()
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

    def clear(self) -> None:
        """Forget users, accounts, tokens, failures and requests, but for the user of `environment` and its account."""
        with self._lock:
            self._hurry.set()  # whoever still waits in an answer that a test made slow
            self._hurry = threading.Event()
            self.requests.clear()
            self._directory = Directory()
            self._faults: defaultdict[str, deque[_Fault]] = defaultdict(deque)
        self._directory.add_user(self._default_user)
        self._directory.add_account(self.aws.account, None)

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
        """Add a user, or replace the one of that name; `details` are further fields of `User`.

        Raises:
            TypeError: `User` has no such field, or it is of another type.
        """
        check_names("A Rackspace user", User, details, "field")
        user = User(name, api_key, **details)
        self._directory.add_user(user)
        return user

    def account(self, number: str, users: Iterable[str] | None = None) -> None:
        """Add an AWS account, for the users with these names, or for all.

        Raises:
            TypeError: `users` is a text.
            ValueError: no account has that number.
        """
        check_account(number)
        self._directory.add_account(number, None if users is None else checked_list("users", users))

    def token(self, name: str | None = None, *, seconds: float | None = None) -> str:
        """Issue a token without a request.

        Args:
            name: whose; by default the user's of `environment`.
            seconds: how long it is valid, if not as long as the user's others; a negative one is of the past.

        Raises:
            TypeError: `seconds` is no number.
            ValueError: there is no such user.
        """
        user = self._directory.user(name or self._default_user.name)
        if user is None:
            raise ValueError(f"There is no user {name!r}: add one with user()")
        lifetime = user.token_seconds if seconds is None else checked_lifetime("seconds", seconds)
        return self._directory.issue(user, user.tenant, lifetime).id

    def revoke_tokens(self) -> None:
        """Make every token that was issued invalid, as a change of password does."""
        self._directory.revoke_tokens()

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

        Raises:
            TypeError: `headers` or `body` is not text.
            ValueError: there are no requests of that kind, or an answer cannot fail so.
        """
        if kind not in KINDS:
            raise ValueError(f"There is no request of the kind {kind!r}: use one of {', '.join(KINDS)}")
        check_times(times)
        if status is not None:
            check_status(status, lowest=200)
        check_delay(delay, "delay")
        fault = _Fault(
            status, checked_texts("headers", headers), None if body is None else checked_text("body", body), delay, cut
        )
        with self._lock:
            self._faults[kind].extend([fault] * times)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        request = Request(environ)
        hurry = self._hurry
        try:
            kind, arguments = ROUTES.bind_to_environ(environ).match()
        except HTTPException as error:
            response = answers.identity_fault(error.code or 404)
            self._log("unknown", request, None, response, hurry)
            return response(environ, start_response)
        with self._lock:
            fault = self._faults[kind].popleft() if self._faults[kind] else None
        if fault is not None and fault.delay:
            hurry.wait(fault.delay)
        user, response = self._answer(kind, request, arguments, fault)
        self._log(kind, request, user, response, hurry)
        return response(environ, start_response)

    def _log(self, kind: str, request: Request, user: str | None, response: Response, hurry: threading.Event) -> None:
        path = "/v2.0/tokens/***" if request.path.startswith("/v2.0/tokens/") else request.path
        with self._lock:
            if hurry is self._hurry:  # else it came before clear(), and was still waiting
                self.requests.append(Received(kind, request.method, path, user, response.status_code))

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
            user, response = Services(self.aws, self._directory).answer(kind, request, arguments)
        if fault is not None:
            response.headers.update(fault.headers)
            response = answers.cut(response) if fault.cut else response
        return user, response
