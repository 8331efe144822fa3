"""What a build installs, under which key, and what of it goes into the zip. Pure."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from fleece.cli.build.exclusions import Exclusions, without_bytecode_of
from fleece.cli.build.pip_settings import with_variables
from fleece.cli.build.urls import without_users
from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from fleece.cli.build.reports import Reports
    from fleece.cli.build.requirements import Requirements
    from fleece.cli.build.target import Target

PACKAGE = "lambda_function.zip"

UNPACKED_LIMIT = 250 * 1024**2
"""Bytes that a function may have once unpacked, its layers included (AWS, "Lambda quotas")."""

DIRECT_LIMIT = 50 * 1024**2
"""Bytes of a zip that can be uploaded as it is; a larger one goes through S3 (AWS, "Lambda quotas")."""

_FORMAT = 1
"""Of what is kept in the cache; another number is another key."""

_NAMES_INDEX = re.compile(
    r".*requirements.*\.(txt|in)|Pipfile(\.lock)?|pylock(\..+)?\.toml|(poetry|uv)\.lock|pyproject\.toml|(pip|uv)\.(conf|ini|toml)"
)


class Session(Protocol):
    """Installs one service's packages; given by `Installer.session`."""

    def install(self, requirements: Requirements, tree: Path, scratch: Path) -> None:
        """Install the requirements into the new folder `tree`; `scratch` is for further files."""

    def compile(self, tree: Path) -> None:
        """Write the target's bytecode of the packages into `tree`."""


class Installer(Protocol):
    """A way to install packages for a target: `fleece.cli.build.wheels`, `fleece.cli.build.docker`."""

    @property
    def can_compile(self) -> bool:
        """Whether it can make the target's bytecode."""

    def settings(self, requirements: Requirements) -> Mapping[str, str]:
        """Return what beside the requirements decides what is installed."""

    def local_links(self) -> Iterable[str]:
        """Return the folders and addresses that packages are looked for in beside an index."""

    def refresh(self, reports: Reports) -> None:
        """Look whether what `settings` knows from the last time still holds."""

    def session(self, reports: Reports) -> AbstractContextManager[Session]:
        """Give what installs packages, after `refresh`, until the end of the ``with`` block."""

    def stop(self) -> None:
        """End what runs, in whichever thread it was started, and start no more."""


@dataclass(frozen=True)
class Options:
    """The options of ``fleece build`` that hold for every service of a run; paths as the user gave them.

    Attributes:
        image: to build in; None for the one that AWS makes for the target.
        dependencies: system packages that are installed into the image first, in order.
        pull: whether the image's registry is asked, though the engine has one of that name.
    """

    target: Target
    requirements: Path | None = None
    pipfile: Path | None = None
    output: Path | None = None
    source: Path | None = None
    exclusions: Exclusions = field(default_factory=Exclusions)
    build_info: bool = False
    compile: bool = True
    rebuild: bool = False
    image: str | None = None
    dependencies: tuple[str, ...] = ()
    pull: bool = False


@dataclass(frozen=True)
class Places:
    """Where a service's parts are."""

    service: Path
    source: Path
    package: Path


def places(options: Options, services: Sequence[Path]) -> list[Places]:
    """Return where each service's source is and where its zip goes.

    Raises:
        UsageError: two services would write the same zip.
    """
    found = [
        Places(service, options.source or service / "src", (options.output or service / "dist") / PACKAGE)
        for service in services
    ]
    if len({os.path.realpath(place.package) for place in found}) < len(found):
        raise UsageError("several services would write the same zip: name each once, and leave out --target")
    return found


def cache_key(
    target: Target,
    requirements: Requirements,
    settings: Mapping[str, str],
    fingerprints: Sequence[str],
    environment: Mapping[str, str],
    *,
    compiled: bool,
) -> str:
    """Return the key of the packages that these make: 64 hexadecimal digits.

    Credentials in URLs are no part of it: a token that changes each day fetches the same packages.

    Args:
        target: what they are for.
        requirements: what is asked for.
        settings: the installer's, from `Installer.settings`.
        fingerprints: of the local files that packages come from.
        environment: for ``${NAME}`` in the requirements.
        compiled: whether there is bytecode among them.
    """
    decisive = {
        "format": _FORMAT,
        "python": str(target.runtime),
        "architecture": target.architecture,
        "requirements": [without_users(with_variables(text, environment)) for text in requirements.contents],
        "kind": requirements.origin.suffix,
        "settings": {name: without_users(value) for name, value in settings.items()},
        "local": list(fingerprints),
        "compiled": compiled,
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def reduced_key(key: str, gone: Collection[str]) -> str:
    """Return the key of the packages of `key` without the entries in `gone`."""
    return hashlib.sha256("\n".join([key, *sorted(gone)]).encode()).hexdigest()


def packages_left_out(packages: Iterable[str], source: Collection[str], exclusions: Exclusions) -> frozenset[str]:
    """Return which of the packages' files stay out: those excluded, and those that the source has of its own."""
    names = frozenset(packages)
    mine = set(source)
    return without_bytecode_of(names, frozenset(name for name in names if name in mine or exclusions.match(name)))


def may_name_index(name: str) -> bool:
    """Whether a file of that path, by its name, may hold the address of a package index."""
    return _NAMES_INDEX.fullmatch(PurePosixPath(name).name) is not None


def refusal(sizes: Mapping[str, int]) -> str | None:
    """Return what is wrong with an unpacked package of these sizes in bytes, by path; None when Lambda takes it."""
    if not sizes:
        return "the zip would be empty, which Lambda does not accept"
    total = sum(sizes.values())
    if total <= UNPACKED_LIMIT:
        return None
    parts: Counter[str] = Counter()
    for name, size in sizes.items():
        parts[name.partition("/")[0]] += size
    named = ", ".join(f"{name} {readable(size)}" for name, size in parts.most_common(10))
    return (
        f"it would be {readable(total)} unpacked, and Lambda takes {readable(UNPACKED_LIMIT)}; the largest parts: "
        f"{named}; --exclude leaves out what is not needed"
    )


def readable(size: int) -> str:
    """Return a size in bytes as a person reads it."""
    return f"{size / 1024**2:.1f} MB" if size >= 1024**2 else f"{size / 1024:.1f} KB"
