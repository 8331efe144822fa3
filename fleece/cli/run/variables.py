"""The variables that a program is run with, and the ways to print them."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from fleece.cli.credentials import AwsCredentials

_OTHERS = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCOUNT_ID",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DEFAULT_PROFILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_EXPIRATION",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    }
)
_OTHER_PREFIXES = ("AWS_BEARER_TOKEN_", "AWS_CONTAINER_", "AWS_ENDPOINT_URL")
# For PowerShell, the typographic ones end a string as well.
_DOUBLED_QUOTES = str.maketrans({quote: quote * 2 for quote in "'\u2018\u2019\u201a\u201b"})


def given(credentials: AwsCredentials, region: str | None, endpoint_url: str | None) -> dict[str, str]:
    """Return the variables that lead a program into the account; those of region and endpoint when these are known."""
    variables = credentials.environment()
    if region:
        variables |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if endpoint_url:
        variables["AWS_ENDPOINT_URL"] = endpoint_url
    return variables


def others(environ: Mapping[str, str]) -> list[str]:
    """Return the names of those variables that lead into another account, or to another endpoint."""
    return sorted(name for name in environ if name in _OTHERS or name.startswith(_OTHER_PREFIXES))


def without_others(
    environ: Mapping[str, str], key_names: Iterable[str] = (), keys: Container[str] = ()
) -> dict[str, str]:
    """Return `environ` without what leads into another account or out of this one, and without Rackspace API keys.

    Args:
        environ: the variables of this process.
        key_names: the names of further variables that hold API keys.
        keys: API keys, which are left out whatever the variables are called.
    """
    out = {"RS_API_KEY", *others(environ), *key_names}
    return {name: value for name, value in environ.items() if name not in out and value not in keys}


def exported(variables: Mapping[str, str], form: str, unset: Iterable[str] = ()) -> str:
    """Return text that sets the variables: ``env`` for POSIX shells, ``powershell``, or ``json``.

    Args:
        variables: values by name.
        form: one of these three.
        unset: names of variables that a shell is to forget first, those of `variables` excepted.
    """
    if form == "json":
        return json.dumps(variables, indent=2)
    # A variable that no shell can have, with any characters in its name, must not become a command of this one.
    gone = [name for name in unset if name not in variables and name.isascii() and name.isidentifier()]
    if form == "powershell":
        lines = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in gone]
        lines += [f"$Env:{name} = '{value.translate(_DOUBLED_QUOTES)}'" for name, value in variables.items()]
    else:
        lines = [f"unset {name}" for name in gone]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(lines)
