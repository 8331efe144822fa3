"""What of the environment reaches a real account, and must therefore not be there while AWS is emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PREFIXES = (
    "AWS_BEARER_TOKEN_",
    "AWS_CONTAINER_",
    "AWS_EC2_METADATA_SERVICE_",
    "AWS_ENDPOINT_URL",
    "AWS_LOGIN_",
    "AWS_SSO_",
)
_NAMES = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCOUNT_ID",
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_CREDENTIAL_FILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "BOTO_CONFIG",
        "FLEECE_FAWS_URL",
        "FLEECE_IDENTITY_URL",
        "MOTO_ACCOUNT_ID",
        "RS_API_KEY",
        "RS_USERNAME",
    }
)


def to_scrub(environ: Iterable[str]) -> list[str]:
    """Return the names of `environ` that choose an account, a credential, a region or an endpoint."""
    return sorted(name for name in environ if name in _NAMES or name.startswith(_PREFIXES))


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `environ` for a child process that must reach nothing but the emulators.

    The shared configuration files and the metadata service are switched off as well: boto3 would look there next.
    """
    away = set(to_scrub(environ))
    kept = {name: value for name, value in environ.items() if name not in away}
    return kept | NO_OTHER_SOURCES | past_proxies(environ)


def past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep requests to loopback from the proxies of `environ`, and with them all others."""
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if exempt.strip() != "*":
        exempt = ",".join(filter(None, [exempt, "127.0.0.1", "localhost"]))
    return {"NO_PROXY": exempt, "no_proxy": exempt}


NO_OTHER_SOURCES = {
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
