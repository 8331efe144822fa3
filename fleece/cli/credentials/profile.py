"""Credentials of a boto3 profile (SSO, assumed roles, ``credential_process``), and of the AWS variables."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from fleece._moments import moment
from fleece.cli import aws
from fleece.cli.credentials.values import AwsCredentials, CredentialsError
from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IN_PROFILE = "FLEECE_IN_PROFILE"
"""Set for what a profile's ``credential_process`` runs: a fleece there that asked a profile again would never end."""


def of_profile(name: str) -> AwsCredentials:
    """Return the credentials of a boto3 profile.

    Raises:
        UsageError: there is no such profile, or it leads back to fleece.
        CredentialsError: the profile does not give any.
    """
    if IN_PROFILE in os.environ:
        raise UsageError(
            f"the profile {os.environ[IN_PROFILE]!r} runs fleece, which would ask the profile {name!r} again: "
            "give the environment another provider, or the profile another credential_process"
        )
    from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound  # noqa: PLC0415 (takes 0.2 s)
    from botocore.session import Session  # noqa: PLC0415

    try:
        with _marked(name):
            # botocore's own calls for it, to STS and SSO, must not follow an endpoint that the shell has by chance.
            session = Session(profile=name)
            session.set_default_client_config(aws.client_configuration())
            found = session.get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
    except ProfileNotFound:
        raise UsageError(f"there is no AWS profile {name!r}: see `aws configure list-profiles`") from None
    except (BotoCoreError, ClientError) as error:
        raise CredentialsError(f"the AWS profile {name!r} gives no credentials: {aws.reason(error)}") from None
    except OSError as error:
        raise CredentialsError(
            f"the AWS profile {name!r} gives no credentials: {error.filename or 'what it runs'}: {error.strerror}"
        ) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        # botocore takes it for granted that there is a JSON object.
        raise CredentialsError(
            f"the AWS profile {name!r} gives no credentials: what its credential_process prints is no such document"
        ) from None
    if frozen is None or not frozen.access_key or not frozen.secret_key:
        raise CredentialsError(f"the AWS profile {name!r} has no credentials: see `aws configure sso`")
    # Only those that botocore renews have one; the AWS CLI's `configure export-credentials` reads it there as well.
    expiration = getattr(found, "_expiry_time", None)
    return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token, expiration)


def of_variables(environ: Mapping[str, str]) -> AwsCredentials:
    """Return the credentials that the AWS variables hold.

    Raises:
        UsageError: a variable is not set.
    """
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not environ.get(name)]
    if missing:
        raise UsageError(f"'provider: environment' takes the AWS variables as they are: set {' and '.join(missing)}")
    return AwsCredentials(
        environ["AWS_ACCESS_KEY_ID"],
        environ["AWS_SECRET_ACCESS_KEY"],
        environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN") or None,
        moment(environ.get("AWS_CREDENTIAL_EXPIRATION")),
    )


@contextlib.contextmanager
def _marked(profile: str) -> Iterator[None]:
    # botocore gives no other way to pass a variable to the credential_process that it starts.
    os.environ[IN_PROFILE] = profile
    try:
        yield
    finally:
        del os.environ[IN_PROFILE]
