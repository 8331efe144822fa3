"""One subsegment, from its opening to its end. Nothing of it raises into the code around which it is open."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from fleece.xray._cause import cause_of
from fleece.xray._context import current, current_subsegment, generate_subsegment_id
from fleece.xray._details import details
from fleece.xray._document import (
    datagram,
    members,
    metadata_member,
    opening,
    seconds,
    to_safe_annotation_key,
    to_safe_annotation_value,
)
from fleece.xray._emitter import link_to_daemon
from fleece.xray._environment import warn_once
from fleece.xray._redact import recordable_members, recordable_text
from fleece.xray._text import to_json
from fleece.xray._wrap import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from typing import Any

    from fleece._trace_header import TraceHeader
    from fleece.xray._document import Document

IN_PROGRESS_VARIABLE = "FLEECE_XRAY_IN_PROGRESS"
MAX_ANNOTATIONS = 50
"""The service indexes no more."""


class Subsegment(Scope):
    """A subsegment that is open, from when it is made: that sends what is known then.

    `enter` and `leave` make it the parent of what is traced between them; a generator's goes in and out at each step.
    `finish` sends it, with what `fail` and `describe` have said by then.

    Args:
        header: the trace that it is part of.
        name: any name; what the service does not take is replaced.
        namespace: ``aws``, ``remote`` or None; any other is left out.
        owner: whoever opened it and wants to find it again: a block, or a session of requests'.
        fields: what is known at the beginning, as for `describe`.
        arguments: those of the call, as `recorded` makes them; they are sent at the end.

    Raises:
        Exception: of any kind: there is no daemon to send it to. `begin` opens one without raising.
    """

    __slots__ = (
        "_annotations", "_arguments", "_details", "_link", "_metadata", "_opening", "_start", "_token",
        "header", "id", "owner", "parent",
    )  # fmt: skip

    _token: Token[Subsegment | None]  # from `enter` on

    def __init__(
        self,
        header: TraceHeader,
        name: str,
        namespace: str | None = None,
        owner: object = None,
        fields: Document | None = None,
        arguments: dict[str, str] | None = None,
    ) -> None:
        self._link = link_to_daemon()
        self.header = header
        self.owner = owner
        self.parent = parent = current_subsegment(header)
        self.id = generate_subsegment_id()
        self._start = time.time_ns()
        parent_id = header.parent if parent is None else parent.id
        self._opening = opening(self.id, header.root, parent_id, name, namespace, seconds(self._start))
        self._details: Document = {}
        self._annotations: dict[str, str | int | float | bool] = {}
        self._arguments = arguments
        # From `recordable_members`, as the arguments are; by namespace and name.
        self._metadata: dict[tuple[str, str], str] = {}
        if fields is not None:
            self.describe(**fields)
        if _wants_in_progress():  # so that a function that never ends shows where it was
            self._link.send(datagram(self._opening, members(self._details) if self._details else "", None))

    def enter(self) -> None:
        """Make this the current subsegment."""
        self._token = current.set(self)

    def leave(self) -> None:
        """Make the one before it current again."""
        # ValueError: whoever drives this coroutine went on in another context, which has nothing to put back.
        try:  # noqa: SIM105 (suppress() would be felt in each call)
            current.reset(self._token)
        except ValueError:
            pass

    def finish(self) -> None:
        """Send the complete subsegment; comes last."""
        try:
            # A clock that was set back must not make a subsegment that ends before it begins.
            end = max(self._start, time.time_ns())
            known = ""
            # Copied at one go: a thread that was bound to this subsegment may still be adding to it.
            if self._details or self._annotations:
                known = members(self._details, self._annotations.copy())
            if self._arguments or self._metadata:
                known += metadata_member(self._arguments or {}, self._metadata.copy())
            self._link.send(datagram(self._opening, known, seconds(end)))
        except Exception:  # noqa: BLE001, S110 (as the module says)
            pass

    def describe(self, **fields: Any) -> None:
        """Add fields such as ``http`` or ``aws``, those that are there already replaced."""
        with suppress(Exception):
            self._details.update(details(fields))

    def described(self, field: str) -> dict[str, Any]:
        """Return what is known of a field, such as ``http``."""
        known: dict[str, Any] = self._details.get(field, {})
        return known

    def fail(self, error: BaseException, *, remote: bool = False, flags: Mapping[str, bool] | None = None) -> None:
        """Record that the traced code raised `error`: a fault, unless `flags` know better."""
        if isinstance(error, GeneratorExit):
            return  # how a consumer says that it has had enough
        with suppress(Exception):
            self._details.update(flags or {"fault": True})
            self._details["cause"] = cause_of(error, remote=remote)

    def put_annotation(self, key: str, value: object) -> None:
        """Add a value to search traces by; see `fleece.xray.put_annotation`."""
        with suppress(Exception):
            name = to_safe_annotation_key(key)
            if name in self._annotations or len(self._annotations) < MAX_ANNOTATIONS:
                self._annotations[name] = to_safe_annotation_value(value)

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        """Add a value to read; see `fleece.xray.put_metadata`."""
        with suppress(Exception):
            [(name, member)] = recordable_members([(key, value)], 1).items()
            self._metadata[to_json(recordable_text(str(namespace))), name] = member


def _wants_in_progress() -> bool:
    try:
        value = os.environ[IN_PROGRESS_VARIABLE]
    except KeyError:  # as in nearly every function; `environ.get` takes longer to find that out
        return True
    if value not in ("", "0", "1"):
        warn_once(IN_PROGRESS_VARIABLE, value, "set it to 0 for one document less, or to 1")
    return value != "0"


def begin(
    header: TraceHeader,
    name: str,
    namespace: str | None = None,
    owner: object = None,
    fields: Document | None = None,
    arguments: dict[str, str] | None = None,
) -> Subsegment | None:
    """Open a `Subsegment` of the trace that `sampled_trace` gave; ``None`` when that fails: then there is no trace."""
    try:
        return Subsegment(header, name, namespace, owner, fields, arguments)
    except Exception:  # noqa: BLE001 (as the module says)
        return None


def measured(
    opened: Subsegment,
    call: Callable[[], Any],
    describe: Callable[[Subsegment, Any], None],
    describe_error: Callable[[Subsegment, BaseException], None],
) -> Any:
    """Call within a subsegment, and let it tell of what the call returned or raised.

    The two that describe may raise anything: it goes no further.
    """
    opened.enter()
    try:
        result = call()
    except BaseException as error:
        with suppress(Exception):
            describe_error(opened, error)
        raise
    else:
        with suppress(Exception):
            describe(opened, result)
        return result
    finally:
        opened.leave()
        opened.finish()
