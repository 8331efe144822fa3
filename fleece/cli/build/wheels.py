"""Install without Docker: wheels for the target's platform, by uv where it is there and will do, else by pip."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.build import bytecode, pip_settings, reasons
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fleece.cli.build.lockfiles import Batch
    from fleece.cli.build.processes import Finished, Processes
    from fleece.cli.build.reports import Reports
    from fleece.cli.build.requirements import Requirements
    from fleece.cli.build.target import Target

_PIP_SCRIPT = Path(__file__).with_name("_target_pip.py")

_UV_OLDEST_GLIBC = (2, 28)
"""Between manylinux2014 and this, uv cannot be told which glibc there is."""

_UV_DECIDING = (
    "UV_CONSTRAINT", "UV_DEFAULT_INDEX", "UV_EXCLUDE_NEWER", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX",
    "UV_INDEX_STRATEGY", "UV_INDEX_URL", "UV_NO_INDEX", "UV_OVERRIDE", "UV_PRERELEASE", "UV_RESOLUTION",
    "UV_TORCH_BACKEND",
)  # fmt: skip
"""uv's variables that decide what is installed. Its configuration files are not read."""

_NO_WHEEL = re.compile(r"No matching distribution found|no (?:usable |compatible )?wheels?\b|[Bb]uilding.* is disabled")


