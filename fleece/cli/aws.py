"""Clients for an environment: its credentials, its region, its endpoint, and nothing that the shell has set by chance.

Importing this module does not import botocore; making a client does.
"""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Any

from fleece import __version__, _endpoints
from fleece._defaults import defaults
from fleece.cli.environments import region_problem
from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.config import Config

    from fleece.cli.credentials.values import AwsCredentials
    from fleece.cli.environments import Environment

_log = logging.getLogger(__name__)

_TIMEOUT = 30.0  # seconds; every call that fleece makes is answered in less than one
_ATTEMPTS = 8
CONNECTIONS = 40
"""How many calls a client can have under way: enough for a service that takes 20 ms to keep one processor busy."""

_SLOW = frozenset({"ssm"})  # services that take so few calls a second that a client had better pace itself


def region_of(
    environment: Environment, key_arn: str | None = None, environ: Mapping[str, str] = os.environ
) -> str | None:
    """Return the region: the environment's, the key's if that is an ARN, ``AWS_REGION``, ``AWS_DEFAULT_REGION``."""
    candidates = (environment.region, _region_in(key_arn), environ.get("AWS_REGION"), environ.get("AWS_DEFAULT_REGION"))
    return next((region for region in candidates if region), None)


def needed_region(environment: Environment, key_arn: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the region as `region_of` does.

    Raises:
        UsageError: there is none, and the message lists where it can be set; or that of the key is no region.
    """
    region = region_of(environment, key_arn, environ)
    if region is None:
        raise UsageError(
            f"no AWS region for the environment {environment.name!r}: set 'region' in environments.yml, use the key's "
            "ARN, or set AWS_REGION or AWS_DEFAULT_REGION"
        )
    problem = region_problem(region)
    if problem is not None and region == _region_in(key_arn):
        raise UsageError(f"the region {region!r} in the key's ARN {problem}")
    return region


def _region_in(arn: str | None) -> str | None:
    """Return the region that an ARN names; None for what is no ARN, or names none."""
    found = re.match(r"arn:[^:]*:[^:]*:([^:]+)", arn or "")
    return found[1] if found else None


def client(service: str, environment: Environment, credentials: AwsCredentials, region: str) -> Any:
    """Make an AWS client that goes where the environment says, with timeouts and bounded retries.

    Profiles and endpoints of the shell and of ``~/.aws/config`` have no say.

    Raises:
        UsageError: other settings there, or the region, are none that AWS's SDK takes.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 (takes 0.2 s, which a warm cache does not need)

    try:
        return _client(service, environment, credentials, region)
    except BotoCoreError as error:
        raise UsageError(f"the settings of AWS in the shell or in ~/.aws/config cannot be used: {error}") from error


def _client(service: str, environment: Environment, credentials: AwsCredentials, region: str) -> Any:
    from fleece.cli._session import session  # noqa: PLC0415 (botocore)

    here = environment.endpoint_url is not None and _endpoints.is_loopback(environment.endpoint_url)
    return defaults.resource("cli.session", session).create_client(
        service,
        region_name=region,
        endpoint_url=environment.endpoint_url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=client_configuration(paced=service in _SLOW, proxies={} if here else None),
    )


def client_configuration(*, paced: bool = False, **options: Any) -> Config:
    """Return how every client of the command line behaves: bounded in time, and deaf to endpoints of the shell.

    Args:
        paced: once it is throttled, call no more often than the service takes, rather than being refused at each call.
        options: as for botocore's `Config`.
    """
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # missing from botocore's stubs
        connect_timeout=_TIMEOUT,
        read_timeout=_TIMEOUT,
        max_pool_connections=CONNECTIONS,
        parameter_validation=False,  # a twentieth of a call's time; the service says what is wrong just as well
        retries={"mode": "adaptive" if paced else "standard", "total_max_attempts": _ATTEMPTS},
        user_agent=f"fleece/{__version__}",  # botocore puts its own together anew at each call, which takes a while
        **options,
    )


def reason(error: Exception) -> str:
    """Return why a call to AWS failed, in one line.

    Of AWS's own message the first line: after a wrong signature, the others repeat the request, session token included.
    """
    details = (getattr(error, "response", None) or {}).get("Error", {})
    if not details:
        return " ".join(str(error).split())  # what a credential_process has said, too, in all its lines
    return f"{details.get('Code')}: {details.get('Message') or 'no reason given'}".partition("\n")[0]


def code(error: Exception) -> str:
    """Return AWS's name for the failure of a call; the exception's own if AWS has not answered."""
    details = (getattr(error, "response", None) or {}).get("Error", {})
    return str(details.get("Code") or type(error).__name__)


def warn_about_endpoints(environ: Mapping[str, str] = os.environ) -> None:
    """Warn about endpoints in the shell's variables, which are not used.

    A forgotten one would send production's secrets to an emulator, and commit what AWS cannot open.
    """
    for name in sorted(environ):
        if name.startswith("AWS_ENDPOINT_URL"):
            _log.warning("%s is set and not used: endpoints come from environments.yml ('endpoint_url')", name)
