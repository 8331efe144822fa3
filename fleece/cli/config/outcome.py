"""What has become of the parameters that were to be written, for whoever has to finish the job."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Outcome:
    """Which parameters were written, which not and why, and which were not tried; its text says so in a line.

    Args:
        names: all that were to be written, in order.

    Attributes:
        written: the names of those that were.
        failed: the names of those that were refused, by the reason.
        in_doubt: the one that was tried last.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.written: list[str] = []
        self.failed: dict[str, list[str]] = defaultdict(list)
        self.in_doubt = ""

    def __str__(self) -> str:
        finished = {*self.written, *(name for names in self.failed.values() for name in names)}
        left = [name for name in self._names if name not in finished]
        reasons = {
            **self.failed,
            "interrupted, perhaps written": [name for name in left if name == self.in_doubt],
            "not tried": [name for name in left if name != self.in_doubt],
        }
        parts = [f"{', '.join(names)} ({reason})" for reason, names in reasons.items() if names]
        written = ", ".join(self.written) or "none"
        return f"not written: {'; '.join(parts)}; written: {written}; run it again for the rest"
