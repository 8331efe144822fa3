"""The guard: an audit hook that refuses what leaves this machine, and writes down the line that tried."""

from __future__ import annotations

import errno
import functools
import json
import os
import shlex
import socket
import sys
import threading
from weakref import WeakKeyDictionary

from . import places, rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_NEWER_STARTED, _NEWER_STOPPED = "fleece_testing.guard_started", "fleece_testing.guard_stopped"
_NETWORK = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
        rule.NAMED_ADDRESS,
    }
)
_TAKING_ADDRESSES = {"bind": 0, "connect": 0, "connect_ex": 0, "sendto": -1, "sendmsg": 3}


class Guard:
    """Stand at the rim of this process, until stopped.

    An audit hook cannot be taken away again: one that has been stopped lets everything pass. When a process starts a
    second guard (a pytest inside a pytest, a worker of pytest-xdist), the first stands aside until that has stopped.

    Args:
        report: the file that attempts are written to, a line of JSON each. All processes of a session share it.
    """

    def __init__(self, report: str) -> None:
        self._report = report
        self._standing = False
        self._newer = 0
        self._known = rule.loopback_names(_hosts()) | {"localhost", socket.gethostname().lower()}
        self._thread_started_at: WeakKeyDictionary[threading.Thread, places.Place] = WeakKeyDictionary()
        self._wrapped: list[tuple[type, str, Callable[..., Any]]] = []

    def start(self) -> None:
        """Refuse from now on."""
        sys.audit(_NEWER_STARTED)
        self._standing = True
        sys.addaudithook(self._hear)
        for name, position in _TAKING_ADDRESSES.items():
            self._wrap(socket.socket, name, _announcing(getattr(socket.socket, name), position))
        self._wrap(socket.socket, "connect_ex", _returning(socket.socket.connect_ex))
        self._wrap(threading.Thread, "start", self._remembering(threading.Thread.start))

    def stop(self) -> None:
        """Let everything pass again."""
        while self._wrapped:
            owner, name, method = self._wrapped.pop()
            setattr(owner, name, method)
        self._standing = False
        sys.audit(_NEWER_STOPPED)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        __tracebackhide__ = True  # pytest's: the caller's line is what a tester wants to see
        if not self._standing:
            return
        if event in _NETWORK and not self._newer:
            attempt = rule.attempt(event, arguments, self._known)
            if attempt:
                self._refuse(attempt)
        elif event == _NEWER_STARTED:
            self._newer += 1
        elif event == _NEWER_STOPPED:
            self._newer -= 1

    def _refuse(self, attempt: rule.Attempt) -> NoReturn:
        __tracebackhide__ = True
        host = places.tunnelled_to(places.this_frame())
        what = f"{attempt.what}, for {host}" if host else attempt.what
        self._write({"what": what, **self._where(attempt.name), **_who()})
        message = f"fleece_isolate: refused to {what}; nothing may leave this machine in an isolated test session"
        if attempt.name is not None:
            raise socket.gaierror(socket.EAI_NONAME, message)
        raise OSError(errno.ENETUNREACH, message)

    def _where(self, name: str | None) -> dict[str, Any]:
        frame = places.this_frame()
        place = places.own_place(frame) or (name and places.place_of_lookup(name))
        if place:
            return {"place": place, "how": "at"}
        started_at = self._thread_started_at.get(threading.current_thread())
        if started_at:
            return {"place": started_at, "how": "in a thread started at"}
        return {"place": places.any_place(frame), "how": "at"}

    def _wrap(self, owner: type, name: str, wrapper: Callable[..., Any]) -> None:
        self._wrapped.append((owner, name, getattr(owner, name)))
        setattr(owner, name, wrapper)

    def _remembering(self, start: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the start of threads to keep the line that does it, which the thread's own stack will not show."""

        @functools.wraps(start)
        def remembered(thread: threading.Thread) -> Any:
            place = places.own_place(places.this_frame())
            if place:
                self._thread_started_at[thread] = place
            return start(thread)

        return remembered

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record).encode() + b"\n"
        try:
            # Opened each time: descriptors do not outlive what children do with them. Lines are appended whole.
            descriptor = os.open(self._report, os.O_WRONLY | os.O_APPEND)
        except OSError:
            return  # the session has ended, or this process may not write there: refused all the same
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _announcing(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Wrap a method of sockets so that the guard hears of the address before a name in it is looked up.

    Python's own audit event comes after that look-up.
    """

    @functools.wraps(method)
    def announced(sock: socket.socket, *arguments: Any) -> Any:
        __tracebackhide__ = True
        if len(arguments) > max(position, 0):
            sys.audit(rule.NAMED_ADDRESS, sock, arguments[position])
        return method(sock, *arguments)

    return announced


def _returning(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``connect_ex`` so that it returns the error of a refusal, as it does that of the network."""

    @functools.wraps(connect)
    def returned(sock: socket.socket, *arguments: Any) -> Any:
        __tracebackhide__ = True
        try:
            return connect(sock, *arguments)
        except OSError as error:
            if error.errno != errno.ENETUNREACH:
                raise
            return error.errno

    return returned


def _who() -> dict[str, Any]:
    """Say which process this is, and for which test it was started."""
    command = shlex.join(getattr(sys, "orig_argv", sys.argv))  # Python 3.10 has orig_argv
    return {"pid": os.getpid(), "command": command[:200], "test": os.environ.get("PYTEST_CURRENT_TEST", "")}


def _hosts() -> str:
    try:
        with open("/etc/hosts", encoding="utf-8", errors="replace") as hosts:  # noqa: PTH123 (see `places`)
            return hosts.read()
    except OSError:
        return ""
