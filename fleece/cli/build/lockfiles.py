"""``Pipfile.lock`` and ``pylock.toml`` (PEP 751), turned into the lines of requirements files. Pure.

A lock names everything that is to be installed, so that nothing is resolved again, and its hashes are kept. Which
package index is asked is the user's to say; what the lock has of it counts when pip's settings say nothing.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
    is_valid_pylock_path,
)

from fleece.cli.build.fingerprints import local_path
from fleece.cli.errors import CommandError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from packaging.markers import Environment

    from fleece.cli.build.target import Target

_ALGORITHMS = ("sha256", "sha384", "sha512")
"""The hashes that pip checks."""

_Artifact: TypeAlias = "PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist"
"""What `Pylock.select` chooses of a package."""


@dataclass(frozen=True)
class Batch:
    """Requirements that are installed by one run of an installer.

    Attributes:
        text: the content of a requirements file.
        file: where it is, when it is the user's own and not to be copied: paths in it are relative.
        complete: nothing beyond these is needed, so that dependencies are not looked for.
    """

    text: str
    file: Path | None = None
    complete: bool = False


@dataclass(frozen=True)
class Lock:
    """What a lock file asks for, in the terms of `fleece.cli.build.requirements.Requirements`."""

    batches: tuple[Batch, ...]
    local: tuple[Path, ...] = ()
    indexes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def is_pylock(path: Path) -> bool:
    """Whether the name is one of PEP 751's: ``pylock.toml``, ``pylock.NAME.toml``."""
    return is_valid_pylock_path(path)


def read_pipfile_lock(path: Path, text: str, target: Target) -> Lock:
    """Return the packages of the section ``default``.

    Raises:
        CommandError: it is not what pipenv writes.
    """
    try:
        content = json.loads(text)
        meta: Mapping[str, Any] = content["_meta"]
        packages: dict[str, dict[str, Any]] = content["default"]
        pairs = [_pipfile_line(name, fields, path.parent) for name, fields in sorted(packages.items())]
        indexes = tuple(source["url"] for source in meta.get("sources", ()))
        wanted = meta.get("requires", {}).get("python_version", str(target.runtime))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CommandError(f"{path} is not a lock file of pipenv's: `pipenv lock` makes it anew") from error
    named = (fields[key] for fields in packages.values() for key in ("path", "file") if key in fields)
    local = tuple(path.parent / place for place in map(local_path, named) if place is not None)
    warning = f"{path} was locked for Python {wanted}, and this build is for {target.runtime}: pass --python {wanted}"
    return Lock(_batches(pairs), local, indexes, (warning,) if wanted != str(target.runtime) else ())


def read_pylock(path: Path, text: str, target: Target) -> Lock:
    """Return the packages that the lock selects for `target`, with its default groups and no extras.

    Raises:
        CommandError: it does not follow PEP 751, or is not for this target.
    """
    try:
        lock = Pylock.from_dict(tomllib.loads(text))
        selected = lock.select(environment=cast("Environment", target.markers), tags=target.tags)
        chosen = sorted(selected, key=lambda one: one[0].name)
        pairs = [_pylock_line(package, artifact, path.parent) for package, artifact in chosen]
    except PylockSelectError as error:
        raise CommandError(f"{path} has no packages for {target}: {error}") from error
    except (ValueError, PylockValidationError, RecursionError) as error:
        raise CommandError(f"{path} is not a lock file that fleece can read: {error}") from error
    return Lock(
        _batches(pairs),
        tuple(path.parent / artifact.path for _, artifact in chosen if artifact.path),
        tuple(dict.fromkeys(package.index for package, _ in chosen if package.index)),
    )


def _batches(pairs: list[tuple[str, bool]]) -> tuple[Batch, ...]:
    """Part lines into those with hashes and those without: pip wants all or none."""
    parts = ([line for line, hashed in pairs if hashed], [line for line, hashed in pairs if not hashed])
    return tuple(Batch("\n".join(lines) + "\n", complete=True) for lines in parts if lines)


def _line(requirement: str, hashes: Iterable[str]) -> tuple[str, bool]:
    given = sorted(hashes)
    checked = [one for one in given if one.partition(":")[0] in _ALGORITHMS]
    line = " ".join([requirement, *(f"--hash={one}" for one in checked)])
    # Told by the name alone, as URLs may hold credentials.
    name = requirement.partition("@")[0].strip()
    if not line.isprintable():  # the next line of a requirements file may be an option of pip's
        raise ValueError(f"{name!a} contains an invalid character")
    if given and not checked:
        raise ValueError(f"{name!a} has no hash of a kind that pip checks: {', '.join(_ALGORITHMS)}")
    return line, bool(checked)


def _pipfile_line(name: str, fields: Mapping[str, Any], folder: Path) -> tuple[str, bool]:
    extras = f"[{','.join(fields['extras'])}]" if fields.get("extras") else ""
    marker = f" ; {fields['markers']}" if fields.get("markers") else ""
    if "git" in fields:
        part = f"#subdirectory={fields['subdirectory']}" if fields.get("subdirectory") else ""
        return _line(f"{name}{extras} @ git+{fields['git']}@{fields['ref']}{part}{marker}", ())
    place = fields.get("file") or fields.get("path")
    if place:
        url = place if "://" in place else (folder / place).resolve().as_uri()
        return _line(f"{name}{extras} @ {url}{marker}", ())
    return _line(f"{name}{extras}{fields['version']}{marker}", fields.get("hashes", ()))


def _pylock_line(package: Package, artifact: _Artifact, folder: Path) -> tuple[str, bool]:
    if isinstance(artifact, PackageWheel | PackageSdist):
        if package.version and artifact.url:
            # By name, so that the user's own index counts; any file of the lock's will do.
            files: list[PackageWheel | PackageSdist] = [*(package.wheels or ()), *filter(None, [package.sdist])]
            return _line(f"{package.name}=={package.version}", _hashes(*files))
        return _line(f"{package.name} @ {_place(artifact, folder)}", _hashes(artifact))
    part = f"#subdirectory={artifact.subdirectory}" if artifact.subdirectory else ""
    if isinstance(artifact, PackageVcs):
        commit = f"{artifact.type}+{_place(artifact, folder)}@{artifact.commit_id}"
        return _line(f"{package.name} @ {commit}{part}", ())
    hashes = _hashes(artifact) if isinstance(artifact, PackageArchive) else ()
    return _line(f"{package.name} @ {_place(artifact, folder)}{part}", hashes)


def _place(artifact: _Artifact, folder: Path) -> str:
    """Return the URL of what is beside the lock or elsewhere."""
    url: str | None = getattr(artifact, "url", None)
    return url or (folder / (artifact.path or "")).resolve().as_uri()


def _hashes(*files: PackageWheel | PackageSdist | PackageArchive) -> set[str]:
    return {f"{algorithm}:{digest}" for file in files for algorithm, digest in file.hashes.items()}
