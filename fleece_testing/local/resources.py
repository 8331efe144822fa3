"""``resources.yml``: what the local stack holds when it has started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fleece_testing.aws import AWS


class ResourcesError(Exception):
    """``resources.yml`` does not say what it should; the message names the file and the place."""


@dataclass(frozen=True)
class Account:
    """An AWS account: its number, the aliases of its KMS keys, the names of its roles and of its S3 buckets."""

    number: str
    keys: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()


def read_resources(path: Path) -> tuple[Account, ...]:
    """Read the accounts from the file.

    Raises:
        ResourcesError: the file is missing, is no YAML, or has another shape.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResourcesError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ResourcesError(f"{path}: not valid YAML: {error}") from error
    return parse_resources(document, str(path))


def parse_resources(document: Any, source: str) -> tuple[Account, ...]:
    """Turn ``{"accounts": {NUMBER: {"keys": [...], "roles": [...], "buckets": [...]}}}`` into accounts."""
    accounts = document.get("accounts") if isinstance(document, dict) else None
    if not isinstance(accounts, dict):
        raise ResourcesError(f"{source}: expected a mapping 'accounts' from account numbers to their resources")
    return tuple(_account(number, holds, source) for number, holds in accounts.items())


def _account(number: object, holds: object, source: str) -> Account:
    if not (isinstance(number, str) and number.isdecimal() and len(number) == 12):  # noqa: PLR2004 (AWS's length)
        raise ResourcesError(f"{source}: an account is a string of 12 digits, in quotes: {number!r}")
    if not isinstance(holds, dict) or not holds.keys() <= {"keys", "roles", "buckets"}:
        raise ResourcesError(f"{source}: account {number} takes 'keys', 'roles' and 'buckets', each a list of names")
    for kind, names in holds.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ResourcesError(f"{source}: {kind!r} of account {number} is not a list of names")
    return Account(number, **{kind: tuple(names) for kind, names in holds.items()})


def seed(aws: AWS, accounts: tuple[Account, ...]) -> Iterator[str]:
    """Make the resources in the emulated AWS, and yield the name of each as it is made."""
    for account in accounts:
        for alias in account.keys:
            yield aws.kms_key(alias, account=account.number)
        for role in account.roles:
            yield aws.role(role, account.number)
        for bucket in account.buckets:
            # S3's oldest region is the one that cannot be named.
            place = {} if aws.region == "us-east-1" else {"LocationConstraint": aws.region}
            options = {"CreateBucketConfiguration": place} if place else {}
            aws.client("s3", account=account.number).create_bucket(Bucket=bucket, **options)
            yield f"arn:aws:s3:::{bucket}"
