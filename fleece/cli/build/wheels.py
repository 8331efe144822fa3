"""Install without Docker: wheels for the target's platform, by uv where it is there and will do, else by pip."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.build import bytecode, pip_settings
from fleece.cli.build.urls import mask
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleece.cli.build.lockfiles import Batch
    from fleece.cli.build.processes import Finished, Processes
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

# uv draws its reasons as a tree: a cross, then branches.
_UV_ERROR = re.compile("\\s*\N{MULTIPLICATION SIGN}|error:")
_UV_DRAWING = re.compile(
    "[\\s\N{MULTIPLICATION SIGN}\N{BOX DRAWINGS LIGHT HORIZONTAL}-\N{BLACK RIGHT-POINTING TRIANGLE}]+"
)

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
        """Return what beside the requirements decides what is installed, without credentials, for the cache's key."""
        if self._uv_for(requirements):
            decisive = {name: self.environment[name] for name in _UV_DECIDING if self.environment.get(name)}
        else:
            decisive = pip_settings.for_key(pip_settings.read(self.environment))
        return {name: mask(value) for name, value in decisive.items()}

    def local_links(self) -> list[str]:
        """Return the places beside an index that wheels are looked for in, as the settings name them."""
        named = (pip_settings.read(self.environment).get("find-links", ""), self.environment.get("UV_FIND_LINKS", ""))
        return [place for links in named for place in links.replace(",", " ").split()]

    def find_compiler(self) -> Callable[[Path], None] | None:
        """Return what compiles a folder of packages for the target, or None when nothing here can."""
        interpreter = bytecode.find_interpreter(self.target.runtime, self.environment)
        if interpreter is None:
            return None
        return lambda tree: bytecode.compile_tree(tree, interpreter, self.processes, self.environment)

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
            command = self._uv_command(uv, batch, file, tree) if uv else self._pip_command(batch, file, tree)
            finished = self.processes.run(command, environment, tell)
            if finished.exit_code:
                raise self._failure(finished, requirements)

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
        settings = pip_settings.read(self.environment)
        if not requirements.indexes or pip_settings.names_index(settings):
            return {}
        first, *others = (_with_variables(url, self.environment) for url in requirements.indexes)
        if uv:
            own = any(self.environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"))
            return {} if own else {"UV_DEFAULT_INDEX": first}
        extra = " ".join([*others, settings.get("extra-index-url", "")])
        return {"PIP_INDEX_URL": first, "PIP_EXTRA_INDEX_URL": extra.strip()}

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
        reason = _reason(finished)
        if _NO_WHEEL.search(reason):
            return CommandError(
                f"{requirements.origin}: a package has no wheel for {self.target}: {reason}. If there is only its "
                "source, build it in Docker: leave out --no-docker"
            )
        return CommandError(f"{requirements.origin} could not be installed: {reason}")


def _reason(finished: Finished) -> str:
    """Return the installer's own words for its failure, in one line."""
    lines = [line for line in finished.tail if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    errors = [line for line in errors if not line.startswith("ResolutionImpossible")] or errors
    if errors:
        return " / ".join(errors)
    start = next((number for number, line in enumerate(lines) if _UV_ERROR.match(line)), -1)
    words = " ".join(lines[start:]) if lines else f"the installer ended with {finished.exit_code} and said nothing"
    return _UV_DRAWING.sub(" ", words).strip().removeprefix("error: ")


def _with_variables(url: str, environment: Mapping[str, str]) -> str:
    """Put variables in for ``${NAME}``, as pip does in requirements files; one that is not set stays."""
    return re.sub(r"\$\{([A-Z0-9_]+)\}", lambda match: environment.get(match[1], match[0]), url)
