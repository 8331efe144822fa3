"""What a row of the table is made of: values only.

This module is imported by the harness and by the measured child processes, so it runs on every Python and beside every
package that is measured.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

Clock: TypeAlias = Literal["cpu", "wall"]
"""``cpu`` is user and system time of the process; ``wall`` is for work that waits."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the requirements that are installed in it; ``{fleece}`` is the checkout's wheel."""

    name: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Loop:
    """Time of one repetition of some work, in a process that has been doing it for a while.

    `prepare` is called in the child; what it returns does the work as many times as it is told to.
    """

    prepare: Callable[[], Callable[[int], object]]


@dataclass(frozen=True)
class Statement:
    """CPU time of one statement, an import, in an interpreter that has run nothing else."""

    code: str


@dataclass(frozen=True)
class Command:
    """Time of a whole process.

    Args:
        arguments: the name of a program of the environment, or the path of another, and what it is given.
        files: what is in the folder that it runs in: text by path.
    """

    arguments: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Once:
    """Times of something that happens once in a process.

    `run` is called in the child, which has imported nothing of what is measured, with the row's clock. It returns
    seconds by part, or for work that has no parts ``{"": seconds}``.
    """

    run: Callable[[Callable[[], float]], Mapping[str, float]]


Measure: TypeAlias = "Loop | Statement | Command | Once"


@dataclass(frozen=True)
class Evidence:
    """What is seen from outside of a contestant's rehearsal: `calls` repetitions of its work."""

    calls: int
    output: bytes
    received: tuple[bytes, ...]


def believe(_evidence: Evidence) -> None:
    """Check nothing: for work that checks itself, or that shows nothing."""


@dataclass(frozen=True)
class Contestant:
    """One of those that do the same work.

    Args:
        name: what the table calls it.
        environment: where it runs.
        measure: what is measured of it.
        variables: environment variables for its process.
        check: raises when a rehearsal shows that the work was not done.
    """

    name: str
    environment: Environment
    measure: Measure
    variables: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Evidence], None] = believe


@dataclass(frozen=True)
class Ratio:
    """`ours` takes at most `limit` times what `peer` takes; without a limit, the ratio is information."""

    ours: str
    peer: str
    limit: float | None = None

    def value(self, ours: float, peer: float) -> float:
        """Return the figure that the limit is for."""
        return ours / peer


@dataclass(frozen=True)
class Extra:
    """`ours` takes at most `limit` seconds more than `peer`; without a limit, the difference is information."""

    ours: str
    peer: str
    limit: float | None = None

    def value(self, ours: float, peer: float) -> float:
        """Return the figure that the limit is for, in seconds."""
        return ours - peer


Bar: TypeAlias = "Ratio | Extra"


class Stage(Protocol):
    """What surrounds a row's contestants, and is the same for each of them."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment variables that lead a contestant to what it talks to."""

    def received(self) -> Sequence[bytes]:
        """Return, and forget, what contestants have sent."""


@dataclass(frozen=True)
class SilentStage:
    """A stage that tells nothing of what contestants have sent."""

    variables: Mapping[str, str] = field(default_factory=dict)

    def received(self) -> Sequence[bytes]:
        """Return nothing."""
        return ()


class Interpreters(Protocol):
    """Where the environments are."""

    def python(self, environment: Environment) -> Path:
        """Return the Python of `environment`, which is made if need be."""


def no_stage(_interpreters: Interpreters) -> AbstractContextManager[Stage]:
    """Surround the contestants with nothing."""
    return nullcontext(SilentStage())


@dataclass(frozen=True)
class Row:
    """A row of the table: some work, who does it, and what is asked of fleece.

    Args:
        work: what is done, in words.
        contestants: who does it, in the order in which they take turns.
        bars: what is asked.
        clock: which time counts.
        rounds: how many turns each contestant has, unless the command line says otherwise.
        stage: makes what the contestants talk to.
    """

    work: str
    contestants: tuple[Contestant, ...]
    bars: tuple[Bar, ...]
    clock: Clock = "cpu"
    rounds: int = 11
    stage: Callable[[Interpreters], AbstractContextManager[Stage]] = field(default=no_stage)

    def __post_init__(self) -> None:
        names = [contestant.name for contestant in self.contestants]
        if len(set(names)) < len(names):
            raise ValueError(f"Two contestants of {self.work!r} have the same name: {names}")
