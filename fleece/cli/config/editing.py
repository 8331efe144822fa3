"""``fleece config edit``: open the configuration in an editor, and close it again."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from fleece.cli import endings
from fleece.cli.config.editor import EditorError
from fleece.cli.config.private_folder import keep, private_folder, write_private
from fleece.cli.config.source import ConfigError
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fleece.cli.config.editor import Editor
    from fleece.cli.config.workspace import Workspace

_log = logging.getLogger(__name__)

_AT_ONCE = 1.0  # seconds in which nobody has edited anything

_MOST_TIMES = 50  # that one text is edited; a script in an editor's place may change it for ever


def edit(
    workspace: Workspace,
    editor: Editor,
    *,
    stage: str | None = None,
    as_json: bool = False,
    again: Callable[[], bool] = lambda: True,
) -> None:
    """Let the user edit the open configuration, and write what comes back with its secrets encrypted.

    What comes back and cannot be read is opened again, with the error on stderr. What cannot be written for another
    reason is kept, and stderr says where.

    Args:
        workspace: the configuration.
        editor: runs until the user has finished.
        stage: the one stage whose secrets are opened; by default all are.
        as_json: let the user edit JSON.
        again: asks whether to edit once more what cannot be read.

    Raises:
        CommandError: the editor failed, or the configuration cannot be opened or closed; nothing has changed then.
    """
    with endings.in_order(), private_folder() as folder:
        before = workspace.content()
        opened = workspace.export(stage, as_json=as_json)
        path = folder / f"{workspace.path.stem}{'.json' if as_json else '.yml'}"
        write_private(path, opened)
        begin = time.monotonic()
        editor.run(path)
        if _read(path) == opened:
            _log.info("nothing was changed")
            if time.monotonic() - begin < _AT_ONCE:
                _log.warning(
                    "the editor %r returned at once: one that opens a window needs an option that makes it wait, such "
                    "as --editor 'code --wait'",
                    editor.name,
                )
            return
        try:
            _close(workspace, editor, path, before, again)
        except Exception:
            if path.exists():
                _log.warning(
                    "your text, with its secrets in plain text, is in %s; delete that folder when you are done",
                    keep(path),
                )
            raise


def _close(workspace: Workspace, editor: Editor, path: Path, before: bytes | None, again: Callable[[], bool]) -> None:
    """Import what was written; as long as it cannot be read and comes back changed, have it edited again."""
    refused = None
    for _ in range(_MOST_TIMES):
        written = _read(path)
        if written == refused:
            break
        try:
            workspace.import_(written, before, name=f"{workspace.path} as edited")
        except ConfigError as error:
            refused, problem = written, error
        else:
            return
        _log.error("%s", problem)
        if not again():
            break
        editor.run(path)
    raise CommandError("what was written cannot be read, and nothing was changed")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise EditorError("the editor has removed the file: nothing was changed") from None
