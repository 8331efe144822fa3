"""The group of fleece's commands, each imported only when it is chosen."""

from __future__ import annotations

import difflib
import importlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from fleece import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lazy(NamedTuple):
    """A command that is not imported yet: the module whose ``command`` it is, and its line in the list of commands."""

    module: str
    help: str


_COMMANDS = {
    "build": Lazy("fleece.cli.build.command", "Build a Lambda package from a service's source and requirements."),
    "config": Lazy("fleece.cli.config.command", "Keep a service's configuration, secrets included, in source control."),
    "run": Lazy("fleece.cli.run.command", "Run a command with the AWS credentials of an account."),
}


def _show_tracebacks(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        logging.getLogger("fleece.cli").setLevel(logging.DEBUG)


_debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_tracebacks,
    help="Show the traceback of a failure (or set FLEECE_DEBUG=1).",
)


class HelpfulGroup(click.Group):
    """A group that names the nearest of its commands for one that it does not have, with every release of click.

    It also says where an option of its own belongs that stands after the command's name.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was chosen."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            name = error.option_name
            if error.ctx is None or not any(name in parameter.opts for parameter in self.params):
                raise
            where = f"it is one of {ctx.command_path!r}, and stands before {error.ctx.info_name!r}"
            raise click.UsageError(f"No such option {name!r}: {where}.", ctx) from error

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
    """A group whose help and list of names import none of its commands.

    Args:
        args: as of `click.Group`.
        commands: the commands by their names, in the order of the list.
        options: as of `click.Group`.
    """

    def __init__(self, *args: Any, commands: Mapping[str, Lazy], **options: Any) -> None:
        super().__init__(*args, **options)
        self._lazy = commands

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names of the commands."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of that name, or return None when there is none."""
        if cmd_name not in self._lazy:
            return None
        command = cast("click.Command", importlib.import_module(self._lazy[cmd_name].module).command)
        if not any(parameter.name == "debug" for parameter in command.params):
            _debug_option(command)  # where it stands is nothing that anybody should have to know
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from what is known here."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in self._lazy.items()])


@click.command(cls=LazyGroup, commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="fleece", message="%(prog)s %(version)s")
@_debug_option
def group() -> None:
    """Build, configure and run AWS Lambda services.

    \b
    fleece build --no-docker services/users
    fleece config export > open.yml
    fleece config import < open.yml
    fleece run -e staging -- aws s3 ls
    """  # noqa: D301 (click's mark for "keep these lines as they are")
