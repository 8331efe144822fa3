"""A running local stack as other processes see it: a small private file that says where its parts are.

It lies in a folder of the user's cache, one for each port, and is a JSON document, so that scripts can read it as well
(``fleece-local up --ready-file``). A stack that was killed leaves it there; that nobody answers then tells.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError, UsageError
from fleece.cli.folders import user_cache
from fleece_testing.local import control
from fleece_testing.local.files import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE = "FLEECE_LOCAL_STACK"
"""The environment variable that names the file of the stack to use."""

FILE = "stack.json"
ENVIRONMENTS = "environments.yml"

_START = "start one with 'fleece-local up'"


@dataclasses.dataclass(frozen=True)
class Session:
    """Where the parts of a running stack are.

    Attributes:
        id: unlike that of any other stack.
        pid: of the process.
        url: the address that `fleece_testing.local.control` is asked at; ``/health`` tells that the stack is ready.
        account: the account of the credentials in `environment`.
        region: the region of all resources.
        environment: the variables that lead a program to the stack.
    """

    id: str
    pid: int
    url: str
    account: str
    region: str
    environment: Mapping[str, str]

    def dump(self) -> str:
        """Return the text of the stack's file."""
        document = {"written_by": MARK, "health": f"{self.url}/health", **dataclasses.asdict(self)}
        return json.dumps(document, indent=2) + "\n"

    def is_alive(self) -> bool:
        """Whether this very stack answers."""
        return control.identity_at(self.url) == self.id


def load(path: Path) -> Session:
    """Read a stack's file.

    Raises:
        CommandError: it is not there, or not one.
    """
    try:
        document = json.loads(path.read_bytes())
        return Session(**{field.name: document[field.name] for field in dataclasses.fields(Session)})
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file, so no local stack is running there; {_START}") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path}: this is not the file of a local stack, which 'fleece-local up' writes") from None


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of all stacks of this user.

    Raises:
        CommandError: the user has no home folder.
    """
    try:
        return user_cache("local", environ)
    except RuntimeError:
        raise CommandError("there is no home folder to keep the local stack's address in: set XDG_CACHE_HOME") from None


def find(named: Path | None, environ: Mapping[str, str] = os.environ) -> Session | None:
    """Return the running stack: the one whose file is named, else the only one of this user; None when there is none.

    Raises:
        CommandError: the named one does not run.
        UsageError: there are several.
    """
    path = named or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if path is not None:
        session = load(path)
        if not session.is_alive():
            by = "" if named else f" (named by {VARIABLE})"
            raise CommandError(f"{path}{by}: this local stack has ended, it was process {session.pid}; {_START}")
        return session
    running = {path: one for path, one in _known(default_folder(environ)) if one.is_alive()}
    if len(running) > 1:
        raise UsageError(f"several local stacks are running, name one with --stack: {', '.join(map(str, running))}")
    return next(iter(running.values()), None)


def need(named: Path | None, environ: Mapping[str, str] = os.environ) -> Session:
    """Return the running stack, as `find` does.

    Raises:
        CommandError: there is none.
    """
    session = find(named, environ)
    if session is None:
        raise CommandError(f"no local stack is running; {_START}")
    return session


def running_in(folder: Path) -> Session | None:
    """Return the running stack whose own folder this is, if there is one."""
    return next((one for path, one in _known(folder.parent) if path.parent == folder and one.is_alive()), None)


def remove_stale(folder: Path) -> None:
    """Remove what stacks that were killed have left in the folder."""
    for path, session in _known(folder):
        if not session.is_alive():
            for name in (ENVIRONMENTS, FILE):
                (path.parent / name).unlink(missing_ok=True)
            remove_empty(path.parent)


def remove_empty(folder: Path) -> None:
    """Remove a stack's folder, and that of all stacks if it was the last one."""
    with contextlib.suppress(OSError):  # they are not empty
        folder.rmdir()
        folder.parent.rmdir()


def _known(folder: Path) -> Iterator[tuple[Path, Session]]:
    """Yield the stacks' files in the folder that are this user's alone; nobody else can lead the commands astray."""
    for path in sorted(folder.glob(f"*/{FILE}")):
        with contextlib.suppress(OSError, CommandError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077:
                yield path, load(path)
