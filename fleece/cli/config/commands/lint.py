"""``fleece config lint``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.config.arguments import any_key_option
from fleece.cli.config.rules import RULES
from fleece.cli.config.settings import pass_settings
from fleece.cli.errors import FAILURE_CODE, CommandError

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings

_FOUND, _FAILED = 1, 2


@click.command
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@click.option("--no-decrypt", is_flag=True, help="Do not try to decrypt secrets; no credentials are needed.")
@click.option(
    "--ignore",
    multiple=True,
    metavar="RULE",
    type=click.Choice(RULES),
    help="Leave out what this rule finds; may be repeated.",
)
@any_key_option
@pass_settings
@click.pass_context
def command(
    ctx: click.Context,
    settings: Settings,
    as_json: bool,
    strict: bool,
    no_decrypt: bool,
    ignore: tuple[str, ...],
    any_key: bool,
) -> int:
    """Show what is wrong in the configuration, or looks wrong.

    \b
    fleece config lint
    fleece config lint --no-decrypt --strict
    fleece config lint --strict --ignore looks-secret
    fleece config lint --json

    Errors: plain-text secrets, secrets that cannot be decrypted, stages without a value. Warnings: overlapping
    expressions, ciphertexts that were copied or moved since git's HEAD, plain-text values that look like secrets.

    The exit code is 0 without errors, 1 with errors, and 2 if not everything could be checked, for instance because
    credentials for a stage are missing; what was found is shown all the same.
    """  # noqa: D301
    from fleece.cli.config.history import at_head  # noqa: PLC0415 (help needs none)
    from fleece.cli.config.lint import lint  # noqa: PLC0415
    from fleece.cli.config.output import to_json  # noqa: PLC0415

    ctx.meta[FAILURE_CODE] = _FAILED
    workspace = settings.workspace(any_key=any_key)
    result = lint(workspace.document(), None if no_decrypt else workspace.keys, at_head(workspace.path.absolute()))
    findings = [finding for finding in result.findings if finding.rule not in ignore]
    if as_json:
        data = {"file": str(workspace.path), "findings": [dataclasses.asdict(finding) for finding in findings]}
        output = to_json(data) + "\n"
    else:
        output = "".join(
            f"{workspace.path}:{one.line}: {one.severity}: {one.message} [{one.rule}]\n" for one in findings
        )
    _streams.write(output.encode(errors="backslashreplace"))  # the name of a file need be no text
    if result.failures:
        raise CommandError("; ".join(map(str, result.failures)))
    return _FOUND if any(strict or finding.severity == "error" for finding in findings) else 0
