"""Rackspace's two services: Identity gives tokens for API keys, and FAWS gives AWS credentials for tokens.

Every call carries a secret. It goes to https only (or to this machine), follows no redirect, waits a bounded time, and
no error repeats what was sent or what came back.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from urllib3.util import Retry

from fleece import _endpoints, requests
from fleece._moments import moment
from fleece.cli.credentials.values import AwsCredentials, CredentialsError, Token
from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self
    from urllib3.response import BaseHTTPResponse

_DURATION = timedelta(hours=1)
_LONGEST_WAIT = 20.0  # seconds; a service may ask for any Retry-After
_RETRIES = 3
_BUSY = frozenset({413, 429, 500, 502, 503, 504})
_HEADER_SAFE = re.compile(r"[!-~]+")
_MFA = re.compile(r"\bOS-MF\b.*\bsessionId='([!-&(-~]+)'")


class TokenRefusedError(CredentialsError):
    """FAWS does not take the token (any more)."""


class Rackspace:
    """Identity and FAWS at their base URLs.

    Args:
        identity_url: the base URL of Identity.
        faws_url: the base URL of FAWS.
        ask_passcode: called with a user's name when Identity wants a second factor; returns the passcode.
        timeout: seconds to connect, and between two bytes of an answer.

    Raises:
        UsageError: a URL is not one that secrets may be sent to.
    """

    def __init__(
        self,
        identity_url: str,
        faws_url: str,
        ask_passcode: Callable[[str], str],
        *,
        timeout: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        self._tokens_url = _base(identity_url, "FLEECE_IDENTITY_URL") + "/v2.0/tokens"
        self._accounts_url = _base(faws_url, "FLEECE_FAWS_URL") + "/v0/awsAccounts"
        self._ask_passcode = ask_passcode
        self._timeout = timeout

    def token(self, username: str, api_key: str) -> Token:
        """Get a token for an API key, and a passcode where one is wanted.

        Raises:
            CredentialsError: Identity refuses the user, or does not answer as it should.
        """
        body = {"auth": {"RAX-KSKEY:apiKeyCredentials": {"username": username, "apiKey": api_key}}}
        response = self._post("Rackspace Identity", self._tokens_url, body)
        wanted = _MFA.search(response.headers.get("WWW-Authenticate", ""))
        if wanted is not None and response.status_code == HTTPStatus.UNAUTHORIZED:
            body = {"auth": {"RAX-AUTH:passcodeCredentials": {"passcode": self._ask_passcode(username)}}}
            # A passcode is good for one use: nothing is sent again.
            response = self._post("Rackspace Identity", self._tokens_url, body, {"X-SessionId": wanted[1]}, retries=0)
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                raise CredentialsError(f"Rackspace Identity refuses the passcode of {username!r}: try again")
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise CredentialsError(
                f"Rackspace Identity refuses the API key of {username!r}: check the user name and the key"
            )
        if response.status_code == HTTPStatus.FORBIDDEN:
            raise CredentialsError(f"Rackspace Identity says that the user {username!r} is disabled")
        return _token(_content("Rackspace Identity", response))

    def credentials(self, account: str, token: Token) -> AwsCredentials:
        """Get credentials of an AWS account (12 digits) for an hour.

        Raises:
            TokenRefusedError: the token is not valid any more.
            CredentialsError: the account is not this user's, or FAWS does not answer as it should.
        """
        headers = {"X-Auth-Token": token.id} | ({"X-Tenant-Id": token.tenant} if token.tenant else {})
        body = {"credential": {"duration": str(int(_DURATION.total_seconds()))}}
        asked_at = datetime.now(timezone.utc)
        response = self._post("FAWS", f"{self._accounts_url}/{account}/credentials", body, headers)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise TokenRefusedError("FAWS refuses the token that Rackspace Identity gave: try again")
        if response.status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise CredentialsError(f"FAWS has no AWS account {account} for this user: check its number and the user")
        match _content("FAWS", response):
            case {"credential": {"accessKeyId": str(key), "secretAccessKey": str(secret), **rest}}:
                session_token = rest.get("sessionToken")
                expiration = moment(rest.get("expiration")) or asked_at + _DURATION
                return AwsCredentials(
                    key, secret, session_token if isinstance(session_token, str) else None, expiration
                )
            case _:
                raise CredentialsError("FAWS answered with something that is no credential: try again later")

    def _post(
        self,
        service: str,
        url: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        retries: int = _RETRIES,
    ) -> requests.Response:
        """Send a secret, and return whatever the answer is."""
        try:
            with requests.Session(timeout=self._timeout, retries=_Patience.times(retries)) as session:
                # Without TLS it is for this machine, and a proxy would see it.
                session.trust_env = url.startswith("https:")
                return session.post(url, json=body, headers=headers, allow_redirects=False)
        except requests.RequestException as error:
            # The text of the error stays out: it may quote a header.
            raise CredentialsError(
                f"{service} cannot be reached at {url} ({type(error).__name__}): try again"
            ) from None
        except OSError as error:
            # What requests says about certificates that are not there, before anything is sent.
            raise CredentialsError(f"{service} cannot be asked: {error}") from error


def _base(url: str, name: str) -> str:
    problem = _endpoints.problem(url)
    if problem is not None:
        raise UsageError(f"{name}: {url!r} {problem}")
    return url.rstrip("/")


def _content(service: str, response: requests.Response) -> object:
    """Return the JSON of an answer of success; every other answer is an error that tells the status alone."""
    status = response.status_code
    if 300 <= status < 400:  # noqa: PLR2004 (the redirects)
        raise CredentialsError(f"{service} answered {status}, a redirect: refused, as the request has a secret in it")
    if status in {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS}:
        raise CredentialsError(f"{service} limits how often it is asked (HTTP {status}): wait and try again")
    if not response.ok:
        raise CredentialsError(f"{service} answered HTTP {status}: try again later")
    try:
        return response.json()
    except (ValueError, RecursionError):  # no JSON, numbers of thousands of digits, or lists within lists within ...
        raise CredentialsError(f"{service} answered with something that is not JSON: try again later") from None


def _token(content: object) -> Token:
    match content:
        case {"access": {"token": {"id": str(token), **rest}}} if _HEADER_SAFE.fullmatch(token):
            tenant = rest.get("tenant")
            number = tenant.get("id") if isinstance(tenant, dict) else None
            safe = isinstance(number, str) and _HEADER_SAFE.fullmatch(number)
            return Token(token, moment(rest.get("expires")), number if safe else None)
        case _:
            raise CredentialsError("Rackspace Identity answered with something that is no token: try again later")


class _Patience(Retry):
    """Try again where a service is busy or not there, and wait as it asks, but not for as long as it likes."""

    @classmethod
    def times(cls, total: int) -> Self:
        """Return the rule for trying again so many times; any status is an answer in the end."""
        return cls(
            total,
            read=min(total, 1),  # a service that hangs has had its 30 seconds
            status_forcelist=_BUSY if total else (),
            allowed_methods=None,
            backoff_factor=0.2,
            raise_on_status=False,
        )

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Return the seconds that the answer asks to wait, within reason."""
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, _LONGEST_WAIT)