@dataclass(frozen=True)
class WheelInstaller:
    """Installs platform wheels with what is on this machine.

    uv is three to five times as fast. It is not used when pip is set up in a way that uv does not know of (any setting
    of pip's that decides what is installed or how an index is reached, in the environment, a configuration file or the
    requirements), nor for the runtimes on Amazon Linux 2.

    Attributes:
        target: what to install for.
        processes: where children are run.
        environment: the variables that pip and uv get.
    """

    target: Target
    processes: Processes
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def settings(self, requirements: Requirements) -> dict[str, str]:
        """Return what beside the requirements decides what is installed, for the cache's key."""
        if self._uv_for(requirements):
            return {name: self.environment[name] for name in _UV_DECIDING if self.environment.get(name)}
        return pip_settings.for_key(pip_settings.read(self.environment))

    def local_links(self) -> list[str]:
        """Return the places beside an index that wheels are looked for in, as the settings name them."""
        named = (pip_settings.read(self.environment).get("find-links", ""), self.environment.get("UV_FIND_LINKS", ""))
        return [place for links in named for place in links.replace(",", " ").split()]

    @property
    def can_compile(self) -> bool:
        """Whether there is a Python on this machine that makes the target's bytecode."""
        return self._interpreter is not None

    def refresh(self, reports: Reports) -> None:
        """Do nothing: no image is chosen."""

    @contextlib.contextmanager
    def session(self, reports: Reports) -> Iterator[WheelSession]:
        """Give what installs and compiles."""
        yield WheelSession(self, reports.info)

    def stop(self) -> None:
        """End what runs, and start no more."""
        self.processes.stop()

    def install(self, requirements: Requirements, tree: Path, scratch: Path, tell: Callable[[str], None]) -> None:
        """Install the requirements into the folder `tree`.

        Args:
            requirements: what to install.
            tree: a new folder.
            scratch: a folder for files that are gone with it, those of pip's included.
            tell: takes each line of the installer's output.

        Raises:
            CommandError: with the installer's own reason.
        """
        uv = self._uv_for(requirements)
        environment = {
            **pip_settings.undisturbed(self.environment),
            **self._index_variables(requirements, uv=bool(uv)),
            "PIP_ROOT_USER_ACTION": "ignore",
            "TMPDIR": str(scratch),
        }
        for number, batch in enumerate(requirements.batches):
            file = batch.file or scratch / f"requirements-{number}.txt"
            if batch.file is None:
                file.write_text(batch.text, encoding="utf-8")
            # Apart, since pip would leave out what it has in a folder that is there: half of a namespace, scripts.
            folder = scratch / f"packages-{number}"
            command = self._uv_command(uv, batch, file, folder) if uv else self._pip_command(batch, file, folder)
            finished = self.processes.run(command, environment, tell)
            if finished.exit_code:
                raise self._failure(finished, requirements)
            if folder.is_dir():
                shutil.copytree(folder, tree, symlinks=True, dirs_exist_ok=True, copy_function=shutil.move)

    def compile(self, tree: Path) -> None:
        """Write the bytecode of the packages in `tree`.

        Raises:
            CommandError: the interpreter failed.
        """
        if self._interpreter is not None:
            bytecode.compile_tree(tree, self._interpreter, self.processes, self.environment)

    @cached_property
    def _interpreter(self) -> str | None:
        return bytecode.find_interpreter(self.target.runtime, self.environment)

    def _uv_for(self, requirements: Requirements) -> str | None:
        """Return the path of uv, or None where pip is to be used."""
        if (
            self.target.runtime.glibc < _UV_OLDEST_GLIBC
            or requirements.has_options
            or len(requirements.indexes) > 1
            or pip_settings.read(self.environment)
        ):
            return None
        return shutil.which("uv", path=self.environment.get("PATH"))

    def _index_variables(self, requirements: Requirements, *, uv: bool) -> dict[str, str]:
        """Return the variables that lead to a lock file's indexes; as variables, since they may hold credentials."""
        if not uv:
            settings = pip_settings.read(self.environment)
            return pip_settings.index_variables(requirements.indexes, settings, self.environment)
        if not requirements.indexes:
            return {}
        if any(self.environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
            return {}
        return {"UV_DEFAULT_INDEX": pip_settings.with_variables(requirements.indexes[0], self.environment)}

    def _pip_command(self, batch: Batch, file: Path, tree: Path) -> list[str]:
        if importlib.util.find_spec("pip") is None:
            raise CommandError(
                f"pip is not installed beside fleece: `{sys.executable} -m ensurepip` installs it, "
                "or put uv on PATH where no setting of pip's is needed"
            )
        platforms = [word for platform in self.target.platforms for word in ("--platform", platform)]
        return [
            *(sys.executable, str(_PIP_SCRIPT), json.dumps(self.target.markers)),
            *("install", "--target", str(tree), "--requirement", str(file)),
            *("--python-version", str(self.target.runtime), "--implementation", "cp", "--abi", self.target.abi),
            *platforms,
            *("--only-binary", ":all:", "--no-compile", "--no-input", "--no-user", "--progress-bar", "off"),
            *("--disable-pip-version-check", "--no-warn-conflicts"),
            *(["--no-deps"] if batch.complete else []),
        ]

    def _uv_command(self, uv: str, batch: Batch, file: Path, tree: Path) -> list[str]:
        glibc = "{}_{}".format(*self.target.runtime.glibc)
        return [
            *(uv, "pip", "install", "--target", str(tree), "--requirement", str(file)),
            *("--python", sys.executable, "--python-version", str(self.target.runtime)),
            *("--python-platform", f"{self.target.machine}-manylinux_{glibc}", "--only-binary", ":all:"),
            # Copies, because the files are changed afterwards, and links would change uv's own cache.
            *("--no-config", "--link-mode", "copy", "--no-progress", "--color", "never"),
            *(["--no-deps"] if batch.complete else []),
        ]

    def _failure(self, finished: Finished, requirements: Requirements) -> CommandError:
        reason = reasons.of_installer(finished)
        if _NO_WHEEL.search(reason):
            return CommandError(
                f"{requirements.origin}: a package has no wheel for {self.target}: {reason}. If there is only its "
                "source, build it in Docker: leave out --no-docker"
            )
        return CommandError(f"{requirements.origin} could not be installed: {reason}")


@dataclass(frozen=True)
class WheelSession:
    """One service's packages: an installer, and who is told about them."""

    installer: WheelInstaller
    tell: Callable[[str], None]

    def install(self, requirements: Requirements, tree: Path, scratch: Path) -> None:
        """Install the requirements into the new folder `tree`."""
        self.installer.install(requirements, tree, scratch, self.tell)

    def compile(self, tree: Path) -> None:
        """Write the bytecode of the packages in `tree`."""
        self.installer.compile(tree)
