"""Failures on demand: calls that fail, are throttled, denied or slow because a test wants them to be."""

from __future__ import annotations

import fnmatch
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleece_testing.aws.errors import AWSError
from fleece_testing.aws.requests import QUERY, REST_XML

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness import Principal

    When = Callable[[Request], bool]


@dataclass(frozen=True)
class Target:
    """Which requests a fault is for: a service, an operation or all of them, and a condition."""

    service: str
    operation: str | None
    when: When | None

    def fits(self, request: Request) -> bool:
        """Whether the fault is for this request."""
        return (
            self.service == request.service
            and self.operation in (None, request.operation)
            and (self.when is None or self.when(request))
        )


@dataclass
class _Failure:
    target: Target
    left: int
    error: AWSError


@dataclass
class _Throttle:
    """A bucket of tokens: it holds a second's worth, and fills at the same rate."""

    target: Target
    per_second: float
    tokens: float
    filled: float

    def take(self, now: float) -> bool:
        self.tokens = min(max(self.per_second, 1.0), self.tokens + (now - self.filled) * self.per_second)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Faults:
    """The faults that are set at the moment; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hurry = threading.Event()
        self.clear()

    def clear(self) -> None:
        """Forget all of them, and end the wait of slow calls."""
        with self._lock:
            self._hurry.set()
            self._hurry = threading.Event()
            self._failures: list[_Failure] = []
            self._throttles: list[_Throttle] = []
            self._denials: list[tuple[str, When | None]] = []
            self._delays: list[tuple[Target, float]] = []

    def fail(self, target: Target, times: int, error: AWSError) -> None:
        """Answer the next `times` requests of the target with the error."""
        with self._lock:
            self._failures.append(_Failure(target, times, error))

    def throttle(self, target: Target, per_second: float) -> None:
        """Let that many requests of the target through in a second, and a burst of as many."""
        with self._lock:
            self._throttles.append(_Throttle(target, per_second, max(per_second, 1.0), self._clock()))

    def deny(self, action: str, when: When | None) -> None:
        """Refuse the action, ``service:Operation`` with ``*`` for any part."""
        with self._lock:
            self._denials.append((action.lower(), when))

    def delay(self, target: Target, seconds: float) -> None:
        """Answer every request of the target that much later."""
        with self._lock:
            self._delays.append((target, seconds))

    def wait(self, request: Request) -> bool:
        """Sleep as long as the delays say; return False when they were cleared meanwhile."""
        with self._lock:
            hurry, seconds = self._hurry, sum(length for target, length in self._delays if target.fits(request))
        return not (seconds and hurry.wait(seconds))

    def find(self, request: Request, caller: Principal) -> AWSError | None:
        """Return the error that a fault has for this request, if any; a failure is used up by that."""
        with self._lock:
            return self._denied(request, caller) or self._throttled(request) or self._failed(request)

    def _denied(self, request: Request, caller: Principal) -> AWSError | None:
        action = f"{request.service}:{request.operation}"
        for pattern, when in self._denials:
            if fnmatch.fnmatchcase(action.lower(), pattern) and (when is None or when(request)):
                plain = request.protocol in (QUERY, REST_XML)
                return AWSError(
                    "AccessDenied" if plain else "AccessDeniedException",
                    f"User: {caller.arn} is not authorized to perform: {action}",
                    403 if plain else 400,
                )
        return None

    def _throttled(self, request: Request) -> AWSError | None:
        now = self._clock()
        for throttle in self._throttles:
            if throttle.target.fits(request) and not throttle.take(now):
                if request.protocol == REST_XML:
                    return AWSError("SlowDown", "Please reduce your request rate.", 503)
                code = "Throttling" if request.protocol == QUERY else "ThrottlingException"
                return AWSError(code, "Rate exceeded", 400)
        return None

    def _failed(self, request: Request) -> AWSError | None:
        for failure in self._failures:
            if failure.left > 0 and failure.target.fits(request):
                failure.left -= 1
                return failure.error
        return None
