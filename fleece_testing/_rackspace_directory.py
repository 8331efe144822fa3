"""Who and what Rackspace knows: users, the tokens they were given, and the AWS accounts they may use."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleece_testing._arguments import checked_lifetime, checked_list, checked_text

if TYPE_CHECKING:
    from collections.abc import Iterable

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


@dataclass(frozen=True)
class User:
    """A user of Rackspace Identity.

    `mfa` is the passcode that is asked for after the API key; without one, the key is enough. A user without a tenant
    gets tokens without one. `token_seconds` is how long a token is valid.

    Examples:
        >>> fleece_rackspace.user("me", "key", mfa="123456").mfa
        '123456'
    """

    name: str
    api_key: str = field(repr=False)
    tenant: str | None = "890123"
    mfa: str | None = field(default=None, repr=False)
    enabled: bool = True
    roles: tuple[str, ...] = ("identity:default",)
    token_seconds: float = 86400

    def __post_init__(self) -> None:
        """See that what is sent as text is text, and what is counted a number.

        No value is in the message: it may be a secret.
        """
        for field_name in ("name", "api_key", "tenant", "mfa"):
            value = getattr(self, field_name)
            optional = field_name in ("tenant", "mfa") and value is None
            if not (optional or isinstance(value, str)):
                raise TypeError(f"{field_name} of a Rackspace user must be text: {type(value).__name__} was given")
        for role in checked_list("roles", self.roles):
            checked_text("A role of a Rackspace user", role)
        checked_lifetime("token_seconds", self.token_seconds)


@dataclass(frozen=True)
class Token:
    """A token that was given out; `expires` is in seconds since the epoch."""

    id: str = field(repr=False)
    user: User
    tenant: str | None
    expires: float


class Directory:
    """Users, tokens and accounts; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[str, User] = {}
        self._accounts: dict[str, frozenset[str] | None] = {}
        self._tokens: dict[str, Token] = {}
        self._sessions: dict[str, User] = {}

    def add_user(self, user: User) -> None:
        """Add a user, or replace the one of that name."""
        with self._lock:
            self._users[user.name] = user

    def user(self, name: str) -> User | None:
        """Return the user of that name."""
        with self._lock:
            return self._users.get(name)

    def user_with_key(self, name: str, api_key: str) -> User | None:
        """Return the user of that name, if the key is theirs."""
        user = self.user(name)
        return user if user is not None and _same(user.api_key, api_key) else None

    def add_account(self, number: str, users: Iterable[str] | None) -> None:
        """Add an AWS account for the users with these names; ``None`` is for all."""
        with self._lock:
            self._accounts[number] = None if users is None else frozenset(users)

    def may_use(self, user: User, account: str) -> bool:
        """Whether the account is there and for this user."""
        with self._lock:
            users = self._accounts.get(account, frozenset())
        return users is None or user.name in users

    def open_session(self, user: User) -> str:
        """Return the id of a session in which the user's passcode is waited for."""
        session = secrets.token_urlsafe(48)
        with self._lock:
            self._sessions[session] = user
        return session

    def close_session(self, session: str, passcode: str) -> User | None:
        """Return the session's user, if the passcode is theirs; a session is good for one right passcode."""
        with self._lock:
            user = self._sessions.get(session)
            if user is None or user.mfa is None or not _same(user.mfa, passcode):
                return None
            return self._sessions.pop(session)

    def issue(self, user: User, tenant: str | None, seconds: float) -> Token:
        """Give out a token that is valid for that long."""
        token = Token(f"AA{secrets.token_urlsafe(64)}", user, tenant, time.time() + seconds)
        with self._lock:
            self._tokens[token.id] = token
        return token

    def token(self, token_id: str) -> Token | None:
        """Return the token with that id, if it was given out, is not revoked, and has not ended."""
        with self._lock:
            token = self._tokens.get(token_id)
        return token if token is not None and token.expires > time.time() else None

    def revoke_tokens(self) -> None:
        """Make every token invalid."""
        with self._lock:
            self._tokens.clear()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
