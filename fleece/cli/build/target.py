"""What a package is built for: a Lambda runtime on an architecture, and which wheels run there. Pure.

The table is AWS's "Lambda runtimes" page; the C library is that of the runtime's Amazon Linux (``ldd --version``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

from fleece.cli.errors import UsageError

Architecture = Literal["x86_64", "arm64"]

ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

_AL1 = (2, 17)
_AL2 = (2, 26)
_AL2023 = (2, 34)

_ALIASES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""The names that platform tags had before they carried a glibc version (PEP 600)."""


@dataclass(frozen=True)
class Runtime:
    """A Python runtime of Lambda: its version, the glibc it runs on, and why one should move on from it, if so."""

    version: tuple[int, int]
    glibc: tuple[int, int]
    warning: str = ""

    def __str__(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"

    @property
    def has_unchecked_bytecode(self) -> bool:
        """Whether it can be given bytecode that it does not compare with the source (PEP 552)."""
        return self.version >= (3, 7)


def _retired(version: tuple[int, int], glibc: tuple[int, int]) -> Runtime:
    name = f"python{version[0]}.{version[1]}"
    return Runtime(version, glibc, f"Lambda no longer creates functions for {name}: choose a newer one with --python")


RUNTIMES = (
    _retired((2, 7), _AL1),
    _retired((3, 6), _AL1),
    _retired((3, 7), _AL1),
    _retired((3, 8), _AL2),
    _retired((3, 9), _AL2),
    Runtime((3, 10), _AL2, "Lambda's python3.10 is past its deprecation date: choose a newer one with --python"),
    Runtime((3, 11), _AL2),
    Runtime((3, 12), _AL2023),
    Runtime((3, 13), _AL2023),
    Runtime((3, 14), _AL2023),
)

NEWEST = RUNTIMES[-1]


def parse_runtime(text: str) -> Runtime:
    """Return the runtime that `text` names: ``3.12``, ``312``, ``python3.12``, ``py312``, ``3.12.4``.

    Raises:
        UsageError: it names none that Lambda has or had.
    """
    match = re.fullmatch(r"(?:python|py|cp)?-?([23])\.?(\d{1,2})(?:\.\d+)?", text.strip().lower())
    for runtime in RUNTIMES:
        if match and runtime.version == (int(match[1]), int(match[2])):
            return runtime
    raise UsageError(f"Lambda has no Python {text!r}: choose one of {', '.join(map(str, RUNTIMES))} with --python")


@dataclass(frozen=True)
class Target:
    """A runtime on an architecture."""

    runtime: Runtime
    architecture: Architecture

    def __str__(self) -> str:
        return f"Python {self.runtime} on {self.architecture}"

    @property
    def machine(self) -> str:
        """The architecture as Linux names it (``uname -m``)."""
        return "aarch64" if self.architecture == "arm64" else "x86_64"

    @property
    def abi(self) -> str:
        """The interpreter's ABI tag: ``cp312``; with pip's suffixes of old for the oldest."""
        suffix = {(2, 7): "mu", (3, 6): "m", (3, 7): "m"}.get(self.runtime.version, "")
        return "cp{}{}".format(*self.runtime.version) + suffix

    @cached_property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, the best first; pip wants every one of them named."""
        oldest = 17 if self.architecture == "arm64" else 5  # the first manylinux of each
        tags = []
        for minor in range(self.runtime.glibc[1], oldest - 1, -1):
            tags.append(f"manylinux_2_{minor}_{self.machine}")
            if (2, minor) in _ALIASES:
                tags.append(f"{_ALIASES[2, minor]}_{self.machine}")
        return (*tags, f"linux_{self.machine}")

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """Every tag of a wheel that runs there, the best first."""
        interpreter = "cp{}{}".format(*self.runtime.version)
        return (
            *cpython_tags(self.runtime.version, abis=[self.abi], platforms=self.platforms),
            *compatible_tags(self.runtime.version, interpreter=interpreter, platforms=self.platforms),
        )

    @cached_property
    def markers(self) -> dict[str, str]:
        """The environment that requirements' markers are evaluated in (PEP 508).

        The kernel's release and version are not known before the function runs, and no package asks for them.
        """
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.runtime}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.runtime}.0",
            "python_version": str(self.runtime),
            "sys_platform": "linux",
        }

    def refuses(self, tags: list[str]) -> str | None:
        """Return why a wheel with these tags does not run there, or None when it does.

        Args:
            tags: as the wheel's ``WHEEL`` file lists them, ``cp312-cp312-manylinux_2_17_x86_64`` for one.
        """
        mine = set(self.tags)
        if not tags or any(mine & parse_tag(tag) for tag in tags):
            return None
        platforms = {tag.rpartition("-")[2] for tag in tags}
        newer = [int(found[1]) for found in (re.match(r"manylinux_2_(\d+)_", one) for one in platforms) if found]
        too_new = self.lacks(min(newer, default=0))
        if too_new and any(one.endswith(self.machine) for one in platforms):
            return too_new
        return f"it is built for {', '.join(sorted(tags))}"

    def lacks(self, minor: int) -> str | None:
        """Return what is wrong with a package that needs glibc 2.`minor`, or None when it runs there."""
        if minor <= self.runtime.glibc[1]:
            return None
        return f"it needs glibc 2.{minor}, and Lambda's {self.runtime} has 2.{self.runtime.glibc[1]}"


def target_for(python: str, architecture: Architecture) -> Target:
    """Return the target that the options name.

    Raises:
        UsageError: Lambda has no such runtime, or not on that architecture.
    """
    runtime = parse_runtime(python)
    if architecture == "arm64" and runtime.glibc == _AL1:
        raise UsageError(f"Lambda never had Python {runtime} on arm64: choose --python 3.8 or newer, or x86_64")
    return Target(runtime, architecture)
