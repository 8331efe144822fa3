"""The requirements of a service: which file holds them, and what in it decides what is installed.

A ``requirements.txt`` goes to pip as it is. What else there may be is read by `fleece.cli.build.lockfiles`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.build import lockfiles
from fleece.cli.build.fingerprints import local_path
from fleece.cli.build.lockfiles import Batch
from fleece.cli.build.pip_settings import with_variables
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fleece.cli.build.target import Target

_NESTED = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(?P<path>\S.*)")
_LINKS = re.compile(r"(?:-f|--find-links)(?:\s*=\s*|\s+|(?<=-f))(?P<path>\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+|(?<=-e))(?P<path>\S.*)")

_PATH = re.compile(r"^\.|[/\\]|\.(?:whl|zip|tar\.gz)$")
"""What tells a path from a package's name."""

_EXPORTS = {
    "poetry.lock": ("poetry export{} --format pylock.toml --output {}", " (with poetry-plugin-export 1.10)"),
    "uv.lock": ("uv export{} --no-dev --no-emit-project --format pylock.toml --output-file {}", ""),
}
"""What makes a ``pylock.toml`` of a lock, and what that takes.

A requirements file would not do: pip refuses hashes in one beside a folder, as of a project that is near.
"""


@dataclass(frozen=True)
class Requirements:
    """What a service needs installed.

    Attributes:
        origin: the file that says so.
        batches: what to install, each on its own, in this order.
        files: every file that it is made of.
        contents: the text of each, for the cache's key.
        local: the files and folders that it names, whose content matters as well.
        indexes: the package indexes that a lock file names, the main one first.
        warnings: what the user should know.
    """

    origin: Path
    batches: tuple[Batch, ...]
    files: tuple[Path, ...]
    contents: tuple[str, ...]
    local: tuple[Path, ...] = ()
    indexes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_options(self) -> bool:
        """Whether a file sets options of pip's, such as ``--extra-index-url``."""
        return any(
            line.startswith("-") and not (_NESTED.match(line) or _EDITABLE.match(line))
            for text in self.contents
            for line in logical_lines(text)
        )


def find(service: Path, source: Path) -> Path:
    """Return the file that holds the requirements of the service in the folder `service`.

    ``src/requirements.txt``, or where it stands beside another source; else a ``Pipfile.lock``, else a ``pylock.toml``.

    Raises:
        CommandError: there is none.
    """
    folders = list(dict.fromkeys((service / "src", source)))
    plain = [folder / "requirements.txt" for folder in folders]
    locks = [folder / name for name in ("Pipfile.lock", "pylock.toml") for folder in (service, *folders)]
    for path in (*plain, *locks):
        if path.is_file():
            return path
    for folder in (service, *folders):
        for name in _EXPORTS:
            if (folder / name).is_file():
                raise _foreign(folder / name)
    raise CommandError(
        f"no requirements in {service}: neither {plain[0]} nor a Pipfile.lock or pylock.toml; "
        "make one (an empty requirements.txt will do), or name one with --requirements"
    )


def find_pipfile_lock(folder: Path) -> Path:
    """Return the ``Pipfile.lock`` of the option ``--pipfile``, which names its folder or the file itself.

    Raises:
        UsageError: there is none.
    """
    path = folder / "Pipfile.lock" if folder.is_dir() else folder
    if path.name != "Pipfile.lock" or not path.is_file():
        raise UsageError(f"no Pipfile.lock in {folder}: `pipenv lock` makes one, or name its folder with --pipfile")
    return path


def read(path: Path, target: Target, environment: Mapping[str, str]) -> Requirements:
    """Return the requirements in the file `path`, of whichever format its name says.

    Args:
        path: the file.
        target: what to install for.
        environment: for ``${NAME}`` in what a file names.

    Raises:
        CommandError: the file is not there, cannot be read, or is not for this target.
    """
    if path.name in _EXPORTS:
        raise _foreign(path)
    if path.name == "Pipfile.lock" or lockfiles.is_pylock(path):
        text = _text(path)
        read_lock = lockfiles.read_pipfile_lock if path.name == "Pipfile.lock" else lockfiles.read_pylock
        lock = read_lock(path, text, target)
        return Requirements(path, lock.batches, (path,), (text,), lock.local, lock.indexes, lock.warnings)
    files = dict(_with_nested(path, environment, set()))
    as_pip_sees = {file: with_variables(text, environment) for file, text in files.items()}
    batches = (Batch(files[path], file=path),) if any(map(asks_for_packages, as_pip_sees.values())) else ()
    local = [one for file, text in as_pip_sees.items() for one in _local_paths(text, file.parent)]
    return Requirements(path, batches, tuple(files), tuple(files.values()), tuple(dict.fromkeys(local)))


def logical_lines(text: str) -> Iterator[str]:
    """Yield the lines of a requirements file as pip takes them: joined at backslashes, without comments."""
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        stripped = re.sub(r"(^|\s+)#.*$", "", line).strip()
        if stripped:
            yield stripped


def asks_for_packages(text: str) -> bool:
    """Whether a requirements file asks for a package, or for a file of more of them on a server."""
    return any(_asks(line) for line in logical_lines(text))


def _asks(line: str) -> bool:
    nested = _NESTED.match(line)
    return "://" in nested["path"] if nested else not line.startswith("-") or bool(_EDITABLE.match(line))


def _with_nested(
    path: Path, environment: Mapping[str, str], seen: set[Path], by: str = ""
) -> Iterator[tuple[Path, str]]:
    """Yield a requirements file with its text, then those that it names with ``-r`` and ``-c``."""
    if path.resolve() in seen:
        return
    seen.add(path.resolve())
    text = _text(path, by)
    yield path, text
    for line in logical_lines(with_variables(text, environment)):
        nested = _NESTED.match(line)
        if nested and "://" not in nested["path"]:
            named = path.parent / nested["path"].strip("\"'")
            yield from _with_nested(named, environment, seen, f", which {path} names")


def _local_paths(text: str, folder: Path) -> Iterator[Path]:
    """Yield the files and folders that packages are taken from."""
    for line in logical_lines(text):
        links, editable = _LINKS.match(line), _EDITABLE.match(line)
        if links:
            path = local_path(links["path"])
            if path is not None:
                # For these alone pip looks beside the file first; everything else is from the current folder.
                yield folder / path if (folder / path).exists() else path
        elif editable or not line.startswith("-"):
            place = re.split(r"\s+(?:;|--)", editable["path"] if editable else line)[0].rpartition(" @ ")[2].strip()
            path = local_path(re.sub(r"\[[^]]*\]$", "", place))
            if path is not None and _PATH.search(place) and path.exists():
                yield path


def _text(path: Path, by: str = "") -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text (byte {error.start}): save it as such") from error
    except FileNotFoundError as error:
        raise CommandError(f"no requirements file {path}{by}") from error


def _foreign(path: Path) -> CommandError:
    template, needs = _EXPORTS[path.name]
    project = "" if path.parent.resolve() == Path.cwd() else f" --project {shlex.quote(str(path.parent))}"
    command = template.format(project, shlex.quote(str(path.with_name("pylock.toml"))))
    return CommandError(f"{path} is not read by fleece: `{command}`{needs} makes a file of it that is")
