"""The group of fleece's commands, each imported only when it is chosen."""

from __future__ import annotations

import difflib
import importlib
import logging
from typing import cast

import click
from click.shell_completion import shell_complete

from fleece import __version__

_COMMANDS = {
    "build": "Build a Lambda package from a service's source and requirements.",
    "config": "Keep a service's configuration, secrets included, in source control.",
    "run": "Run a command with the AWS credentials of an account.",
}


class HelpfulGroup(click.Group):
    """A group that names the nearest of its commands for one that it does not have, with every release of click."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` start with."""
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"Did you mean {nearest[0]!r}?" if nearest else f"The commands are {', '.join(known)}."
        raise click.UsageError(f"No such command {name!r}. {hint}", ctx)


class LazyGroup(HelpfulGroup):
    """A group whose commands are found at ``fleece.cli.NAME.command:command``.

    Its help and its list of names import none of them.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names of the commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name, or return None when there is none."""
        if cmd_name not in _COMMANDS:
            return None
        return cast("click.Command", importlib.import_module(f"fleece.cli.{cmd_name}.command").command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from what is known here."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _show_tracebacks(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        logging.getLogger("fleece.cli").setLevel(logging.DEBUG)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="fleece", message="%(prog)s %(version)s")
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_tracebacks,
    help="Show the traceback of a failure; FLEECE_DEBUG=1 does so too.",
)
def group() -> None:
    """Build, configure and run AWS Lambda services.

    \b
    fleece build --no-docker services/users
    fleece config export > open.yml
    fleece config import < open.yml
    fleece run -e staging -- aws s3 ls
    """  # noqa: D301 (click's mark for "keep these lines as they are")


def complete(instruction: str) -> int:
    """Answer a shell's request for completion, ``bash_source`` or ``zsh_complete`` for instance."""
    return shell_complete(group, {}, "fleece", "_FLEECE_COMPLETE", instruction)
