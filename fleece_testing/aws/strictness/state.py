"""The view of the emulated accounts that rules decide by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from fleece_testing.aws.credentials import Credentials
    from fleece_testing.aws.errors import AWSError
    from fleece_testing.aws.requests import Request


@dataclass(frozen=True)
class Principal:
    """Whoever an access key is of.

    `session_token` and `expires` (UTC) are those of a session, of a role or of a user; `user_key` is the long-term key
    of the user whose session it is.
    """

    account: str
    arn: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires: datetime | None = None
    user_key: str | None = None


@dataclass(frozen=True)
class Key:
    """A KMS key; `state` and `usage` are KMS's own words, such as ``PendingDeletion`` and ``SIGN_VERIFY``."""

    arn: str
    state: str
    usage: str
    symmetric: bool


@dataclass(frozen=True)
class Parameter:
    """The newest version of an SSM parameter; `key` is as it was named, ``None`` for one that is not encrypted."""

    type: str
    tier: str
    key: str | None


@dataclass(frozen=True)
class Role:
    """An IAM role; `longest_session` is in seconds, `trust` its trust policy."""

    arn: str
    longest_session: int
    trust: Mapping[str, Any]


class State(Protocol):
    """What can be looked up; each look-up returns ``None`` for what is not there."""

    def principal(self, access_key_id: str) -> Principal | None:
        """Return whoever the active access key is of."""

    def key(self, account: str, region: str, key_id: str) -> Key | None:
        """Return the KMS key with this id, ARN or alias."""

    def key_of_ciphertext(self, account: str, region: str, blob: bytes) -> Key | None:
        """Return the key of this account and region that a ciphertext was made with."""

    def parameter(self, account: str, region: str, name: str) -> Parameter | None:
        """Return the SSM parameter of that name."""

    def role(self, arn: str) -> Role | None:
        """Return the IAM role with this ARN, of any account."""

    def open_user_session(self, account: str, user_key: str, seconds: float) -> Credentials:
        """Issue temporary credentials of the user whose access key that is, which end after `seconds`."""

    def is_public(self, bucket: str, action: str, key: str) -> bool:
        """Whether anybody may do that with an S3 bucket, or with an object in it; `action` is as in a policy."""


Rule: TypeAlias = "Callable[[Request, Principal, State], AWSError | None]"
"""Returns the error that AWS would answer, or ``None``."""

Amendment: TypeAlias = "Callable[[Request, Principal, State], dict[str, Any]]"
"""Returns the parameters to give to moto in place of the request's, so that it does what AWS does."""
