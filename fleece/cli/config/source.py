"""The text of a configuration, and mistakes in it that are reported with file and line."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import re

from fleece.cli.errors import CommandError

_BYTE_ORDER_MARK = "\ufeff"


class ConfigError(CommandError):
    """A configuration has a mistake; the message begins with ``FILE:LINE:`` where there is a line to name."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A text and where it came from.

    Attributes:
        name: the name of the file, or ``<stdin>``, for messages.
        text: the text without a byte-order mark, with the line breaks that it came with.
        marked: whether it began with a byte-order mark.
        has_lines: whether its lines are those that the user has seen; not so for a text made from JSON.
    """

    name: str
    text: str
    marked: bool = False
    has_lines: bool = True

    @classmethod
    def decode(cls, name: str, content: bytes) -> Source:
        """Read the bytes of a file.

        Raises:
            ConfigError: they are not UTF-8, or hold nothing but white space.
        """
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ConfigError(f"{name}:{line}: this is not UTF-8 text; save the file in that encoding") from None
        marked = text.startswith(_BYTE_ORDER_MARK)
        source = cls(name, text.removeprefix(_BYTE_ORDER_MARK), marked=marked)
        if not source.text.strip():
            raise ConfigError(f"{name} is empty; a configuration has 'stages' and 'config'")
        return source

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        return ((_BYTE_ORDER_MARK if self.marked else "") + self.text).encode()

    def with_text(self, text: str) -> Source:
        """Return the same source with another text."""
        return dataclasses.replace(self, text=text)

    @functools.cached_property
    def line_break(self) -> str:
        """The line break that the text uses: LF, or CR and LF."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def at(self, index: int | None = None) -> str:
        """Return what a message about the character at `index` begins with, or one about the whole file."""
        if index is None or not self.has_lines:
            return f"{self.name}: "
        return f"{self.name}:{self.line(index)}: "

    def line(self, index: int) -> int:
        """Return the number of the line of the character at `index`, counted from 1."""
        return bisect.bisect_left(self._line_ends, index) + 1

    def error(self, message: str, index: int | None = None) -> ConfigError:
        """Return the error that says `message` about the character at `index`, or about the whole file."""
        return ConfigError(f"{self.at(index)}{message}")

    @functools.cached_property
    def _line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]
