"""The commands of ``fleece-local``: their options, and nothing of what they do."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import fleece
from fleece.cli.errors import UsageError
from fleece.cli.group import HelpfulGroup
from fleece_testing.local.signals import Signalled

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece_testing.local.resources import Account

# What the commands stand on (moto, rich and all else) is imported by the command that runs.

_PORT = 4566  # LocalStack's
_RESOURCES = Path("localstack/resources.yml")
_ACCOUNT = "123456789012"

_FILE = click.Path(dir_okay=False, path_type=Path)


def _stack_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--stack",
        type=_FILE,
        metavar="FILE",
        help="The ready file of a running stack, from 'up --ready-file'. "
        "Default: the one that FLEECE_LOCAL_STACK names, else the one that is running.",
    )(command)


@click.group(cls=HelpfulGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(fleece.__version__, prog_name="fleece-local", message="%(prog)s %(version)s")
def group() -> None:
    """Run Lambda services on this machine, with no account and no network.

    \b
    fleece-local up          AWS, Rackspace and X-Ray on loopback, until Ctrl-C
    fleece-local invoke src --handler handler.main --event event.json
    fleece-local traces      what has been called, and how long it took
    fleece-local demo        the example service from configuration to trace
    """  # noqa: D301 (the \b is click's mark for lines to be kept)


@group.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=_PORT, show_default=True, help="Port of AWS; 0 takes any."
)
@click.option(
    "--backend",
    type=click.Choice(["embedded", "localstack"]),
    default="embedded",
    show_default=True,
    help="moto in this process, or the LocalStack that is running at the port (with X-Ray embedded).",
)
@click.option(
    "--resources",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"What AWS contains at the start.  [default: {_RESOURCES}, if it is there]",
)
@click.option(
    "--environments",
    type=_FILE,
    metavar="FILE",
    help="Where to write environments.yml, for 'fleece run -c FILE' and 'fleece config -e FILE'.",
)
@click.option("--env-file", type=_FILE, metavar="FILE", help="Also write the variables to this file, as NAME=value.")
@click.option(
    "--ready-file", type=_FILE, metavar="FILE", help="When all is ready, write its addresses to this file, as JSON."
)
def up(**options: Any) -> None:
    """Run the local stack until Ctrl-C.

    What other programs need to reach it goes to stdout, as lines for a shell. The files that it writes are readable by
    you alone, never replace other files, and are removed at the end.

    \b
    fleece-local up --env-file stack.env
    set -a; . ./stack.env; set +a            # in a second terminal
    """  # noqa: D301
    from fleece_testing.local.up import Settings, up as run  # noqa: PLC0415

    accounts = _accounts(options.pop("resources"))
    run(Settings(accounts=accounts, **options), click.echo, _tell)


def _accounts(resources: Path | None) -> tuple[Account, ...]:
    from fleece_testing.local.resources import Account, read_resources  # noqa: PLC0415

    if resources is None and not _RESOURCES.is_file():
        return (Account(_ACCOUNT),)
    return read_resources(resources or _RESOURCES)


@group.command()
@click.argument("code", metavar="SRC_OR_ZIP", type=click.Path(exists=True, path_type=Path))
@click.option("--handler", required=True, metavar="MODULE.FUNCTION", help="The handler, as configured on the function.")
@click.option(
    "--event",
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE|-",
    help="File with the event as JSON; - reads stdin.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, 900, min_open=True),
    default=30,
    show_default=True,
    help="Seconds that the function may take.",
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable for the function; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Write result, error, logs and trace as one JSON document.")
@_stack_option
def invoke(
    code: Path, handler: str, event: str, timeout: float, env: tuple[str, ...], as_json: bool, stack: Path | None
) -> None:
    """Invoke a function once, under AWS's own runtime client.

    SRC_OR_ZIP is its source folder, or the zip as it would be uploaded. The function finds the local stack that is
    running. Its result goes to stdout, its logs and trace to stderr; the exit code is 1 if it fails.

    \b
    fleece-local invoke src --handler handler.main --event event.json
    echo '{"id": 1}' | fleece-local invoke dist/lambda_function.zip --handler handler.main --event -
    """  # noqa: D301
    from fleece_testing.local import invoke as command  # noqa: PLC0415
    from fleece_testing.local.console import console  # noqa: PLC0415
    from fleece_testing.local.session import find  # noqa: PLC0415

    environment = dict(_variable(one) for one in env)
    document = command.read_event(event)
    session = find(stack)
    if session is None:
        _tell("No local stack is running ('fleece-local up'), so the function reaches no AWS.")
    outcome = command.invoke(code, handler, document, session=session, timeout=timeout, environment=environment)
    if as_json:
        command.show_json(outcome)
    else:
        command.show(outcome, console(stderr=True))


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        # Not the text itself: it may be a secret.
        raise UsageError("--env takes NAME=VALUE, with an equals sign after a name")
    return name, value


@group.command()
@click.option("--follow", "-f", is_flag=True, help="Show more as it arrives, until Ctrl-C or the end of the stack.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document; with --follow, one for each trace.")
@_stack_option
def traces(follow: bool, as_json: bool, stack: Path | None) -> None:
    """Show the traces that the local stack has received, as waterfalls.

    \b
    fleece-local traces
    fleece-local traces --json > traces.json
    """  # noqa: D301
    from fleece_testing.local import traces as command  # noqa: PLC0415
    from fleece_testing.local.console import console  # noqa: PLC0415
    from fleece_testing.local.session import need  # noqa: PLC0415

    url = need(stack).url
    if not follow:
        command.write_all(url, console(), _tell, as_json=as_json)
        return
    with contextlib.suppress(Signalled):
        command.write_as_they_come(url, console(), _tell, as_json=as_json)


@group.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default="localstack",
    show_default=True,
    help="The folder with the example service and its resources.yml, from a checkout of fleece.",
)
@click.option(
    "--wheels",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Build from this folder of wheels alone, with no package index.",
)
def demo(folder: Path, wheels: Path | None) -> int:
    """Take the example service through its life, and check each step.

    The exit code is 0 only if every step did what it should.

    \b
    fleece-local demo                     # in a checkout of fleece
    """  # noqa: D301
    if not (folder / "resources.yml").is_file():
        raise click.BadParameter(
            f"{str(folder)!r} has no resources.yml: run this in a checkout of fleece, or name its folder 'localstack'",
            param_hint="'--folder'",
        )
    from fleece_testing._private_folder import private_folder  # noqa: PLC0415
    from fleece_testing.local.console import console  # noqa: PLC0415
    from fleece_testing.local.demo import run_demo  # noqa: PLC0415

    with private_folder("fleece-demo-") as work:
        return run_demo(console(), folder.resolve(), work.resolve(), wheels and wheels.resolve())


def _tell(message: str) -> None:
    click.echo(message, err=True)
