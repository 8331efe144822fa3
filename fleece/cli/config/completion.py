"""The stages that a shell offers for the arguments of the sub-commands of ``fleece config``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from fleece.cli import stages
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    import click


def complete_stages(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the stages of the configuration file, but for those that are expressions."""
    from fleece.cli.config import document  # noqa: PLC0415 (help needs none)
    from fleece.cli.config.source import Source  # noqa: PLC0415

    path = Path((ctx.parent and ctx.parent.params.get("config")) or "config.yml")
    try:
        known = document.parse(Source.decode(str(path), path.read_bytes())).stages
    except (CommandError, OSError):
        return []  # a shell has no use for the reason
    return [CompletionItem(name) for name in known if name.startswith(incomplete) and not stages.is_expression(name)]
