"""From times to figures: medians, spreads, and whether a bar holds. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model import Bar

Samples: TypeAlias = "Mapping[str, Sequence[float]]"
"""Seconds, one for each round, by contestant (``name``, or ``name: part``)."""


@dataclass(frozen=True)
class Figure:
    """What was measured for one bar.

    Args:
        bar: what is asked.
        value: of the medians: a ratio, or seconds.
        low: the lower quartile of the same figure, taken round by round.
        high: the upper quartile.
    """

    bar: Bar
    value: float
    low: float
    high: float

    @property
    def held(self) -> bool | None:
        """Whether the bar holds; None when there is none."""
        return None if self.bar.limit is None else self.value <= self.bar.limit


def figure(bar: Bar, samples: Samples) -> Figure:
    """Compare what a bar compares.

    Raises:
        KeyError: nobody has one of the two names.
    """
    ours, peer = samples[bar.ours], samples[bar.peer]
    low, high = quartiles([bar.value(one, other) for one, other in zip(ours, peer, strict=True)])
    return Figure(bar, bar.value(median(ours), median(peer)), low, high)


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the lower and the upper quartile; of one value, that value twice."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high
