"""From an environment to credentials: the provider, then the role, each from the store while it is fresh."""

from __future__ import annotations

import functools
import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol

from fleece._endpoints import IDENTITY_URL
from fleece.cli import aws
from fleece.cli.credentials import profile
from fleece.cli.credentials.cache import MemoryStore
from fleece.cli.credentials.values import MARGIN, AwsCredentials, Login, Token
from fleece.cli.environments import session_name_problem
from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleece.cli.credentials.cache import Parts, Store
    from fleece.cli.environments import Environment

FAWS_URL = "https://accounts.api.manage.rackspace.com"
DEFAULT_SESSION_NAME = "fleece_assumed_role"


class Ask(Protocol):
    """Asks the user a question; ``hidden`` answers are not shown as they are typed."""

    def __call__(self, question: str, *, hidden: bool) -> str:
        """Return the answer."""


class Resolver:
    """Finds the credentials of environments.

    Args:
        login: the Rackspace user and key of the options.
        role_session_name: the name of role sessions, from the options.
        ask: asks the user for what is missing; None where nobody can be asked.
        store: where tokens and credentials are kept; by default for as long as this object lives.
        environ: the variables to look into.
        now: the time, with a time zone.
    """

    def __init__(
        self,
        login: Login | None = None,
        *,
        role_session_name: str | None = None,
        ask: Ask | None = None,
        store: Store | None = None,
        environ: Mapping[str, str] = os.environ,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._login = login or Login()
        self._role_session_name = role_session_name
        self._ask = ask
        self._store = store or MemoryStore()
        self._environ = environ
        self._now = now
        self.api_keys: set[str] = set()
        """The Rackspace API keys that it has used, which nobody else is to see."""

    def resolve(
        self, environment: Environment, *, role: str | None = None, region: str | None = None
    ) -> AwsCredentials:
        """Return credentials that get into the environment's account, in its role or the one given.

        Args:
            environment: the environment, or a bare account as ``Environment(name, account)``.
            role: a name or an ARN, in place of the environment's.
            region: where to assume the role, if not in the region that `fleece.cli.aws.region_of` finds.

        Raises:
            UsageError: something is missing that the user has to give.
            CredentialsError: what was given does not work, or a service does not.
        """
        role = role or environment.role
        region = region or aws.region_of(environment, environ=self._environ)
        if environment.provider == "rackspace":
            return self._of_rackspace(environment, role, region)
        base = self._of_provider(environment)
        return self._in_role_of_provider(environment, base, role, region) if role else base

    def _of_provider(self, environment: Environment) -> AwsCredentials:
        """Return the credentials of any provider but Rackspace."""
        if environment.provider == "static":
            return AwsCredentials(environment.access_key_id, environment.secret_access_key)
        if environment.provider == "profile":
            return self._of_profile(environment.profile or "default")
        return profile.of_variables(self._environ)

    def _of_profile(self, name: str) -> AwsCredentials:
        found = profile.Profile(name, functools.partial(self._code, name), self._environ)
        return self._kept(("aws", "profile", name, found.settings), found.credentials)

    def _in_role_of_provider(
        self, environment: Environment, base: AwsCredentials, role: str, region: str | None
    ) -> AwsCredentials:
        def in_role() -> AwsCredentials:
            return self._in_role(environment, base, role, region)

        if environment.provider == "static":
            return in_role()  # an emulator that was started again does not know those of before
        of_base = (environment.provider, base.access_key_id, base.secret_access_key, base.session_token)
        session_name = self._session_name(environment)
        place = (environment.account, environment.endpoint_url, role, session_name, region)
        return self._kept(("aws", *of_base, *place), in_role)

    def _of_rackspace(self, environment: Environment, role: str | None, region: str | None) -> AwsCredentials:
        login = self._login_for(environment)
        urls = self._urls()
        account = ("aws", environment.provider, *urls, *login, environment.account)

        def from_faws() -> AwsCredentials:
            return self._from_faws(urls, login, environment.account)

        if not role:
            return self._kept(account, from_faws)

        def in_role() -> AwsCredentials:
            return self._in_role(environment, self._kept(account, from_faws), role, region)

        session_name = self._session_name(environment)
        return self._kept((*account, environment.endpoint_url, role, session_name, region), in_role)

    def _from_faws(self, urls: tuple[str, str], login: tuple[str, str], account: str) -> AwsCredentials:
        from fleece.cli.credentials.rackspace import Rackspace, TokenRefusedError  # noqa: PLC0415 (imports requests)

        rackspace = Rackspace(*urls, self._passcode)
        parts = ("token", *urls, *login)
        kept = Token.from_document(self._store.get(parts) or {})
        if kept is not None and self._is_fresh(kept.expiration):
            try:
                return rackspace.credentials(account, kept)
            except TokenRefusedError:
                pass  # revoked since: a new one may do
        token = rackspace.token(*login)
        self._store.put(parts, token.document())
        return rackspace.credentials(account, token)

    def _in_role(self, environment: Environment, base: AwsCredentials, role: str, region: str | None) -> AwsCredentials:
        from fleece.cli.credentials import roles  # noqa: PLC0415 (imports boto3)

        return roles.assume(environment, base, role, self._session_name(environment), region)

    def _kept(self, parts: Parts, fetch: Callable[[], AwsCredentials]) -> AwsCredentials:
        """Return what the store has while it is fresh, else what `fetch` gets, which is then kept."""
        kept = AwsCredentials.from_document(self._store.get(parts) or {})
        if kept is not None and self._is_fresh(kept.expiration):
            return kept
        fetched = fetch()
        if fetched.expiration is not None:  # else they might be somebody's own keys, which are good for ever
            self._store.put(parts, fetched.document())
        return fetched

    def _is_fresh(self, expiration: datetime | None) -> bool:
        return expiration is not None and expiration - self._now() >= MARGIN

    def _urls(self) -> tuple[str, str]:
        """Return the base URLs of Identity and FAWS."""
        return (
            self._environ.get("FLEECE_IDENTITY_URL") or IDENTITY_URL,
            self._environ.get("FLEECE_FAWS_URL") or FAWS_URL,
        )

    def _session_name(self, environment: Environment) -> str:
        name = self._role_session_name or environment.role_session_name or self._environ.get("AWS_ROLE_SESSION_NAME")
        if not name:
            return DEFAULT_SESSION_NAME
        problem = session_name_problem(name)
        if problem is not None:
            raise UsageError(f"the role session name {name!r} {problem}")
        return name

    def _login_for(self, environment: Environment) -> tuple[str, str]:
        """Return the Rackspace user and API key: the options', the environment's own variables', ``RS_*``, or asked."""
        user_names = [name for name in (environment.rs_username_var, "RS_USERNAME") if name]
        key_names = [name for name in (environment.rs_apikey_var, "RS_API_KEY") if name]
        username = self._login.username or self._variable(user_names)
        if not username:
            others = "or use an environment of another 'provider'"  # who has no Rackspace user may not know of them
            username = self._answer("Rackspace user name", f"--username, or set {' or '.join(user_names)}, {others}")
        api_key = self._login.api_key or self._variable(key_names)
        if not api_key:
            api_key = self._answer(
                f"Rackspace API key of {username}", f"--apikey-file, or set {' or '.join(key_names)}", hidden=True
            )
        self.api_keys.add(api_key)
        return username, api_key

    def _variable(self, names: list[str]) -> str | None:
        return next((self._environ[name] for name in names if self._environ.get(name)), None)

    def _passcode(self, username: str) -> str:
        return self._answer(f"passcode of {username}", "it in a terminal, without --no-input", hidden=True)

    def _code(self, profile_name: str) -> str:
        return self._answer(
            f"MFA code of the profile {profile_name!r}", "it in a terminal, without --no-input", hidden=True
        )

    def _answer(self, what: str, otherwise: str, *, hidden: bool = False) -> str:
        """Ask the user; where nobody can be asked, or says nothing, tell what to give instead."""
        question = what[0].upper() + what[1:]
        answer = self._ask(question, hidden=hidden).strip() if self._ask is not None else ""
        if not answer:
            raise UsageError(f"no credentials: the {what} is missing; give {otherwise}")
        return answer
