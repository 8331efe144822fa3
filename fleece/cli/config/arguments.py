"""The arguments and options that several sub-commands of ``fleece config`` have."""

from __future__ import annotations

import click

from fleece.cli.config.completion import complete_environments, complete_stages

any_key_option = click.option(
    "--any-key", is_flag=True, help="Decrypt what another key than the stage's has encrypted, too."
)

environment_option = click.option(
    "-e",
    "--environment",
    metavar="NAME",
    shell_complete=complete_environments,
    help="Use this environment's account, not that of the stage.",
)

stage_argument = click.argument("stage", shell_complete=complete_stages)

opened_stage_option = click.option(
    "--stage",
    metavar="STAGE",
    shell_complete=complete_stages,
    help="Open the secrets of this stage only; others stay encrypted.",
)
