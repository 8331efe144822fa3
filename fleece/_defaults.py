"""What is process-wide in fleece, in one object: the settings, and the resources made once per process.

Everything else that lives longer than a call is in context variables. Both kinds of state are kept here so that one
rule holds for all: reads never wait, changes are locked and can be undone, and nothing that must not survive a
``fork`` or a SnapStart restore (sockets, pools, event loops) does.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import namedtuple

TYPE_CHECKING = False  # `typing` is worth several milliseconds of a cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, NamedTuple, TypeVar

    T = TypeVar("T")

    class Timeouts(NamedTuple):
        """Default timeouts in seconds; ``None`` means not set."""

        timeout: float | None = None
        connect_timeout: float | None = None
        read_timeout: float | None = None

    class Settings(NamedTuple):
        """An immutable snapshot of the process-wide settings."""

        boto3_timeouts: Timeouts = Timeouts()
        requests_timeouts: Timeouts = Timeouts()
        requests_retries: Mapping[str, Any] | None = None
else:
    Timeouts = namedtuple(  # noqa: PYI024 (its typed twin is above)
        "Timeouts", "timeout connect_timeout read_timeout", defaults=(None, None, None)
    )
    Settings = namedtuple(  # noqa: PYI024
        "Settings",
        "boto3_timeouts requests_timeouts requests_retries",
        defaults=(Timeouts(), Timeouts(), None),
    )


class Defaults:
    """Settings that can be replaced and restored, and resources that are made once per process.

    `settings` is an immutable tuple behind one attribute, so that a reader needs no lock and never sees half of a
    change.
    """

    def __init__(self) -> None:
        self.settings = Settings()
        self._lock = threading.RLock()
        self._resources: dict[str, Any] = {}
        self._survivors: set[str] = set()
        self._restore_hook = False

    def configure(self, **changes: Any) -> None:
        """Replace the settings named in `changes`, for the whole process.

        Raises:
            TypeError: there is no setting of that name.
        """
        unknown = changes.keys() - set(Settings._fields)
        if unknown:
            raise TypeError(f"fleece has no setting {', '.join(sorted(unknown))}")
        with self._lock:
            self.settings = self.settings._replace(**changes)

    @contextlib.contextmanager
    def override(self, **changes: Any) -> Iterator[None]:
        """Replace settings for the length of a ``with`` block, then put all of them back as they were."""
        with self._lock:
            before = self.settings
            self.configure(**changes)
        try:
            yield
        finally:
            with self._lock:
                self.settings = before

    def reset(self) -> None:
        """Put every setting back to fleece's own default and forget the resources."""
        with self._lock:
            self.settings = Settings()
            self._resources.clear()

    def resource(self, name: str, factory: Callable[[], T], *, survives_restore: bool = False) -> T:
        """Return the resource of that name, made by `factory` at its first use in this process.

        A resource does not outlive the process it was made in: after a ``fork``, and after a SnapStart restore, the
        next use makes it anew. One that `survives_restore` is plain memory, dear to make, which a snapshot is for.
        """
        try:
            resource: T = self._resources[name]
        except KeyError:
            with self._lock:
                if name not in self._resources:
                    self._watch_restores()
                    if survives_restore:
                        self._survivors.add(name)
                    self._resources[name] = factory()
                resource = self._resources[name]
        return resource

    def process(self) -> object:
        """Return what stands for this process: another object after a ``fork`` or a SnapStart restore."""
        return self.resource("process", object)

    def forget(self, name: str) -> Any:
        """Take the resource of that name out, for whoever closes it; ``None`` when it was never made."""
        with self._lock:
            return self._resources.pop(name, None)

    def _watch_restores(self) -> None:
        """Drop the resources when SnapStart restores a snapshot: their sockets are those of another machine."""
        if self._restore_hook or os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
            return
        self._restore_hook = True
        try:
            # Comes with AWS's runtime, and nowhere else.
            from snapshot_restore_py import register_after_restore  # noqa: PLC0415
        except ImportError:
            return
        register_after_restore(self._after_restore)

    def _after_restore(self) -> None:
        self._resources = {name: self._resources[name] for name in self._survivors & self._resources.keys()}

    def _after_fork_in_child(self) -> None:
        # Another thread of the parent may have held the lock; in the child it would be held for ever.
        self._lock = threading.RLock()
        # Dropped, and not closed here: what a `close` says to the other side would be said in the parent's name.
        self._resources = {}


defaults = Defaults()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: defaults._after_fork_in_child())  # noqa: PLW0108, SLF001 (late look-up)
