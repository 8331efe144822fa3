"""What stays out of the zip: the patterns of ``--exclude``, and what no function needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

UNFINISHED = ".lambda_function.zip."
"""What the name of a zip starts with while it is written."""

_NEVER = frozenset(
    {
        ".DS_Store",
        ".env",
        ".git",
        ".hg",
        ".mypy_cache",
        ".netrc",
        ".nox",
        ".pypirc",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
    }
)
"""Names of files and folders of the source that stay out at any depth."""


@dataclass(frozen=True)
class Exclusions:
    """Glob patterns over the paths inside the zip.

    ``*`` also matches ``/``, so that ``*/tests/*`` is every folder ``tests`` below the top; a pattern that matches a
    folder leaves out all that is in it.
    """

    patterns: tuple[str, ...] = ()

    def match(self, path: str) -> bool:
        """Whether `path`, or a folder that it is in, matches a pattern."""
        if not self.patterns:
            return False
        parents = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        return any(fnmatchcase(one, _tidy(pattern)) for pattern in self.patterns for one in (path, *parents))


def is_noise(path: str) -> bool:
    """Whether a file or folder of the source is left out without being asked for, by its name.

    Virtual environments are known by what is in them: see `fleece.cli.build.package`.
    """
    name = PurePosixPath(path).name
    return name in _NEVER or name.startswith((".env.", UNFINISHED)) or name.endswith((".pyc", ".pyo"))


def without_bytecode_of(names: frozenset[str], gone: frozenset[str]) -> frozenset[str]:
    """Return `gone` with the ``.pyc`` files among `names` whose source is in it.

    Unchecked bytecode is taken for what it is: left behind, it would be run instead of a source that replaces it.
    """
    sources = {str(PurePosixPath(path).with_suffix("")) for path in gone if path.endswith(".py")}
    return gone | {name for name in names if name.endswith(".pyc") and _source_of(name) in sources}


def _source_of(bytecode: str) -> str:
    """Return the path, without ``.py``, of what ``folder/__pycache__/name.cpython-312.pyc`` was compiled from."""
    path = PurePosixPath(bytecode)
    return str(path.parent.parent / path.name.partition(".")[0])


def _tidy(pattern: str) -> str:
    return pattern.removeprefix("./").rstrip("/")
