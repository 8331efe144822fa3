"""Reads that come too early: for a while after a write, a service answers as it did before it.

Moto has no past, so the state of the service in one account and region is copied before a write, and put in the place
of the present one for as long as a late read takes.
"""

from __future__ import annotations

import copy
import re
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug.wrappers import Response

    from fleece_testing.aws.requests import Request

SERVICES = ("iam", "kms", "logs", "secretsmanager", "ssm")
"""Those that can be late. S3, for one, never is."""

_READ = re.compile("BatchGet|Describe|Filter|Get|List|Simulate|Decrypt|Encrypt|GenerateDataKey|ReEncrypt|Sign|Verify")
"""How operations begin that change nothing; those of KMS that use a key read which keys there are."""

_REFUSED = 400
"""Statuses from here on are errors: what was refused has changed nothing."""


class Backend(Protocol):
    """Moto's object of a service in an account and region; its attributes are all that there is."""

    __dict__: dict[str, Any]


@dataclass
class _Past:
    state: dict[str, Any]
    left: int


class Lag:
    """How late which services are at the moment; safe to use from many threads.

    Args:
        find: returns the backend of a service, by its name, the account and the region.
    """

    def __init__(self, find: Callable[[str, str, str], Backend]) -> None:
        self._find = find
        self._turn = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Let every service answer with what is there."""
        with self._turn:
            self._reads: dict[str, int] = {}
            self._pasts: dict[tuple[str, str, str], _Past] = {}

    def set(self, service: str, reads: int) -> None:
        """Let that many reads of the service be late after each write; 0 for none."""
        with self._turn:
            self._reads[service] = reads
            self._pasts = {place: past for place, past in self._pasts.items() if place[0] != service}

    @contextmanager
    def present(self) -> Iterator[None]:
        """Hold off late reads while the state is changed by other ways than requests, and forget the past."""
        with self._turn:
            self._pasts.clear()
            yield

    def answer(self, request: Request, account: str, ask: Callable[[], Response]) -> Response:
        """Return what `ask` returns, in the present or in the past."""
        reads = self._reads.get(request.service, 0)
        if not reads:
            return ask()
        place = request.service, account, request.region
        # One after the other: the past takes the place of the present while it is asked.
        with self._turn:
            backend = self._find(*place)
            past = self._pasts.get(place)
            if _READ.match(request.operation):
                return ask() if past is None else self._ask_past(place, past, backend, ask)
            state = _copied(backend) if past is None else past.state
            response = ask()
            if response.status_code < _REFUSED:
                self._pasts[place] = _Past(state, reads)
            return response

    def _ask_past(
        self, place: tuple[str, str, str], past: _Past, backend: Backend, ask: Callable[[], Response]
    ) -> Response:
        past.left -= 1
        if not past.left:
            del self._pasts[place]
        now, backend.__dict__ = backend.__dict__, past.state
        try:
            return ask()
        finally:
            backend.__dict__ = now


_T = TypeVar("_T")


def _copied(backend: Backend) -> dict[str, Any]:
    """Return a copy of the state whose parts still know the backend itself."""
    known: dict[int, Any] = {id(backend): backend}
    for value in vars(backend).values():
        if isinstance(value, defaultdict) and type(value) is not defaultdict:
            known[id(value)] = _copied_defaultdict(value, known)
    return copy.deepcopy(vars(backend), known)


def _copied_defaultdict(values: defaultdict[Any, _T], known: dict[int, Any]) -> defaultdict[Any, _T]:
    """Copy a dictionary of a class of moto's, which `copy` cannot: it would make one with the wrong arguments."""
    made = type(values).__new__(type(values))
    made.__dict__.update(vars(values))
    made.default_factory = values.default_factory
    made.update(copy.deepcopy(dict(values), known))
    return made
