"""``fleece config import``."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.config.arguments import any_key_option
from fleece.cli.config.completion import complete_stages
from fleece.cli.config.settings import pass_settings

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings

_log = logging.getLogger(__name__)


class ImportCommand(click.Command):
    """A command line without arguments, which says so to who names a file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options."""
        ctx.allow_extra_args = True  # click's own error would not say what to do
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            told = "the configuration is read from stdin, as in: fleece config import < open.yml"
            raise click.UsageError(f"Unexpected {rest[0]!r}: {told}", ctx)
        return rest


@click.command(cls=ImportCommand)
@click.option("--reencrypt", is_flag=True, help="Encrypt every secret again, for instance with a new key.")
@click.option(
    "--stage", metavar="STAGE", shell_complete=complete_stages, help="With --reencrypt: only the secrets of this stage."
)
@any_key_option
@pass_settings
def command(settings: Settings, reencrypt: bool, stage: str | None, any_key: bool) -> None:
    """Read an open configuration from stdin, YAML or JSON, and write it with its secrets encrypted.

    \b
    fleece config import < open.yml

    A secret that has not changed keeps its ciphertext. Nothing is written if anything is wrong.
    """  # noqa: D301
    if stage is not None and not reencrypt:
        raise click.UsageError("--stage goes with --reencrypt.")
    if sys.stdin.isatty():
        _log.info("reading the open configuration from the terminal; Ctrl-D ends it")
    workspace = settings.workspace(any_key=any_key)
    before = workspace.content()
    workspace.import_(_streams.read(), before, reencrypt=reencrypt, stage=stage)
