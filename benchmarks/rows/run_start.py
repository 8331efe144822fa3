"""``fleece run -e ENVIRONMENT -- COMMAND`` with its credentials in the cache, beside ``env COMMAND``.

The CPU time of whole processes, with a command that does next to nothing: what fleece adds to each command of a day,
as nothing in it waits. The rehearsal fills the cache; Rackspace's stand-in answers it and nobody after it.
"""

from __future__ import annotations

import shutil

from harness.model import Command, Contestant, Evidence, Extra, Row
from harness.peers import FLEECE_CLI
from services.rackspace import ACCESS_KEY_ID, ACCOUNT, rackspace

ENV = shutil.which("env") or "env"
SHOW = ("printenv", "AWS_ACCESS_KEY_ID")
FILES = {"environments.yml": f"environments:\n  - name: staging\n    account: '{ACCOUNT}'\n    region: eu-west-1\n"}


def check(evidence: Evidence) -> None:
    """Require that the command was run, and had the credentials."""
    assert evidence.output == f"{ACCESS_KEY_ID}\n".encode()


ROW = Row(
    work="start of a command, credentials cached",
    rounds=41,
    stage=rackspace,
    contestants=(
        Contestant(
            "fleece run -e", FLEECE_CLI, Command(("fleece", "run", "-e", "staging", "--", *SHOW), FILES), check=check
        ),
        Contestant("fleece run -a", FLEECE_CLI, Command(("fleece", "run", "-a", ACCOUNT, "--", *SHOW)), check=check),
        Contestant("env", FLEECE_CLI, Command((ENV, f"AWS_ACCESS_KEY_ID={ACCESS_KEY_ID}", *SHOW)), check=check),
    ),
    bars=(
        Extra("fleece run -e", "env", 150e-3),
        Extra("fleece run -a", "env", 150e-3),
    ),
)
