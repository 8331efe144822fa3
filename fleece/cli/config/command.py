"""The ``fleece config`` group: the options that all of its sub-commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleece.cli import options
from fleece.cli.config.settings import Settings
from fleece.cli.group import Lazy, LazyGroup

if TYPE_CHECKING:
    from fleece.cli.credentials import Resolver

_COMMANDS = {
    "diff": Lazy("fleece.cli.config.commands.diff", "Show what differs between a stage and Parameter Store."),
    "edit": Lazy("fleece.cli.config.commands.edit", "Edit the configuration with its secrets decrypted."),
    "exec": Lazy("fleece.cli.config.commands.exec", "Run a command with the values of a stage in its environment."),
    "export": Lazy("fleece.cli.config.commands.export", "Write the configuration with its secrets decrypted."),
    "import": Lazy("fleece.cli.config.commands.import_", "Encrypt an open configuration from stdin."),
    "lint": Lazy("fleece.cli.config.commands.lint", "Show what is wrong or looks wrong in the configuration."),
    "render": Lazy("fleece.cli.config.commands.render", "Write the values of one stage."),
}


@click.group(cls=LazyGroup, commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default="config.yml",
    show_default=True,
    help="File with the configuration, secrets encrypted.",
)
@click.option(
    "-e",
    "--environments",
    type=click.Path(dir_okay=False, path_type=Path),
    default=options.DEFAULT_ENVIRONMENTS,
    show_default=True,
    help="File with the stages' environments.",
)
@options.credential_options
@click.pass_context
def command(ctx: click.Context, config: Path, environments: Path, resolver: Resolver) -> None:
    """Keep a service's configuration, secrets included, in source control.

    \b
    fleece config export > open.yml
    fleece config import < open.yml
    fleece config render prod
    fleece config render prod --parameter-store /service/prod
    """  # noqa: D301 (click's mark for "keep these lines as they are")
    ctx.obj = Settings(config, environments, resolver)
