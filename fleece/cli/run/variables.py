"""The variables that a program is run with, and the ways to print them."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleece.cli.credentials import AwsCredentials

_OTHERS = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DEFAULT_PROFILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "RS_API_KEY",
    }
)
_OTHER_PREFIXES = ("AWS_CONTAINER_", "AWS_ENDPOINT_URL")


def given(credentials: AwsCredentials, region: str | None, endpoint_url: str | None) -> dict[str, str]:
    """Return the variables that lead a program into the account; those of region and endpoint when these are known."""
    variables = credentials.environment()
    if region:
        variables |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if endpoint_url:
        variables["AWS_ENDPOINT_URL"] = endpoint_url
    return variables


def without_others(environ: Mapping[str, str], secrets: Iterable[str] = ()) -> dict[str, str]:
    """Return `environ` without what leads into another account or out of this one, and without Rackspace API keys.

    Args:
        environ: the variables of this process.
        secrets: the names of further variables to leave out.
    """
    out = _OTHERS.union(secrets)
    return {name: value for name, value in environ.items() if name not in out and not name.startswith(_OTHER_PREFIXES)}


def exported(variables: Mapping[str, str], form: str) -> str:
    """Return text that sets the variables: ``env`` for POSIX shells, ``powershell``, or ``json``."""
    if form == "json":
        return json.dumps(variables, indent=2)
    if form == "powershell":
        return "\n".join(f"$Env:{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in variables.items())
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
