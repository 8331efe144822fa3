"""What a command did."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


@dataclasses.dataclass(frozen=True)
class Result:
    r"""What a command did: its output, undecodable bytes as surrogates, and its exit code (negative: a signal).

    `arguments` are those of the command; on a `Terminal` they begin with the program. `terminal` is what the terminal
    showed, with the echo of what was typed and lines that end in ``\r\n``; a stream that was the terminal has the same.

    Examples:
        >>> Result(("config",), '{"a": 1}', "", 0).json
        {'a': 1}
    """

    arguments: tuple[str | bytes, ...]
    stdout: str
    stderr: str
    exit_code: int
    terminal: str = ""

    @property
    def json(self) -> Any:
        """The one JSON document on stdout.

        Raises:
            ValueError: stdout is not one; the message has all that the command said.
        """
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            reason = str(error)
        # Out of the except clause, where pytest would show the parser's own lines as well.
        raise ValueError(f"stdout is not JSON: {reason}; {self}")


def text_of(output: bytes) -> str:
    """Return output as a `Result` has it."""
    return output.decode("utf-8", "surrogateescape")
