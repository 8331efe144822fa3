"""A handler that tries again when the one it wraps fails."""

from __future__ import annotations

import logging
import os
import threading
import time

from fleece._logging.arguments import require, require_count, require_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

# watchtower answers these itself, at once, by creating the stream or by taking over the sequence token.
_NOT_FAILURES = ("ResourceNotFoundException", "DataAlreadyAcceptedException", "InvalidSequenceTokenException")

_SECONDS = "a number of seconds, 0 or more"

_PATIENCE = 1.0
"""Seconds that a try waits for a handler that another thread's try is stuck in."""


class Backoff:
    """Exponential backoff with full jitter: before retry n (from 0) sleep ``random() * min(cap, base * 2**n)``."""

    def __init__(self, max_retries: int, base: float, cap: float) -> None:
        self.max_retries = max_retries
        self.base = base
        self.cap = cap

    def call(self, attempt: Callable[[], T], *, passing: Callable[[Exception], bool] = lambda _: False) -> T:
        """Return what `attempt` returns, tried again until it does.

        Raises:
            Exception: the first of the errors when all tries have failed; at once one that `passing` says yes to.
        """
        errors: list[Exception] = []
        for retry in range(self.max_retries + 1):
            if errors:
                time.sleep(random() * min(self.cap, self.base * 2.0 ** min(retry - 1, 1000)))
            try:
                return attempt()
            except Exception as error:
                if passing(error):
                    raise
                errors.append(error)
        raise errors[0]


def random() -> float:
    """Return a number from 0 up to 1.

    The system's, because all the instances that SnapStart restores share one state of `random`: they would retry in
    step, which is what jitter is against.
    """
    return int.from_bytes(os.urandom(6), "big") / 2**48


class RetryHandler(logging.Handler):
    """Hand records to another handler, and retry with exponential backoff and full jitter when that fails.

    Retried is what the other handler's ``emit`` raises and what it would have swallowed in ``handleError``. For
    watchtower's handler, which does neither, the backoff goes around the ``put_log_events`` of that handler's client.
    Its level, filters and formatter hold, and no lock is held between the tries.

    Args:
        handler: the handler to wrap.
        max_retries: tries after the first one.
        backoff_base: seconds; the longest wait before the first retry, doubled for each one after it.
        backoff_cap: seconds; the longest wait of all.
        ignore_errors: whether to give up silently. If not, the log call raises the first error.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a number is below zero, or not finite.
    """

    def __init__(
        self,
        handler: logging.Handler,
        max_retries: int = 5,
        backoff_base: float = 0.1,
        backoff_cap: float = 1,
        ignore_errors: bool = True,
    ) -> None:
        require(isinstance(handler, logging.Handler), "handler", "a handler of logging's kind", handler)
        require_count("max_retries", max_retries)
        require_number("backoff_base", backoff_base, _SECONDS)
        require_number("backoff_cap", backoff_cap, _SECONDS)
        super().__init__()
        self.handler = handler
        self.max_retries = max_retries
        self.backoff_base = backoff_base
        self.backoff_cap = backoff_cap
        self.ignore_errors = ignore_errors
        self._thread = _ThreadState()
        self._swallow = handler.handleError
        handler.handleError = self._raise_or_swallow  # type: ignore[method-assign]
        client = getattr(handler, "cwl_client", None)
        if client is not None:
            handler.cwl_client = _PatientClient(client, self)  # type: ignore[attr-defined]

    @property
    def backoff(self) -> Backoff:
        """How long this handler tries."""
        return Backoff(self.max_retries, self.backoff_base, self.backoff_cap)

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit a record that this handler's own filters let pass.

        No lock is taken: the wrapped handler has its own, which is held for a try and not between two.
        """
        passed = _filtered(self, record)
        if passed is not None:
            self.emit(passed)
        return passed is not None

    def emit(self, record: logging.LogRecord) -> None:
        """Emit to the wrapped handler, by its level and filters, until it works or the tries are used up."""
        if record.levelno < self.handler.level:
            return
        passed = _filtered(self.handler, record)
        if passed is None:
            return
        try:
            self.backoff.call(lambda: self._try(passed))
        except Exception:
            if not self.ignore_errors:
                raise

    def flush(self) -> None:
        """Flush the wrapped handler."""
        self.handler.flush()

    def close(self) -> None:
        """Close the wrapped handler."""
        self.handler.close()
        super().close()

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 (logging's name for it)
        """Give the wrapped handler its formatter."""
        self.handler.setFormatter(fmt)

    def _try(self, record: logging.LogRecord) -> None:
        state = self._thread
        lock = self.handler.lock
        if lock is not None and not lock.acquire(timeout=_PATIENCE):
            raise TimeoutError(f"Another thread has been writing to {self.handler!r} for {_PATIENCE} seconds")
        outer = state.trying, state.failure  # of the try that this one is within: clients log as well
        state.trying, state.failure = True, None
        try:
            self.handler.emit(record)
            if state.failure is not None:
                raise state.failure
        finally:
            state.trying, state.failure = outer
            if lock is not None:
                lock.release()

    def _raise_or_swallow(self, record: logging.LogRecord) -> None:
        """Stand in for the wrapped handler's ``handleError``, which runs while its error is being handled."""
        if self._thread.trying:
            raise  # noqa: PLE0704 (the error that the handler has caught)
        self._swallow(record)

    def put_log_events(self, send: Callable[..., Any], batch: dict[str, Any]) -> Any:
        """Send one of watchtower's batches.

        Within a try, a failure is only noted: watchtower would repeat the call at once, and `emit` does so later. In
        watchtower's own threads the waiting is done here.
        """
        state = self._thread
        events = batch.get("logEvents")
        if events is not None and events is state.given_up:
            raise state.failure or RuntimeError("CloudWatch did not take the events")
        try:
            if state.trying:
                return send(**batch)
            return self.backoff.call(lambda: send(**batch), passing=_is_watchtowers)
        except Exception as error:
            if _is_watchtowers(error):
                raise
            state.failure = error
            if state.trying or self.ignore_errors:
                return {}
            state.given_up = events  # watchtower asks four times more
            raise


class _ThreadState(threading.local):
    """Whether this thread is within a try, and the last failure of watchtower's client and the batch it gave up."""

    trying = False
    failure: Exception | None = None
    given_up: object = None


class _PatientClient:
    """A CloudWatch Logs client of which one method is changed, for one handler: the client may be shared."""

    def __init__(self, client: Any, handler: RetryHandler) -> None:
        self._client = client
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_log_events(self, **batch: Any) -> Any:
        return self._handler.put_log_events(self._client.put_log_events, batch)


def _is_watchtowers(error: Exception) -> bool:
    """Whether watchtower has an answer of its own to an error of its client."""
    response: Any = getattr(error, "response", None)
    return isinstance(response, dict) and response.get("Error", {}).get("Code") in _NOT_FAILURES


def _filtered(handler: logging.Handler, record: logging.LogRecord) -> logging.LogRecord | None:
    """Return the record, or what a filter has put in its place (from Python 3.12), or ``None`` to drop it."""
    passed: Any = handler.filter(record)
    if not passed:
        return None
    return passed if isinstance(passed, logging.LogRecord) else record
