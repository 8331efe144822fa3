"""The ``fleece-local`` command: where an exception becomes an exit code and one line on stderr.

0 done, 1 failed, 2 wrong usage, 128+N ended by signal N: as with the ``fleece`` command (see `fleece.cli.errors`).
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from fleece.cli import _streams
from fleece.cli.errors import as_command_error
from fleece_testing.local.signals import end_on_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click


def main() -> NoReturn:
    """Run the command line of this process, and end it with its exit code."""
    end_on_signals()
    _streams.replace_closed()
    try:
        code = exit_code_of(sys.argv[1:])
    finally:
        _streams.drop_unwritten()
    sys.exit(code)


def exit_code_of(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code, having told on stderr what went wrong."""
    try:
        return _run(arguments)
    except BrokenPipeError:  # whoever reads the output has gone
        return 1
    except ModuleNotFoundError as missing:
        return _fail(f"fleece-local needs the package {missing.name!r}: pip install 'fleece[testing]'", 1)
    except Exception as error:  # noqa: BLE001 (this is where all of them end)
        if os.environ.get("FLEECE_DEBUG", "0") not in {"", "0"}:
            traceback.print_exception(error)
        told = as_command_error(error)
        return _fail(str(told), told.exit_code)


def _run(arguments: Sequence[str]) -> int:
    import click  # noqa: PLC0415 (that it may be missing is handled above)

    from fleece_testing.local.commands import group  # noqa: PLC0415

    try:
        result = group.main(list(arguments), prog_name="fleece-local", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _told_usage(error)
    return result if isinstance(result, int) else 0


def _told_usage(error: click.ClickException) -> int:
    """Tell a mistake in one line, with where to read on; click itself would show the usage above it."""
    context: click.Context | None = getattr(error, "ctx", None)
    if context is None or type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # the latter's message is the help
        return error.exit_code
    message = " ".join(error.format_message().split())
    end = "" if message.endswith((".", "?", "!")) else "."
    return _fail(f"{message}{end} See '{context.command_path} --help'.", error.exit_code)


def _fail(message: str, code: int) -> int:
    # Names and paths come from files and servers: they must not move the cursor or forge a second line.
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in message)
    sys.stderr.write(f"Error: {shown}\n")
    return code
