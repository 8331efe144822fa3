"""Which installed packages AWS's runtime for Python brings along: its client, boto3, and what these need.

A function's zip may leave these out, and nothing else. The standard library alone is used here, because this file also
runs as a script, under the interpreter that the function is to run under.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PROVIDED = ("awslambdaric", "boto3")
_REQUIREMENT_NAME = re.compile(r"[A-Za-z0-9._-]+")


class Interpreter(NamedTuple):
    """A Python, and where in it the packages of AWS's runtime are.

    Attributes:
        version: ``3.12``, say.
        packages: the files and folders to link, from the name on the import path to the place.
    """

    version: str
    packages: dict[str, str]


def inspect(python: str) -> Interpreter:
    """Look into the interpreter at `python`.

    Raises:
        FileNotFoundError: there is no such program.
        ValueError: it is no Python, or has no awslambdaric.
    """
    interpreter = _inspect_this() if Path(python) == Path(sys.executable) else _ask(python)
    if not any(name.startswith("awslambdaric") for name in interpreter.packages):
        raise ValueError(f"{python} has no awslambdaric, AWS's runtime client: {python} -m pip install awslambdaric")
    return interpreter


def _ask(python: str) -> Interpreter:
    try:
        answer = subprocess.run([python, __file__], stdout=subprocess.PIPE, check=True)  # noqa: S603 (the caller's)
        return Interpreter(*json.loads(answer.stdout))
    except FileNotFoundError:
        message = f"There is no interpreter {python!r}: give a path, or a name that is on the PATH"
        raise FileNotFoundError(message) from None
    except (OSError, subprocess.CalledProcessError, ValueError, TypeError) as error:
        raise ValueError(f"{python} is no interpreter of Python that works: {error}") from error


def _inspect_this() -> Interpreter:
    version = "{}.{}".format(*sys.version_info)
    return Interpreter(version, dict(sorted(_entries(_with_requirements(_PROVIDED)))))


def _with_requirements(names: Iterable[str]) -> Iterator[metadata.Distribution]:
    """Yield the installed distributions of these names and, again and again, of what they require."""
    wanted, seen = list(names), set()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # required on other platforms or versions only
            continue
        yield distribution
        wanted += [
            match.group()
            for requirement in distribution.requires or ()
            if "extra ==" not in requirement and (match := _REQUIREMENT_NAME.match(requirement))
        ]


def _entries(distributions: Iterable[metadata.Distribution]) -> Iterator[tuple[str, str]]:
    """Yield what each distribution has at the top of site-packages: packages, modules and its metadata."""
    for distribution in distributions:
        for top in {path.parts[0] for path in distribution.files or ()} - {"..", "__pycache__"}:
            yield top, str(distribution.locate_file(top))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_inspect_this()))
