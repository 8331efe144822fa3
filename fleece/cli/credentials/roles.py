"""AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleece.cli import aws
from fleece.cli.credentials.values import AwsCredentials, CredentialsError

if TYPE_CHECKING:
    from fleece.cli.environments import Environment

_DURATION = 3600  # seconds; credentials got by a role cannot get others for longer
_GLOBAL_REGION = "us-east-1"  # where a role is assumed when nothing says where


def assume(
    environment: Environment, credentials: AwsCredentials, role: str, session_name: str, region: str | None
) -> AwsCredentials:
    """Assume a role, named or given as an ARN, for an hour.

    Raises:
        CredentialsError: AWS refuses, or cannot be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (takes 0.2 s)

    client = aws.client("sts", environment, credentials, region or _GLOBAL_REGION)
    arn = role_arn(role, environment.account, client.meta.partition)
    try:
        answer = client.assume_role(RoleArn=arn, RoleSessionName=session_name, DurationSeconds=_DURATION)
    except (BotoCoreError, ClientError) as error:
        raise CredentialsError(f"the role {arn} cannot be assumed: {aws.reason(error)}") from None
    finally:
        client.close()
    given = answer["Credentials"]
    return AwsCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"])


def role_arn(role: str, account: str, partition: str) -> str:
    """Return the ARN of a role of the account; one that is an ARN already is returned as it is."""
    return role if role.startswith("arn:") else f"arn:{partition}:iam::{account}:role/{role}"
