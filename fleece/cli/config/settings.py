"""What the options before the sub-command say."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from fleece.cli.config.workspace import Workspace
    from fleece.cli.credentials import Resolver


@dataclasses.dataclass(frozen=True)
class Settings:
    """What every sub-command works with.

    Attributes:
        config: the configuration file.
        environments: the file of the environments that its stages name.
        resolver: finds credentials.
    """

    config: Path
    environments: Path
    resolver: Resolver

    def workspace(self, *, any_key: bool = False) -> Workspace:
        """Return the configuration file and the AWS accounts of its stages, none of them opened yet."""
        from fleece.cli.config.workspace import Workspace  # noqa: PLC0415 (help needs none)

        return Workspace(self.config, self.environments, self.resolver, any_key=any_key)


pass_settings = click.make_pass_decorator(Settings)
"""Gives a sub-command the `Settings` as its first argument."""
