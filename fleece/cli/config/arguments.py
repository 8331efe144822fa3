"""The arguments and options that several sub-commands of ``fleece config`` have."""

from __future__ import annotations

import click

from fleece.cli.config.completion import complete_stages
from fleece.cli.options import complete_environments

any_key_option = click.option(
    "--any-key", is_flag=True, help="Also decrypt secrets encrypted with another key than the stage's."
)

environment_option = click.option(
    "-e",
    "--environment",
    metavar="NAME",
    shell_complete=complete_environments,
    help="Use this environment's account, not the stage's.",
)

stage_argument = click.argument("stage", shell_complete=complete_stages)

opened_stage_option = click.option(
    "--stage",
    metavar="STAGE",
    shell_complete=complete_stages,
    help="Decrypt the secrets of this stage only.",
)
