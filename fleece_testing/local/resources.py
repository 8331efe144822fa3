"""``resources.yml``: what the local stack holds when it has started."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fleece_testing.aws import AWS

_KINDS = ("keys", "roles", "buckets")
_FIRST = "local"


class ResourcesError(CommandError):
    """``resources.yml`` does not say what it should; the message names the file and the place."""


@dataclass(frozen=True)
class Account:
    """An AWS account: its number, the aliases of its KMS keys, the names of its roles and of its S3 buckets.

    `environment` is what it is called in an ``environments.yml``.
    """

    number: str
    keys: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    environment: str = _FIRST


def read_resources(path: Path) -> tuple[Account, ...]:
    """Read the accounts from the file.

    Raises:
        ResourcesError: the file is missing, is no YAML, or has another shape.
    """
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ResourcesError(f"{path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ResourcesError(f"{path}{place}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ResourcesError(f"{path}: not valid YAML in UTF-8") from error
    return parse_resources(document, str(path))


def parse_resources(document: Any, source: str) -> tuple[Account, ...]:
    """Turn ``{"accounts": {NUMBER: {"keys": [...], "roles": [...], "buckets": [...]}}}`` into accounts.

    An account may also have an ``environment``, its name in ``environments.yml``. The first is called ``local``
    otherwise, and the others by their number as well.

    Raises:
        ResourcesError: it has another shape; the message begins with `source`.
    """
    accounts = document.get("accounts") if isinstance(document, dict) else None
    if not isinstance(accounts, dict) or not accounts:
        raise ResourcesError(f"{source}: expected a mapping 'accounts' from account numbers to their resources")
    names = [_FIRST, *(f"{_FIRST}-{number}" for number in list(accounts)[1:])]
    parsed = tuple(
        _account(number, accounts[number], name, source) for number, name in zip(accounts, names, strict=True)
    )
    if len({account.environment for account in parsed}) < len(parsed):
        raise ResourcesError(f"{source}: two accounts have the same 'environment'; each needs a name of its own")
    return parsed


def _account(number: object, holds: object, name: str, source: str) -> Account:
    if not (isinstance(number, str) and number.isdecimal() and len(number) == 12):  # noqa: PLR2004 (AWS's length)
        raise ResourcesError(f"{source}: an account is a string of 12 digits, in quotes: {number!r}")
    if not isinstance(holds, dict) or not holds.keys() <= {*_KINDS, "environment"}:
        raise ResourcesError(
            f"{source}: account {number} takes 'keys', 'roles' and 'buckets', lists of names, and an 'environment'"
        )
    environment = holds.get("environment", name)
    if not isinstance(environment, str) or not environment:
        raise ResourcesError(f"{source}: 'environment' of account {number} is not a name")
    for kind in _KINDS & holds.keys():
        names = holds[kind]
        if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
            raise ResourcesError(f"{source}: {kind!r} of account {number} is not a list of names")
        if len(set(names)) < len(names):
            raise ResourcesError(f"{source}: {kind!r} of account {number} has a name twice")
    found = {kind: tuple(holds[kind]) for kind in _KINDS if kind in holds}
    return Account(number, **found, environment=environment)


def seed(aws: AWS, accounts: tuple[Account, ...]) -> Iterator[str]:
    """Make the resources in the emulated AWS, and yield the ARN of each as it is made.

    Raises:
        ResourcesError: one cannot be made, for its name as a rule.
    """
    makers: dict[str, Callable[[str, str], str]] = {
        "keys": lambda name, account: aws.kms_key(name, account=account),
        "roles": aws.role,
        "buckets": lambda name, account: _make_bucket(aws, name, account),
    }
    for account in accounts:
        for kind, make in makers.items():
            for name in getattr(account, kind):
                try:
                    yield make(name, account.number)
                except Exception as error:
                    raise ResourcesError(f"{name!r} of the {kind} of account {account.number}: {error}") from error


def _make_bucket(aws: AWS, name: str, account: str) -> str:
    s3 = aws.client("s3", account=account)
    # S3's oldest region is the one that cannot be named.
    place = {} if aws.region == "us-east-1" else {"LocationConstraint": aws.region}
    options = {"CreateBucketConfiguration": place} if place else {}
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # a LocalStack keeps what it has been seeded with
        s3.create_bucket(Bucket=name, **options)
    return f"arn:aws:s3:::{name}"
