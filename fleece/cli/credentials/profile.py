"""Credentials of a boto3 profile (SSO, assumed roles, ``credential_process``), and of the AWS variables."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fleece._moments import moment
from fleece.cli import aws
from fleece.cli.credentials.values import AwsCredentials, CredentialsError
from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.session import Session

IN_PROFILE = "FLEECE_IN_PROFILE"
"""Set for what a profile's ``credential_process`` runs: a fleece there that asked a profile again would never end."""


class Profile:
    """A profile of ``~/.aws/config``, as boto3 understands it.

    Args:
        name: the profile's name.
        ask_code: called when the profile wants a second factor; returns the code.
        environ: the variables to look into; botocore itself looks into the process's.

    Raises:
        UsageError: fleece is called by a profile.
        CredentialsError: the files of profiles cannot be read.
    """

    def __init__(self, name: str, ask_code: Callable[[], str], environ: Mapping[str, str] = os.environ) -> None:
        if IN_PROFILE in environ:
            raise UsageError(
                f"the profile {environ[IN_PROFILE]!r} runs fleece, which would ask the profile {name!r} again: "
                "give the environment another provider, or the profile another credential_process"
            )
        from botocore.session import Session  # noqa: PLC0415 (takes 0.2 s)

        self._name = name
        self._ask_code = ask_code
        self._environ = environ
        self._session = Session(profile=name)

    @property
    def settings(self) -> str:
        """All that the credentials depend on, secrets included: the files of profiles, AWS's variables, and logins."""
        variables = {name: value for name, value in self._environ.items() if name.startswith("AWS_")}
        with _told(self._name):
            return json.dumps([self._session.full_config, variables, _logins()], sort_keys=True, default=str)

    def credentials(self) -> AwsCredentials:
        """Get the profile's credentials, from wherever it says.

        Raises:
            UsageError: there is no such profile.
            CredentialsError: it does not give any.
        """
        with _told(self._name), _marked(self._name):
            # botocore's own calls for it, to STS and SSO, must not follow an endpoint that the shell has by chance.
            self._session.set_default_client_config(aws.client_configuration())
            _ask_by(self._session, self._ask_code)
            found = self._session.get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise CredentialsError(f"the AWS profile {self._name!r} has no credentials: see `aws configure sso`")
        # Only those that botocore renews have one; the AWS CLI's `configure export-credentials` reads it there as well.
        expiration = getattr(found, "_expiry_time", None)
        return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token, expiration)


def _logins() -> list[str]:
    """Return what ``aws sso login`` and ``aws login`` have left, and the logout removes: whoever is logged in there."""
    folder = Path(os.path.expanduser("~/.aws"))  # noqa: PTH111 (where nobody's home, it is no error)
    paths = [*folder.glob("sso/cache/*.json"), *folder.glob("login/cache/*.json")]
    return [path.read_bytes().hex() for path in sorted(paths)]


def _ask_by(session: Session, ask_code: Callable[[], str]) -> None:
    """Have `ask_code` called for botocore's own question, which knows no ``--no-input`` and would read stdin."""
    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider._prompter = lambda _question: ask_code()  # noqa: SLF001 (there is no other way)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what botocore says of a profile as errors of fleece."""
    from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound  # noqa: PLC0415 (takes 0.2 s)

    try:
        yield
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
