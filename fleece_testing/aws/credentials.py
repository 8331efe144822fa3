"""Credentials of the emulated AWS, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Credentials:
    """What a program needs to sign requests; the secret parts are left out of `repr`.

    `session_token` and `expiration` (UTC, with a time zone) are ``None`` for long-term keys.

    Examples:
        >>> issued = fleece_aws.issue_credentials(seconds=900)
        >>> sorted(issued.environment())
        ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']
        >>> fleece_aws.client("sts", **issued.client_arguments()).get_caller_identity()["Account"]
        '123456789012'
    """

    account: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiration: datetime | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment variables that every AWS SDK reads; an empty token is none to them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            # Always there: long-term keys would be sent with a token that the environment has from elsewhere.
            "AWS_SESSION_TOKEN": self.session_token or "",
        }

    def client_arguments(self) -> dict[str, str | None]:
        """Return the keyword arguments that ``boto3.client`` takes."""
        return {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }
