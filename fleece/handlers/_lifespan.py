"""The lifespan of an ASGI application (ASGI's lifespan protocol 2.0): begun once in a container, before any request.

A lifespan belongs to an event loop, as what an application opens in it does (connections, pools, tasks). It lives as
long as that loop: after a fork and after a SnapStart restore, the next request begins it anew.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import gc
import os
from types import MethodType
from typing import TYPE_CHECKING, Any

from fleece._errors import FleeceError
from fleece.handlers import _loop

if TYPE_CHECKING:
    from fleece.handlers._asgi import ASGIApp, Message, Scope
    from fleece.handlers._log import RequestLog

_SHUTDOWN_SECONDS = 2.0  # what Lambda allows a container at its end


class StartupError(FleeceError):
    """An ASGI application said that it could not start. The cause, where it raised one, is ``__cause__``."""


def lifespan_state(app: ASGIApp, log: RequestLog) -> dict[str, Any]:
    """Return what an application has put into the state of its lifespan, which is begun if it was not yet.

    An application that does not know of lifespans is taken to have an empty one.

    Raises:
        StartupError: the application said that it could not start. The next call tries again.
        RuntimeError: an event loop is running in this thread.
    """
    lifespans = _loop.belongings()
    key = _identity(app)
    lifespan = lifespans.get(key)
    if lifespan is None:
        lifespan = _Lifespan(app, log)
        _loop.run(lifespan.start())
        lifespans[key] = lifespan
        if lifespan.goes_on:
            # This also keeps the task when its loop is dropped: a forked child that collected it would run what follows
            # the application's `yield`, on the parent's connections.
            atexit.register(lifespan.stop)
    state: dict[str, Any] = lifespan.state
    return state


def _identity(app: ASGIApp) -> object:
    """Return what identifies an application: a method is another object each time that it is mentioned."""
    return (id(app.__self__), app.__func__) if isinstance(app, MethodType) else id(app)


class _Lifespan:
    """One application's lifespan on the loop of this thread."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._log = log
        self._process = os.getpid()
        self._owner = _loop.owner()  # the application shuts down on the loop on which it has started
        self._answered = asyncio.Event()
        self._stopping = asyncio.Event()
        self._events = iter(("startup", "shutdown"))
        self._started = False
        self._refusal: str | None = None
        self._error: Exception | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the application waits for its shutdown."""
        return not self._task.done()

    async def start(self) -> None:
        """Begin the lifespan, and wait until the application has started, or has shown that it knows no lifespans."""
        # In a context of its own: what it leaves running belongs to no request, and must not log the first one's ids.
        self._task = contextvars.Context().run(asyncio.ensure_future, self._run())
        await self._answered.wait()
        if self._refusal is not None:
            self._task.cancel()
            await self._end()
            reason = self._refusal.strip().rpartition("\n")[2] or "it gives no reason"
            raise StartupError(f"The ASGI application did not start: {reason}") from self._error
        if not self._started:
            self._log.without_lifespan(self._error)

    def stop(self) -> None:
        """Let the application shut down."""
        loop = self._task.get_loop()
        if os.getpid() != self._process:
            # The end of a forked child, where collecting the task would do what the comment above speaks of.
            gc.freeze()
        elif not loop.is_running():
            self._stopping.set()
            loop.run_until_complete(self._end())

    async def _end(self) -> None:
        await asyncio.wait([self._task], timeout=_SHUTDOWN_SECONDS)

    async def _run(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 (it is told to whoever waits for the start, or logged)
            self._error = error
            if self._started:
                self._log.failed("The ASGI application's lifespan failed", error)
        finally:
            self._answered.set()

    async def _receive(self) -> Message:
        event = next(self._events, "shutdown")
        if event != "startup":
            await self._stopping.wait()
        return {"type": f"lifespan.{event}"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            self._started = True
        elif message["type"] == "lifespan.startup.failed":
            self._refusal = message.get("message", "")
        elif not message["type"].startswith("lifespan.shutdown."):
            raise RuntimeError(f"The ASGI application sent {message['type']!r} in its lifespan")
        self._answered.set()
