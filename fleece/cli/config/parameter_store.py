"""Parameter Store: reading what is there, and writing what differs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fleece.cli import aws
from fleece.cli.config.keys import key_id
from fleece.cli.config.parameters import DEFAULT_KEY, TYPE, Existing
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleece.cli.config.parameters import Write

_log = logging.getLogger(__name__)

_AT_ONCE = 10  # names that one GetParameters takes


class ParameterStore:
    """The parameters of one account and region.

    Args:
        ssm: a client of Systems Manager, which retries when it is throttled.
        kms: a client of KMS, for aliases.
    """

    def __init__(self, ssm: Any, kms: Any) -> None:
        self._ssm = ssm
        self._kms = kms
        self._arns: dict[str, str] = {DEFAULT_KEY: DEFAULT_KEY}

    def key(self, name: str | None) -> str:
        """Return the ARN of a key by its id, ARN or alias; `DEFAULT_KEY` for None.

        Raises:
            CommandError: there is no such key, or these credentials may not see it.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow, and not always needed)

        wanted = DEFAULT_KEY if name is None else key_id(name)
        if wanted not in self._arns:
            try:
                self._arns[wanted] = self._kms.describe_key(KeyId=wanted)["KeyMetadata"]["Arn"]
            except (BotoCoreError, ClientError) as error:
                raise CommandError(f"the key {name!r} cannot be used for parameters: {aws.reason(error)}") from None
        return self._arns[wanted]

    def read(self, names: Sequence[str]) -> dict[str, Existing]:
        """Return those of the parameters that are there, by name.

        Raises:
            CommandError: they cannot be read.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return dict(self._read(names))
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"the parameters that are there cannot be read, so none is written: {aws.reason(error)}"
            ) from None

    def _read(self, names: Sequence[str]) -> Iterator[tuple[str, Existing]]:
        for start in range(0, len(names), _AT_ONCE):
            batch = list(names[start : start + _AT_ONCE])
            values = {p["Name"]: p for p in self._ssm.get_parameters(Names=batch, WithDecryption=True)["Parameters"]}
            # GetParameters tells neither the tier nor the key.
            for details in self._describe(list(values)):
                value = values[details["Name"]]
                key = self._known_key(details.get("KeyId", ""))
                yield details["Name"], Existing(value["Value"], value["Type"], details.get("Tier", "Standard"), key)

    def _describe(self, names: list[str]) -> Iterator[Any]:
        if not names:
            return
        filters = [{"Key": "Name", "Option": "Equals", "Values": names}]
        for page in self._ssm.get_paginator("describe_parameters").paginate(ParameterFilters=filters):
            yield from page["Parameters"]

    def _known_key(self, name: str) -> str:
        """Return the ARN of the key that a parameter has; its name, when that leads nowhere any more."""
        try:
            return self.key(name) if name else ""
        except CommandError:
            return name

    def write(self, writes: Sequence[Write], key: str) -> None:
        """Write the parameters one after the other, each told to the log; one that fails does not stop the others.

        Raises:
            CommandError: some could not be written; the message says which were written and which not.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        written, failed = [], []
        for write in writes:
            _log.info("Writing %s...", write.name)
            tier = {"Tier": "Advanced"} if write.advanced else {}
            try:
                self._ssm.put_parameter(
                    Name=write.name, Value=write.value, Type=TYPE, KeyId=key, Overwrite=True, **tier
                )
            except (BotoCoreError, ClientError) as error:
                failed.append((write.name, error))
            else:
                written.append(write.name)
        if failed:
            raise CommandError(
                f"not written: {', '.join(name for name, _ in failed)} ({aws.reason(failed[0][1])}); "
                f"written: {', '.join(written) or 'none'}; run it again for the rest"
            )
