"""``config.json`` with the commit and the time that a package was built from and at."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "config.json"

_COMMITS = (
    "CIRCLE_SHA1", "GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "BUILDKITE_COMMIT",
    "CODEBUILD_RESOLVED_SOURCE_VERSION", "BUILD_SOURCEVERSION", "DRONE_COMMIT_SHA", "TRAVIS_COMMIT", "GIT_COMMIT",
)  # fmt: skip
"""Where CI systems say which commit they build, in the order that they are asked."""


def render(present: bytes | None, commit: str, time: datetime) -> str:
    """Return the text of ``config.json`` with ``VERSION_HASH`` and ``BUILD_TIME`` (ISO 8601, UTC) added.

    Args:
        present: the content of the source's own ``config.json``, whose keys are kept, if it has one.
        commit: the commit's hash.
        time: an aware time.

    Raises:
        CommandError: the source's own is no JSON object.
    """
    try:
        content: Any = json.loads(present or b"{}")
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise CommandError(f"{NAME} of the source is no JSON object, so that --inject-build-info cannot add to it")
    content |= {"VERSION_HASH": commit, "BUILD_TIME": time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return json.dumps(content, indent=2) + "\n"


def find_commit(environment: Mapping[str, str], folder: Path) -> str:
    """Return the commit's hash, from a CI system's variable or from git.

    Raises:
        CommandError: neither knows.
    """
    for name in _COMMITS:
        if environment.get(name):
            return environment[name]
    try:
        git = subprocess.run(
            ["git", "rev-parse", "--verify", "HEAD"],  # noqa: S607 (the user's own git)
            cwd=folder, capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().partition("\n")[0]
        raise CommandError(
            f"no commit of {folder} for --inject-build-info ({reason}): set {_COMMITS[1]} to one"
        ) from error
    return git.stdout.strip()


def find_time(environment: Mapping[str, str]) -> datetime:
    """Return the time of ``SOURCE_DATE_EPOCH`` (seconds since 1970) when it is set, else the present.

    Raises:
        CommandError: it is no number of seconds.
    """
    epoch = environment.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(timezone.utc)
    try:
        return datetime.fromtimestamp(int(epoch), timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise CommandError(f"SOURCE_DATE_EPOCH is {epoch!r}, and should be seconds since 1970") from error
