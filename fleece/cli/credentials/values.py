"""The values that credentials are passed around as. Their ``repr`` shows no secret."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from fleece._moments import moment
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

MARGIN = timedelta(minutes=5)
"""What expires sooner than this is not used again."""


class CredentialsError(CommandError):
    """Credentials are there and do not work, or whoever gives them out does not answer as it should."""


@dataclasses.dataclass(frozen=True)
class Login:
    """The Rackspace user and API key that the options name; None where they name none."""

    username: str | None = None
    api_key: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True)
class AwsCredentials:
    """AWS credentials; `expiration` is in UTC and whole seconds, and None for what does not expire or does not say."""

    access_key_id: str
    secret_access_key: str = dataclasses.field(repr=False)
    session_token: str | None = dataclasses.field(default=None, repr=False)
    expiration: datetime | None = None

    def __post_init__(self) -> None:
        if self.expiration is not None:
            # As it is written: what comes from a store equals what went into it.
            written = self.expiration.astimezone(timezone.utc).replace(microsecond=0)
            object.__setattr__(self, "expiration", written)

    def environment(self) -> dict[str, str]:
        """Return the variables that give these credentials to a program that uses AWS."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
            "AWS_CREDENTIAL_EXPIRATION": _written(self.expiration),
        }
        return {name: value for name, value in variables.items() if value is not None}

    def document(self) -> dict[str, str]:
        """Return what AWS's ``credential_process`` prints, but for its ``Version``."""
        document = {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.session_token,
            "Expiration": _written(self.expiration),
        }
        return {name: value for name, value in document.items() if value is not None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> AwsCredentials | None:
        """Return the credentials of a `document`, or None when it is none."""
        match document:
            case {"AccessKeyId": str(key), "SecretAccessKey": str(secret)}:
                token = document.get("SessionToken")
                return cls(key, secret, token if isinstance(token, str) else None, moment(document.get("Expiration")))
            case _:
                return None


@dataclasses.dataclass(frozen=True)
class Token:
    """A token of Rackspace Identity, and the tenant that it is for, if it says."""

    id: str = dataclasses.field(repr=False)
    expiration: datetime | None = None
    tenant: str | None = None

    def document(self) -> dict[str, str]:
        """Return the token as strings, for a store."""
        document = {"Token": self.id, "Expiration": _written(self.expiration), "Tenant": self.tenant}
        return {name: value for name, value in document.items() if value is not None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Token | None:
        """Return the token of a `document`, or None when it is none."""
        match document:
            case {"Token": str(token)}:
                tenant = document.get("Tenant")
                return cls(token, moment(document.get("Expiration")), tenant if isinstance(tenant, str) else None)
            case _:
                return None


def _written(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
