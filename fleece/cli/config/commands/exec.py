"""``fleece config exec``."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import click

from fleece.cli.config.arguments import any_key_option, environment_option, stage_argument
from fleece.cli.config.settings import pass_settings
from fleece.cli.errors import FAILURE_CODE, RUN_FAILED, NotExecutableError

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings


class ExecCommand(click.Command):
    """A command line in which everything after ``--`` is the command to run: its callback gets that as ``words``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take fleece's options, which come before ``--``."""
        at = args.index("--") if "--" in args else len(args)
        ctx.allow_extra_args = True  # click's own error would not say where they belong
        rest = super().parse_args(ctx, args[:at])
        if rest and not ctx.resilient_parsing:
            after = "the command to run stands after --, as in: fleece config exec dev -- ./server"
            raise click.UsageError(f"Unexpected {rest[0]!r}: {after}", ctx)
        ctx.params["words"] = tuple(args[at + 1 :])
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return what the usage shows, the command included."""
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


@click.command(cls=ExecCommand)
@environment_option
@any_key_option
@stage_argument
@pass_settings
@click.pass_context
def command(
    ctx: click.Context,
    settings: Settings,
    environment: str | None,
    any_key: bool,
    stage: str,
    words: tuple[str, ...],
) -> int:
    """Run a command with the values of one stage, decrypted, as environment variables.

    \b
    fleece config exec dev -- ./server --port 8000
    fleece config exec dev -- sh -c 'echo $NESTED_INNER'

    The value at nested.inner is the variable NESTED_INNER. The exit code is the command's own; 125 means that fleece
    itself failed.
    """  # noqa: D301
    ctx.meta[FAILURE_CODE] = RUN_FAILED
    if not words:
        raise click.UsageError("Give the command to run after --, as in: fleece config exec dev -- ./server", ctx)
    from fleece.cli.config.render import render  # noqa: PLC0415 (help needs none)
    from fleece.cli.config.variables import variables  # noqa: PLC0415
    from fleece.cli.run import process  # noqa: PLC0415

    workspace = settings.workspace(any_key=any_key)
    values = variables(render(workspace.document(), stage, workspace.keys, environment=environment))
    try:
        return process.execute(words, process.inherited() | values)
    except NotExecutableError as error:
        if not values or not _is_too_long(error):
            raise
        name = max(values, key=lambda name: len(os.fsencode(values[name])))
        size = len(os.fsencode(values[name]))
        raise NotExecutableError(
            f"{error}; the longest value is that of {name}, {size} bytes: render it to a file, or make it shorter"
        ) from error


def _is_too_long(error: NotExecutableError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.E2BIG
