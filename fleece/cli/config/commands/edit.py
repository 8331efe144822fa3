"""``fleece config edit``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fleece.cli.config.arguments import any_key_option, opened_stage_option
from fleece.cli.config.settings import pass_settings

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings


@click.command
@click.option("--json", "as_json", is_flag=True, help="Edit JSON instead of YAML.")
@opened_stage_option
@click.option(
    "-e", "--editor", metavar="COMMAND", help="The editor.  [default: $FLEECE_EDITOR, $VISUAL, $EDITOR or vi]"
)
@any_key_option
@pass_settings
def command(settings: Settings, as_json: bool, stage: str | None, editor: str | None, any_key: bool) -> None:
    """Open the configuration in an editor, and encrypt its secrets again when you leave it.

    \b
    fleece config edit
    fleece config edit --stage dev
    fleece config edit --editor 'code --wait'

    Only you can read the open file, which is removed afterwards. A secret that has not changed keeps its ciphertext.
    Nothing is written if the editor fails, nothing was changed, or anything is wrong.
    """  # noqa: D301
    from fleece.cli.config import editing, editor as editors  # noqa: PLC0415 (help needs none)

    editing.edit(settings.workspace(any_key=any_key), editors.find(editor), stage=stage, as_json=as_json, again=_again)


def _again() -> bool:
    """Give the user time to read the error, which the editor may cover."""
    if not sys.stdin.isatty():
        return True
    click.echo("Press Enter to edit it again, or Ctrl-C to drop it: ", err=True, nl=False)
    return bool(sys.stdin.readline())
