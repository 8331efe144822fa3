"""What a command says before it exits, and the exit code that goes with it.

CommandError                    1    it did not work; the message says why and what to do
├── UsageError                  2    wrong usage: options, names and credentials that are not there
├── NotExecutableError        126    the program to run cannot be executed
├── NotFoundError             127    the program to run is not there
└── UnexpectedError             1    a fault in fleece itself
"""

from __future__ import annotations

from fleece._errors import FleeceError

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT."""

FAILURE_CODE = "fleece.cli.failure_code"
"""Where in ``click.Context.meta`` a command puts the exit code of its plain failures, if that is not 1.

For commands that end with the code of a program that they run, whose 1 would be taken for the program's: they use
`RUN_FAILED`. Wrong usage, and failures that have a code of their own, keep theirs.
"""

RUN_FAILED = 125
"""The exit code of a command that runs a program, for every failure that is its own."""


class CommandError(FleeceError):
    """A command failed: its message is one line for the user, and `exit_code` is what the process ends with."""

    exit_code = 1


class UsageError(CommandError):
    """The user asked for something that makes no sense, or left out what is needed."""

    exit_code = 2


class NotExecutableError(CommandError):
    """The program that was to run is there and cannot be executed."""

    exit_code = 126


class NotFoundError(CommandError):
    """The program that was to run is not there."""

    exit_code = 127


class UnexpectedError(CommandError):
    """A fault in fleece: an exception that no command was meant to raise, which is this one's ``__cause__``."""

    def __init__(self, cause: Exception) -> None:
        # The exception's own text stays out: nobody has checked it for secrets.
        super().__init__(
            f"unexpected {type(cause).__name__}, which is a fault in fleece: "
            "FLEECE_DEBUG=1 shows where it happened, please report it"
        )


def as_command_error(error: Exception) -> CommandError:
    """Return what to tell the user about `error`, whatever it is."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, FleeceError):
        return CommandError(str(error))
    if isinstance(error, OSError) and error.strerror:
        # Two, when one was being copied to the other.
        files = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        return CommandError(f"{files}: {error.strerror}" if files else error.strerror)
    return UnexpectedError(error)
