"""Install one service's packages in a container that runs: files in, pip, files out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.build import archives, bytecode, pip_settings, reasons
from fleece.cli.build.fingerprints import local_path
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleece.cli.build.container import Container
    from fleece.cli.build.lockfiles import Batch
    from fleece.cli.build.requirements import Requirements
    from fleece.cli.build.target import Target

_ROOT = "/fleece"
"""What the build has of its own in a container is below this."""

_PACKAGES = f"{_ROOT}/packages-{{}}"
_BYTECODE = f"{_ROOT}/bytecode"
_COMPILER = f"{_ROOT}/compile_tree.py"

_FIXED_TIME = "315532800"
"""The first second of 1980, which a zip can tell: what packages are built with by tools that write the time down."""

_HOST_ONLY = frozenset({"PIP_CACHE_DIR", "PIP_LOG", "PIP_NO_CACHE_DIR", "PIP_SRC"})
"""Variables of pip's about this machine's folders, which a container has no use for."""

_NAMING_FILES = (
    "PIP_BUILD_CONSTRAINT", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_CONSTRAINT", "PIP_FIND_LINKS",
    "PIP_REQUIREMENT",
)  # fmt: skip
"""Variables that may name files and folders of this machine, which go into the container with them."""

_FIND_PYTHON = """\
for name in "$@"; do
  "$name" -c 'import sys; print("%s %d.%d" % ((sys.argv[1],) + sys.version_info[:2]))' "$name" 2>/dev/null
done
true
"""


@dataclass(frozen=True)
class ContainerSession:
    """A container with one service's packages; made by `fleece.cli.build.docker`."""

    container: Container
    python: str
    environment: Mapping[str, str]
    tell: Callable[[str], None]

    def install(self, requirements: Requirements, tree: Path, scratch: Path) -> None:
        """Install the requirements in the container, and copy what comes of it into the folder `tree`.

        Raises:
            CommandError: with pip's own reason.
        """
        environment = self._variables(requirements)
        files = [_as_file(batch, number) for number, batch in enumerate(requirements.batches)]
        self._put(requirements, environment, scratch)
        for number, (batch, file) in enumerate(zip(requirements.batches, files, strict=True)):
            command = self._pip(file, _PACKAGES.format(number), complete=batch.complete)
            finished = self.container.run(command, environment, self.tell)
            if finished.exit_code:
                reason = reasons.of_installer(finished)
                raise CommandError(f"{requirements.origin} could not be installed: {reason}")
            archives.unpack(self.container.get(_PACKAGES.format(number)), tree)

    def compile(self, tree: Path) -> None:
        """Write the bytecode of the packages into `tree`.

        Raises:
            CommandError: the container's Python failed.
        """
        each = ["sh", "-c", f'cd {_ROOT} && for one in packages-*; do "$@" "$one" bytecode || exit 1; done', "sh"]
        command = [*each, self.python, *bytecode.OPTIONS, Path(_COMPILER).name]
        finished = self.container.run(command, bytecode.VARIABLES, self.tell)
        if finished.exit_code:
            raise CommandError(f"{self.python} could not compile the packages: {reasons.of_installer(finished)}")
        archives.unpack(self.container.get(_BYTECODE), tree)

    def _put(self, requirements: Requirements, environment: Mapping[str, str], scratch: Path) -> None:
        """Bring into the container what pip needs of this machine: where it is here, so that all paths hold."""
        files = [*requirements.files, *requirements.local, *local_files(environment)]
        texts = {
            _as_file(batch, number): batch.text
            for number, batch in enumerate(requirements.batches)
            if batch.file is None
        }
        texts[_COMPILER] = bytecode.SCRIPT.read_text(encoding="utf-8")
        folders = [_BYTECODE, *(_PACKAGES.format(number) for number in range(len(requirements.batches)))]
        with archives.pack(files, texts, folders, scratch) as archive:
            self.container.put(archive)

    def _variables(self, requirements: Requirements) -> dict[str, str]:
        """Return pip's variables: the user's own, what the requirements refer to, and what leads to a lock's index."""
        outside = self.environment
        named = {name for text in requirements.contents for name in pip_settings.VARIABLE.findall(text)}
        own = {name: value for name, value in outside.items() if name.startswith("PIP_") and name not in _HOST_ONLY}
        return {
            **pip_settings.undisturbed(own),
            **{name: outside[name] for name in named if name in outside},
            **pip_settings.index_variables(requirements.indexes, pip_settings.of_variables(outside), outside),
            "PIP_ROOT_USER_ACTION": "ignore",
            "SOURCE_DATE_EPOCH": _FIXED_TIME,
        }

    def _pip(self, file: str, folder: str, *, complete: bool) -> list[str]:
        return [
            *(self.python, "-m", "pip", "install", "--target", folder, "--requirement", file),
            *("--no-compile", "--no-input", "--no-cache-dir", "--progress-bar", "off"),
            *("--disable-pip-version-check", "--no-warn-conflicts"),
            *(["--no-deps"] if complete else []),
        ]


def find_python(container: Container, image: str, target: Target) -> str:
    """Return the name of the container's Python for the target.

    Raises:
        CommandError: it has none, or of another version; or not even a shell.
    """
    names = (f"python{target.runtime}", "python3", "python")
    finished = container.run(["sh", "-c", _FIND_PYTHON, "sh", *names], {}, lambda _: None)
    if finished.exit_code:
        raise CommandError(
            f"the image {image} has no shell (sh) that runs, and cannot be built in: choose another --image"
        )
    found = [line.split() for line in finished.tail]
    for name, version in found:
        if version == str(target.runtime):
            return name
    version = f"Python {found[0][1]}" if found else "no Python"
    raise CommandError(
        f"the image {image} has {version}, and this build is for {target.runtime}: choose --python, or another --image"
    )


def _as_file(batch: Batch, number: int) -> str:
    """Return where a batch's requirements file is in the container."""
    return f"{_ROOT}/requirements-{number}.txt" if batch.file is None else str(archives.place_of(batch.file))


def local_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the files and folders that pip's variables name: wheels, constraints, certificates."""
    words = (word for name in _NAMING_FILES for word in environment.get(name, "").replace(",", " ").split())
    paths = (local_path(word) for word in words)
    return [path for path in paths if path is not None and (path.is_file() or path.is_dir())]
