"""The JSON lines that a test wrote, as a list to look into and as assertions that explain themselves."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

__all__ = ["Logs"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_SHOWN = 20  # lines in a message


class Logs:
    r"""Read the JSON lines on stdout, from this process and its children.

    Reading takes the output from `capfd`: a test that also wants the text has it in `out` and `err`, since its own
    ``capfd.readouterr()`` sees only what came after the last look at the logs (and takes it from here). When the
    fixture ends, everything is given back to pytest, which shows it with a failing test.

    Args:
        capfd: pytest's fixture of that name.

    Examples:
        >>> import os
        >>> written = os.write(1, b'{"event": "Order received", "level": "info", "order_id": 7}\n')
        >>> fleece_logs.assert_logged("Order received", order_id=7)["level"]
        'info'
        >>> len(fleece_logs.lines), len(fleece_logs.out.splitlines()), fleece_logs.err
        (1, 1, '')
        >>> fleece_logs.clear()
        >>> fleece_logs.lines
        []
        >>> fleece_logs.give_back()  # the fixture does it at its end
        {"event": "Order received", "level": "info", "order_id": 7}
    """

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd
        self._out = ""
        self._err = ""
        self._start = 0

    @property
    def out(self) -> str:
        """All that has been written to stdout."""
        self._read()
        return self._out

    @property
    def err(self) -> str:
        """All that has been written to stderr."""
        self._read()
        return self._err

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of stdout that are JSON objects, parsed, in order; other lines are left out."""
        return parse_lines(self.out[self._start :].split("\n"))

    def clear(self) -> None:
        """Forget the lines so far; `out` and `err` stay."""
        self._start = len(self.out)

    def assert_logged(
        self, event: str | re.Pattern[str] | None = None, level: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Assert that a line was logged, and return it (the first, if several fit).

        Args:
            event: its event: the whole text, or a compiled pattern to be found in it.
            level: its level, in any case.
            fields: fields that it has, among others.

        Raises:
            AssertionError: it says what was logged instead, the nearest line first.
        """
        return find_line(self.lines, event, level, fields, where="stdout")

    def give_back(self) -> None:
        """Write everything to the captured streams again, for pytest to show."""
        self._read()
        sys.stdout.write(self._out)
        sys.stderr.write(self._err)

    def _read(self) -> None:
        out, err = self._capfd.readouterr()
        self._out += out
        self._err += err


def parse_lines(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return those of the lines that are JSON objects, parsed, in order."""
    return [parsed for line in lines if (parsed := _parse(line)) is not None]


def find_line(
    lines: list[dict[str, Any]],
    event: str | re.Pattern[str] | None,
    level: str | None,
    fields: dict[str, Any],
    *,
    where: str,
) -> dict[str, Any]:
    """Return the first line that has all that is asked for.

    Raises:
        AssertionError: there is none; it says what is there (in `where`) instead, the nearest line first.
    """
    named = {"event": event, "level": level}
    wanted = {**{name: value for name, value in named.items() if value is not None}, **fields}
    wrong = [[name for name in wanted if not _fits(name, line, wanted[name])] for line in lines]
    for line, names in zip(lines, wrong, strict=True):
        if not names:
            return line
    raise AssertionError(f"No line has {_shown(wanted)}.\n{_instead(lines, wrong, where)}")


def _parse(line: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _fits(name: str, line: dict[str, Any], wanted: Any) -> bool:
    if name not in line:
        return False
    found = line[name]
    if isinstance(wanted, re.Pattern):
        return isinstance(found, str) and wanted.search(found) is not None
    if name == "level":
        return str(found).lower() == str(wanted).lower()
    return bool(found == wanted)


def _instead(lines: list[dict[str, Any]], wrong: list[list[str]], where: str) -> str:
    """List the lines, the nearest first, each with what of it is not as wanted."""
    if not lines:
        return f"No JSON line was written to {where}."
    nearest = sorted(zip(lines, wrong, strict=True), key=lambda pair: len(pair[1]))
    listed = [f"- {line!a}\n  differs in {', '.join(names)}" for line, names in nearest[:_SHOWN]]
    more = [f"- and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join(["These were logged:", *listed, *more])


def _shown(wanted: dict[str, Any]) -> str:
    patterns = {name: value.pattern if isinstance(value, re.Pattern) else value for name, value in wanted.items()}
    return ", ".join(f"{name}={value!r}" for name, value in patterns.items()) or "anything"
