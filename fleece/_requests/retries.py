"""``retries`` as `fleece.requests` takes them: checked at the call, and in force for as long as the call lasts."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from contextvars import ContextVar

from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util import Retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fleece._requests.types import Retries

IN_FORCE: ContextVar[tuple[object, Retry | None, Retry | None]] = ContextVar(
    "fleece.requests.retries", default=(None, None, None)
)
"""The session whose call is under way; what that call or that session asked for; what the process has installed."""

_COUNTS = frozenset({"total", "connect", "read", "redirect", "status", "other"})
_NUMBERS = frozenset({"backoff_factor", "backoff_max", "backoff_jitter", "retry_after_max"})
_COLLECTIONS = {
    # name: what it is a collection of, and what may stand in its place
    "status_forcelist": (int, (None,)),
    "allowed_methods": (str, (None, False)),
    "remove_headers_on_redirect": (str, ()),
}


def retry_of(retries: Retries, installed: Mapping[str, Any] | None) -> Retry | None:
    """Return the `Retry` that `retries` describes, or None where it is None.

    A number takes its other settings from `installed`.

    Raises:
        TypeError, ValueError: it describes none; the message names the argument and what was given.
    """
    if retries is None or isinstance(retries, Retry):
        return retries
    if isinstance(retries, Mapping):
        return retry_with(retries)
    if isinstance(retries, bool) or not isinstance(retries, int):
        raise TypeError(
            f"retries must be a number, a dict of Retry's arguments, a Retry or None: {retries!r} was given"
        )
    _check_count("retries", retries)
    return Retry(**{**(installed or {}), "total": retries})


def retry_with(settings: Mapping[str, Any]) -> Retry:
    """Return the `Retry` of these arguments, most of which urllib3 itself would look at when a request has failed.

    Raises:
        TypeError, ValueError: an argument that `Retry` does not have or could do nothing with.
    """
    for name, value in settings.items():
        if name in _COUNTS:
            _check_count(name, value)
        elif name in _NUMBERS:
            _check_number(name, value)
        elif name in _COLLECTIONS:
            _check_collection(name, value, *_COLLECTIONS[name])
    return Retry(**settings)


def _check_count(name: str, value: object) -> None:
    if value is None or value is False:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, None or False: {value!r} was given")
    if value < 0:
        raise ValueError(f"{name} must be zero or more: {value!r} was given")


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number: {value!r} was given")
    if not value >= 0:  # not a number is neither
        raise ValueError(f"{name} must be zero or more: {value!r} was given")


def _check_collection(name: str, value: object, kind: type, instead: tuple[object, ...]) -> None:
    if any(value is one for one in instead):
        return
    # Text is a collection too, of its characters, which is never what was meant.
    if isinstance(value, (str, bytes)) or not (
        isinstance(value, Collection) and all(isinstance(one, kind) for one in value)
    ):
        raise TypeError(f"{name} must be a collection of {kind.__name__}: {value!r} was given")


class CallRetries(HTTPAdapter):
    """An adapter whose retries are those of the call under way; `max_retries` is read for each request that is sent.

    What the call or the session asked for wins over what the adapter was made with, and that over what the process
    has installed.
    """

    @property
    def max_retries(self) -> Retry:
        """The retries of the request that is about to be sent."""
        own: Retry = self.__dict__["max_retries"]
        _, asked_for, installed = IN_FORCE.get()
        if asked_for is not None:
            return asked_for
        # An adapter that was made without the argument has this, and no retries of its own.
        return installed if installed is not None and own.total == 0 and own.read is False else own

    @max_retries.setter
    def max_retries(self, retries: Retry) -> None:
        self.__dict__["max_retries"] = retries


def with_call_retries(adapter: BaseAdapter) -> BaseAdapter:
    """Return `adapter` with the retries of the call under way: a double that shares all of its state.

    The adapter itself is left as it was, because other sessions and threads may be using it. It is returned as it is
    when nobody has asked for retries, and when it is not of requests' own kind, or keeps something in slots, which
    cannot be shared: that one retries as it sees fit.
    """
    _, asked_for, installed = IN_FORCE.get()
    if asked_for is None and installed is None:
        return adapter
    if not isinstance(adapter, HTTPAdapter) or isinstance(adapter, CallRetries) or "max_retries" not in vars(adapter):
        return adapter
    kind: Any = type(adapter)
    if kind.__basicsize__ != HTTPAdapter.__basicsize__:  # it has slots
        return adapter
    double: HTTPAdapter = object.__new__(_with_call_retries(kind))
    double.__dict__ = adapter.__dict__
    return double


@functools.lru_cache(maxsize=32)
def _with_call_retries(kind: Any) -> Any:
    return type(kind.__name__, (CallRetries, kind), {"__module__": kind.__module__})
