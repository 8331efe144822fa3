"""The ``fleece`` command: the only place where an exception becomes an exit code and a line on stderr.

0 done, 1 failed, 2 wrong usage, 130 interrupted; ``fleece run`` adds its child's codes (see `fleece.cli.errors`).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from fleece.cli import _streams
from fleece.cli.errors import FAILURE_CODE, INTERRUPTED, RUN_FAILED, CommandError, UsageError, as_command_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, NoReturn

    import click

_log = logging.getLogger("fleece.cli")

_FAILURE_CODES = {"run": RUN_FAILED, "exec": RUN_FAILED, "diff": 2, "lint": 2}
"""What `FAILURE_CODE` will be of these commands, for when they cannot even be imported."""

_NEW_OBJECTS = 100_000  # between two collections; Python's own default is 700 to 2,000


class Program(NamedTuple):
    """A command line that ends as fleece's does.

    `commands` is the module that has its click group, as ``group``; `extra` brings the packages that it stands on.
    """

    name: str
    commands: str
    extra: str

    @property
    def completion(self) -> str:
        """The variable in which a shell asks for completions."""
        return f"_{self.name}_COMPLETE".replace("-", "_").upper()


_FLEECE = Program("fleece", "fleece.cli.group", "cli")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, and end the process with its exit code.

    Args:
        argv: the arguments after the program's name; those of the process when not given.
    """
    sys.exit(exit_code_of(sys.argv[1:] if argv is None else argv))


def run_part(command: str, argv: Sequence[str] | None) -> None:
    """Run one command as the ``main`` of its package; return if it worked.

    Args:
        command: its name, ``config`` for instance.
        argv: the arguments after the name; those of the process when not given.

    Raises:
        SystemExit: with the exit code, when it did not work; why is on stderr.
    """
    if code := exit_code_of([command, *(sys.argv[1:] if argv is None else argv)]):
        sys.exit(code)


def exit_code_of(argv: Sequence[str], program: Program = _FLEECE) -> int:
    """Run the command line and return its exit code, having told on stderr what went wrong."""
    _streams.replace_closed()
    handler = _StderrHandler()
    _log.addHandler(handler)
    _log.setLevel(_level(program))
    try:
        if any("\0" in argument for argument in argv):  # in the call of a program: no shell can give one
            return _told(UsageError("an argument has a NUL character in it"))
        with _few_collections():
            return _run(program, list(argv))
    except KeyboardInterrupt:
        _log.error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return CommandError.exit_code
    except ModuleNotFoundError as error:
        failure_code = _failure_code(argv)
        if (error.name or "fleece").startswith("fleece"):
            return _told(error, failure_code)
        needed = "the package %r is missing, which the command line needs: pip install 'fleece[%s]'"
        _log.error(needed, error.name, program.extra)
        return failure_code
    finally:
        _log.removeHandler(handler)
        _streams.drop_unwritten()


def _run(program: Program, arguments: list[str]) -> int:
    """Run the command line under click, and turn its exceptions and the commands' into exit codes."""
    import click  # noqa: PLC0415 (that it may be missing is handled above)

    group: click.Group = importlib.import_module(program.commands).group
    meta: Mapping[str, Any] = {}
    try:
        if program.completion in os.environ:
            return _complete(program, group)
        with group.make_context(program.name, arguments, color=_color()) as context:
            meta = context.meta  # the commands' contexts share it
            result = group.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # the exit code tells, where stderr cannot
            _show(error)
        return error.exit_code
    except click.Abort as error:
        # A prompt turns both Ctrl-C and the end of input into Abort.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        at_end = isinstance(error.__context__, EOFError)
        _log.error("the input ended where an answer was needed" if at_end else "aborted")
        return int(meta.get(FAILURE_CODE, CommandError.exit_code))
    except (BrokenPipeError, ModuleNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 (this is where all of them end)
        return _told(error, meta.get(FAILURE_CODE, CommandError.exit_code))
    return result if isinstance(result, int) else 0


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage less often: imports and documents make many objects that all stay, and a command is short.

    It takes a tenth off the time of ``fleece config import``; what garbage piles up is a few megabytes at most.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _complete(program: Program, group: click.Group) -> int:
    """Answer a shell's request, ``bash_source`` or ``zsh_complete`` for instance."""
    from click.shell_completion import shell_complete  # noqa: PLC0415

    return shell_complete(group, {}, program.name, program.completion, os.environ[program.completion])


def _failure_code(arguments: Sequence[str]) -> int:
    """Return the exit code of a plain failure, of arguments that nothing has taken apart."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    prints = any(word.startswith(("--export", "--credential-process")) for word in own)
    named = [_FAILURE_CODES[word] for word in own if word in _FAILURE_CODES and not prints]
    return named[0] if named else CommandError.exit_code


def _show(error: click.ClickException) -> None:
    """Tell a mistake in one line, with where to read on; click itself would show the usage above it."""
    context: click.Context | None = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split())
    if context is None or type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # the latter's message is the help
    else:
        end = "" if message.endswith((".", "?", "!")) else "."
        _log.error("%s%s See '%s --help'.", message, end, context.command_path)


def _told(error: Exception, failure_code: int = CommandError.exit_code) -> int:
    """Tell the user about `error`, with the traceback when debugging, and return the exit code."""
    told = as_command_error(error)
    _log.debug("the traceback of the error below", exc_info=error)
    _log.error("%s", told)
    return failure_code if told.exit_code == CommandError.exit_code else told.exit_code


def _level(program: Program) -> int:
    if program.completion in os.environ:
        return logging.CRITICAL  # what a shell asks for while somebody types is no occasion for warnings
    return logging.DEBUG if os.environ.get("FLEECE_DEBUG", "0") not in {"", "0"} else logging.INFO


def _color() -> bool | None:
    """Return whether to use colours as the environment says, or None to let click look at the terminal."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return True if os.environ.get("FORCE_COLOR") else None


class _StderrHandler(logging.Handler):
    """Show records as click shows errors, on whatever is stderr by then."""

    _PREFIXES = {logging.ERROR: "Error: ", logging.WARNING: "Warning: "}  # noqa: RUF012 (a constant)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, and the traceback if the record has one."""
        # Names and paths come from files and servers: they must not move the cursor or forge a second line.
        message = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in record.getMessage())
        lines = [self._PREFIXES.get(record.levelno, "") + message]
        if record.exc_info:
            lines.append(logging.Formatter().formatException(record.exc_info))
        with contextlib.suppress(OSError):
            sys.stderr.write("\n".join(lines) + "\n")
            sys.stderr.flush()
