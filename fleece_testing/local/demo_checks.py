"""What the demo holds the results of its steps against."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

from fleece_testing.local.directory import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fleece_testing.runtime import Invocation

SECRETS = {"dev": TOKEN, "prod": "correct-horse-battery-staple"}
"""The secrets of the example's open configuration, by stage."""


class StepFailedError(Exception):
    """A step did not do what it should; the message says what was expected and what there was."""


def expect(condition: object, message: str) -> None:
    """Fail the step unless the condition holds."""
    if not condition:
        raise StepFailedError(message)


def expect_no_secret(what: str, texts: Iterable[str]) -> None:
    """Fail the step if one of the texts has a secret in clear; `what` is what each of them is."""
    for text in texts:
        for stage, secret in SECRETS.items():
            expect(secret not in text, f"{what} has the secret of {stage} in clear")


def expect_request_ids(event: Mapping[str, Any], invocation: Invocation) -> None:
    """Fail the step unless the function has logged, each line with the ids of Lambda's request and of the API's."""
    ids = {
        "lambda_request_id": invocation.request_id,
        "api_request_id": event["requestContext"]["requestId"],
    }
    expect(invocation.log_lines, "the function logged nothing")
    for line in invocation.log_lines:
        expect(
            {name: line.get(name) for name in ids} == ids,
            f"a log line has other request ids than {ids}: {json.dumps(line)}",
        )


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(path: Path) -> set[tuple[str, int]]:
    """Return what a zip has, as names and checksums, but for bytecode: each patch release of Python makes another."""
    with zipfile.ZipFile(path) as package:
        return {(one.filename, one.CRC) for one in package.infolist() if not one.filename.endswith(".pyc")}
