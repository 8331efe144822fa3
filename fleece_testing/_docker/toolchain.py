"""What the stub's images have in them: this machine's basic programs, and a Python with pip.

The programs are links to a script that hands over to those of this machine, so that nothing that a container writes
to its own ``/usr/bin`` reaches them. Python is a virtual environment in ``/var/lang``, where AWS's images have theirs:
what is installed into it stays in the container.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fleece_testing._docker.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

PYTHON_FOLDER = "/var/lang"

PATH = f"{PYTHON_FOLDER}/bin:/usr/local/bin:/usr/bin:/bin"

# fmt: off
PROGRAMS = (
    "awk", "basename", "bash", "bzip2", "cat", "chmod", "chown", "cmp", "cp", "cut", "date", "diff",
    "dirname", "echo", "env", "expr", "false", "find", "grep", "gunzip", "gzip", "head", "hostname", "id",
    "install", "kill", "ln", "ls", "mkdir", "mktemp", "mv", "od", "printf", "pwd", "readlink", "realpath",
    "rm", "rmdir", "sed", "seq", "sh", "sha256sum", "sleep", "sort", "stat", "tail", "tar", "tee", "test",
    "timeout", "touch", "tr", "true", "tty", "uname", "uniq", "unzip", "wc", "which", "whoami", "xargs", "xz",
    "zip",
)
# fmt: on
"""Those that every image has, as far as this machine has them."""

_FOLDERS = ("bin", "etc", "home", "opt", "root", "tmp", "usr/local/bin", "usr/lib", "var/lang", "var/task", "var/tmp")

_WHERE_IS_PIP = """
import importlib.util, pathlib, sys
print(*sys.version_info[:2], sep=".")
pip = importlib.util.find_spec("pip")
if pip:
    package = pathlib.Path(pip.origin).parent
    print(package, *package.parent.glob("pip-*.dist-info"), sep="\\n")
else:
    bundled = importlib.util.find_spec("ensurepip")
    print(*pathlib.Path(bundled.origin).parent.glob("_bundled/pip-*.whl") if bundled else (), sep="\\n")
"""

_PIP = '#!/bin/sh\nexec "$(dirname "$0")/python3" -m pip "$@"\n'


class Toolchain:
    """Makes trees to start images from.

    Args:
        folder: where the parts that the trees share are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._trees: dict[str, Tree] = {}

    def new_tree(self, folder: Path, python: str | None, programs: Iterable[str] = ()) -> Tree:
        """Return a new tree with the basic programs, and with a Python.

        Args:
            folder: where; it must not exist.
            python: the version, ``3.12``; by default this process's own.
            programs: further ones of this machine that the tree has, ``gcc``.

        Raises:
            ValueError: this machine has no such Python, or no such program.
        """
        version = python or f"{sys.version_info[0]}.{sys.version_info[1]}"
        with self._lock:
            if version not in self._trees:
                self._trees[version] = self._make(version)
        tree = self._trees[version].copy(folder)
        further = list(programs)
        missing = [name for name in further if shutil.which(name) is None]
        if missing:
            raise ValueError(f"This machine has no {', '.join(missing)} for an image to have: install it first")
        _hand_over(tree, "_further", further)
        return tree

    def _make(self, version: str) -> Tree:
        interpreter, pip = _find_python(version)
        folder = self._folder / f"python{version}"
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True)
        tree = Tree(folder)
        (folder / "usr/bin").symlink_to("../bin")
        _hand_over(tree, "_of_the_machine", PROGRAMS)
        tree.write("/etc/os-release", b'ID="fleece-testing"\nPRETTY_NAME="Docker stub of fleece_testing"\n')
        self._add_python(tree, version, interpreter, pip)
        return tree

    def _add_python(self, tree: Tree, version: str, interpreter: str, pip: list[Path]) -> None:
        prefix = tree.locate(PYTHON_FOLDER)
        subprocess.run(  # noqa: S603 (an interpreter of this machine)
            [interpreter, "-m", "venv", "--without-pip", "--symlinks", str(prefix)], check=True, capture_output=True
        )
        for script in prefix.glob("bin/[Aa]ctivate*"):
            script.unlink()
        if not (prefix / f"bin/python{version}").exists():
            (prefix / f"bin/python{version}").symlink_to("python3")
        if pip:
            shared = self._folder / f"pip{version}"
            shared.mkdir()
            for part in pip:
                (shared / part.name).symlink_to(part)
            on_path = shared / pip[0].name if pip[0].suffix == ".whl" else shared
            (prefix / f"lib/python{version}/site-packages/_pip.pth").write_text(f"{on_path}\n", encoding="utf-8")
            for name in ("pip", "pip3", f"pip{version}"):
                tree.write(f"{PYTHON_FOLDER}/bin/{name}", _PIP.encode())


def _hand_over(tree: Tree, script: str, names: Iterable[str]) -> None:
    """Write one script that hands over to the programs of these names, and a link to it for each that there is."""
    programs = {name: program for name in names if (program := shutil.which(name))}
    cases = "".join(f'{name}) exec {shlex.quote(program)} "$@";;\n' for name, program in programs.items())
    tree.write(f"/bin/{script}", f"#!/bin/sh\ncase ${{0##*/}} in\n{cases}esac\n".encode())
    for name in programs:
        link = tree.locate("/bin") / name
        link.unlink(missing_ok=True)
        link.symlink_to(script)


def _find_python(version: str) -> tuple[str, list[Path]]:
    """Return an interpreter of this version, and what makes up its pip."""
    for interpreter in _candidates(version):
        answer = subprocess.run(  # noqa: S603 (an interpreter of this machine)
            [interpreter, "-I", "-c", _WHERE_IS_PIP], capture_output=True, text=True, check=False
        )
        found, *pip = answer.stdout.splitlines() or [""]
        if answer.returncode == 0 and found == version:
            return interpreter, [Path(part) for part in pip]
    raise ValueError(f"This machine has no Python {version} for an image to have: install it, or leave python= out")


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    for folder in os.get_exec_path():
        # Each folder in turn: the first may hold a stand-in (pyenv's) for a Python that is not there.
        named = shutil.which(f"python{version}", path=folder)
        if named:
            yield named
    uv = shutil.which("uv")
    if uv:
        command = [uv, "python", "find", "--no-project", "--no-python-downloads", version]
        known = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (the user's own uv)
        if known.returncode == 0:
            yield known.stdout.strip()
