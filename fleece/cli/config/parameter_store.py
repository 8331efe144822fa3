"""Parameter Store: reading what is there, and writing what differs."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from fleece.cli import aws
from fleece.cli._progress import track
from fleece.cli.config.keys import key_id
from fleece.cli.config.outcome import Outcome
from fleece.cli.config.parameters import DEFAULT_KEY, MAX_NAME, STANDARD, TYPE, Existing
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fleece.cli.config.parameters import Write

    Item = TypeVar("Item")

_log = logging.getLogger(__name__)

_READ_AT_ONCE = 10  # names that one GetParameters takes
_DESCRIBED_AT_ONCE = 50  # names that a filter of DescribeParameters takes

_AWS_ALIAS = "alias/aws/"  # begins the aliases of the keys that services of AWS make for themselves
_SHORT = 6  # characters; so few are in any text by chance

# After these the other parameters would only fail, too.
_FOR_ALL = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "ThrottlingException",
        "UnrecognizedClientException",
    }
)


class ParameterStore:
    """The parameters of one account and region.

    Args:
        ssm: a client of Systems Manager, which paces itself when it is throttled.
        kms: a client of KMS, for aliases.
    """

    def __init__(self, ssm: Any, kms: Any) -> None:
        self._ssm = ssm
        self._kms = kms
        self._arns: dict[str, str] = {}

    @property
    def longest_name(self) -> int:
        """How many characters a name can have here, in the region that its ARN names."""
        meta = self._ssm.meta
        return MAX_NAME - len(f"arn:{meta.partition}:ssm:{meta.region_name}:123456789012:parameter")

    def key(self, name: str | None) -> str:
        """Return the ARN of a key by its id, ARN or alias; `DEFAULT_KEY` for None.

        Raises:
            CommandError: there is no such key, it cannot encrypt parameters, or these credentials may not see it.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow, and not always needed)

        wanted = DEFAULT_KEY if name is None else key_id(name)
        alias = wanted.rpartition(":")[2]
        if alias == DEFAULT_KEY:
            return DEFAULT_KEY
        if alias.startswith(_AWS_ALIAS):
            raise CommandError(f"the key {name!r} cannot be used for parameters: it is for another service of AWS")
        try:
            found = self._kms.describe_key(KeyId=wanted)["KeyMetadata"]
        except (BotoCoreError, ClientError) as error:
            if _is_key_arn(wanted) and aws.code(error) == "AccessDeniedException":
                return wanted  # who may use a key need not be allowed to look at it
            raise CommandError(f"the key {name!r} cannot be used for parameters: {aws.reason(error)}") from None
        problem = _key_problem(found)
        if problem:
            raise CommandError(f"the key {name!r} cannot be used for parameters: {problem}")
        self._arns[wanted] = found["Arn"]
        return str(found["Arn"])

    def read(self, names: Sequence[str]) -> dict[str, Existing]:
        """Return those of the parameters that are there, by name.

        Raises:
            CommandError: they cannot be read.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return self._read(names)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"the parameters that are there cannot be read, so none is written: {aws.reason(error)}"
            ) from None

    def _read(self, names: Sequence[str]) -> dict[str, Existing]:
        values: dict[str, Any] = {}
        batches = list(_batches(names, _READ_AT_ONCE))
        for batch in track(batches, "Reading parameters", len(batches)):
            answer = self._ssm.get_parameters(Names=batch, WithDecryption=True)
            values |= {parameter["Name"]: parameter for parameter in answer["Parameters"]}
        # GetParameters tells neither the tier nor the key. What was just written may not be described yet: it has a key
        # that differs from any then.
        details = {
            one["Name"]: one
            for batch in _batches(list(values), _DESCRIBED_AT_ONCE)
            for one in self._described({"Key": "Name", "Option": "Equals", "Values": batch})
        }
        return {name: self._existing(value, details.get(name, {})) for name, value in values.items()}

    def _existing(self, value: Mapping[str, Any], details: Mapping[str, Any]) -> Existing:
        return Existing(
            value=value["Value"],
            type=value["Type"],
            tier=details.get("Tier", STANDARD),
            key=self._arn_of_key(details.get("KeyId", "")),
        )

    def names_below(self, prefix: str) -> list[str]:
        """Return the names of all parameters below a prefix, in order.

        Raises:
            CommandError: they cannot be read.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        where = {"Key": "Path", "Option": "Recursive", "Values": [prefix.rstrip("/") or "/"]}
        try:
            return sorted(details["Name"] for details in self._described(where))
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"the parameters below {prefix} cannot be listed: {aws.reason(error)}") from None

    def _described(self, where: Mapping[str, Any]) -> Iterator[Any]:
        for page in self._ssm.get_paginator("describe_parameters").paginate(
            ParameterFilters=[where], PaginationConfig={"PageSize": 50}
        ):
            yield from page["Parameters"]

    def _arn_of_key(self, name: str) -> str:
        """Return the ARN of the key that a parameter has; its name, when that leads nowhere any more."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        if name.rpartition(":")[2] == DEFAULT_KEY:
            return DEFAULT_KEY
        if not name or _is_key_arn(name):
            return name
        if name not in self._arns:
            try:
                self._arns[name] = self._kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"]
            except (BotoCoreError, ClientError):
                self._arns[name] = name
        return self._arns[name]

    def write(self, writes: Sequence[Write], key: str) -> None:
        """Write the parameters one after the other, each told to the log; one that is refused does not stop the others.

        What was written and what not is told when it fails, and also when it is interrupted.

        Args:
            writes: the parameters.
            key: the KMS key, as `key` returns it.

        Raises:
            CommandError: some could not be written.
        """
        outcome = Outcome([write.name for write in writes])
        try:
            self._write_each(writes, key, outcome)
        except (KeyboardInterrupt, SystemExit):
            _log.error("%s", outcome)
            raise
        if outcome.failed:
            raise CommandError(str(outcome))

    def _write_each(self, writes: Sequence[Write], key: str, outcome: Outcome) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        for number, write in enumerate(writes, start=1):
            outcome.in_doubt = write.name
            _log.info("Writing %s... (%d of %d)", write.name, number, len(writes))
            tier = {"Tier": write.tier} if write.tier else {}
            try:
                self._ssm.put_parameter(
                    Name=write.name, Value=write.value, Type=TYPE, KeyId=key, Overwrite=True, **tier
                )
            except (BotoCoreError, ClientError) as error:
                outcome.failed[_reason(error, write.value)].append(write.name)
                if not isinstance(error, ClientError) or aws.code(error) in _FOR_ALL:
                    return
            else:
                outcome.written.append(write.name)


def _reason(error: Exception, value: str) -> str:
    """Return why a parameter was refused; without AWS's own words where these repeat the value."""
    repeated = f"'{value}'" if len(value) < _SHORT else value
    # In all of the words, as the reason has only their first line, and maybe no more than the first line of the value.
    return aws.code(error) if repeated in str(error) else aws.reason(error)


def _is_key_arn(name: str) -> bool:
    return name.startswith("arn:") and ":key/" in name


def _key_problem(metadata: Mapping[str, Any]) -> str | None:
    """Return why a key does not encrypt parameters, from its description; None when it does."""
    if metadata.get("KeyState", "Enabled") != "Enabled":
        return f"it is {metadata['KeyState']}; enable it, or name another"
    if metadata.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return f"it is a {metadata['KeySpec']} key; name a symmetric one for encryption"
    return None


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
