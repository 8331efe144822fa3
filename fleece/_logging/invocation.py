"""Which invocation a line belongs to.

The request ids are in a context variable and, for child processes, in two environment variables.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from contextvars import ContextVar

from fleece._defaults import defaults
from fleece._logging import context
from fleece._logging.arguments import require
from fleece._logging.functions import is_coroutine_function
from fleece._logging.line import Ids
from fleece._trace_header import environment_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

ENV_APIG_REQUEST_ID = "_FLEECE_APIG_REQUEST_ID"
ENV_LAMBDA_REQUEST_ID = "_FLEECE_LAMBDA_REQUEST_ID"
_VARIABLES = {"api_request_id": ENV_APIG_REQUEST_ID, "lambda_request_id": ENV_LAMBDA_REQUEST_ID}


class Invocation:
    """One call of a decorated handler.

    Attributes:
        ids: the fields of each of its lines.
        thread: the thread it was called in.
        running: whether it is still under way. Contexts copied from it may live on long after it.
    """

    __slots__ = ("ids", "running", "thread")

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.thread = threading.get_ident()
        self.running = True


class Invocations:
    """The invocations under way in this process, and the environment variables that tell child processes of them.

    Reads need no lock: `running` is replaced, never changed.
    """

    def __init__(self) -> None:
        self.running: tuple[Invocation, ...] = ()
        self.inherited = Ids(ids_from_environment())
        self._outside: dict[str, str | None] = {}
        self._lock = threading.Lock()
        self._cold = True

    def begin(self, ids: dict[str, str]) -> Invocation:
        """Enter an invocation; the first of the process is the cold start."""
        with self._lock:
            if not self.running:
                self._outside = {name: os.environ.get(name) for name in _VARIABLES.values()}
            invocation = Invocation(Ids({**ids, "cold_start": self._cold}))
            self._cold = False
            self.running = (*self.running, invocation)
            _set_environment({name: ids.get(key) for key, name in _VARIABLES.items()})
        return invocation

    def end(self, invocation: Invocation) -> None:
        """Leave an invocation. The variables tell of one that still runs, else they are what they were before."""
        with self._lock:
            invocation.running = False
            self.running = tuple(other for other in self.running if other is not invocation)
            if self.running:
                ids: Mapping[str, Any] = self.running[-1].ids
                _set_environment({name: ids.get(key) for key, name in _VARIABLES.items()})
            else:
                _set_environment(self._outside)


_current: ContextVar[Invocation | None] = ContextVar("fleece.log invocation", default=None)


_NO_IDS = Ids({})


def current_ids() -> Ids:
    """Return the fields that tell which invocation this code runs in; nothing outside of one.

    A thread that no invocation has been handed to (a pool's) works for the one that is running, if just one is. A
    process that was started by an invocation belongs to it.
    """
    invocation = _current.get()
    if invocation is not None and invocation.running:
        return invocation.ids
    invocations = defaults.resource("fleece.log invocations", Invocations)
    running = invocations.running
    if not running:
        return invocations.inherited
    if len(running) == 1 and running[0].thread != threading.get_ident():
        return running[0].ids
    return _NO_IDS


def ids_from_environment() -> dict[str, str]:
    """Return the request ids that the environment variables hold now."""
    ids = ((key, os.environ.get(name)) for key, name in _VARIABLES.items())
    return {key: value for key, value in ids if value}


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        os.environ.pop(name, None)
        if value is not None:
            with contextlib.suppress(ValueError):  # an id with a null character: no environment can hold it
                os.environ[name] = value


@contextlib.contextmanager
def invocation(event: object, lambda_context: object) -> Iterator[None]:
    """Make this context an invocation's, for the length of a ``with`` block."""
    ids = _ids_of(event, lambda_context)
    outer = _current.get()
    if outer is not None and outer.running and {**ids, "cold_start": outer.ids["cold_start"]} == outer.ids:
        yield  # decorated twice: it is one invocation all the same
        return
    invocations = defaults.resource("fleece.log invocations", Invocations)
    current = invocations.begin(ids)
    current_token = _current.set(current)
    fields_token = context.fields.set(context.fields.get())
    try:
        yield
    finally:
        invocations.end(current)
        with contextlib.suppress(ValueError):  # a coroutine closed from another context, which has no part in this
            _current.reset(current_token)
            context.fields.reset(fields_token)


def _ids_of(event: object, lambda_context: object) -> dict[str, str]:
    ids = {
        "api_request_id": _api_request_id(event),
        "lambda_request_id": _attribute(lambda_context, "aws_request_id"),
        "function_name": _attribute(lambda_context, "function_name"),
        "xray_trace_id": environment_trace().root,
    }
    return {key: value for key, value in ids.items() if value}


def _attribute(lambda_context: object, name: str) -> str | None:
    try:
        value = getattr(lambda_context, name, None)
    except Exception:  # noqa: BLE001 (a stand-in for the context, in a test: no reason for the handler to fail)
        return None
    return value if isinstance(value, str) else None


def _api_request_id(event: object) -> str | None:
    """Return API Gateway's id for the request; its REST, HTTP and WebSocket events have it in the same place."""
    about = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(about, dict):
        return None
    # Function URLs and the records of asynchronous invocations have a requestId as well, of their own services.
    if ".lambda-url." in str(about.get("domainName")) or "functionArn" in about:
        return None
    request_id = about.get("requestId")
    return request_id if isinstance(request_id, str) else None


def _event_and_context(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[object, object]:
    event = args[0] if args else kwargs.get("event")
    return event, args[1] if len(args) > 1 else kwargs.get("context")


def inject_request_ids_into_environment(func: F) -> F:
    """Decorate a Lambda handler so that every line of an invocation has the invocation's ids.

    For the length of the invocation, and only then, lines have ``lambda_request_id``, ``function_name`` and
    ``cold_start``; ``api_request_id`` when the event came from API Gateway (REST, HTTP or WebSocket); and
    ``xray_trace_id`` when there is a trace. Context variables bound meanwhile (`bind_contextvars`) end with it.
    Child processes find the two request ids in ``_FLEECE_LAMBDA_REQUEST_ID`` and ``_FLEECE_APIG_REQUEST_ID``.

    Args:
        func: the handler, a function of an event and a context, or an ``async def``.

    Raises:
        TypeError: it is not a function.
    """
    require(callable(func), "func", "the handler's function", func)
    if is_coroutine_function(func):

        @functools.wraps(func)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with invocation(*_event_and_context(args, kwargs)):
                return await func(*args, **kwargs)

    else:

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with invocation(*_event_and_context(args, kwargs)):
                return func(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def add_request_ids_from_environment(
    logger: object,  # noqa: ARG001 (a structlog processor's signature)
    name: str,  # noqa: ARG001
    event_dict: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Add the request ids that apply here to a structlog event, in the place of any that a caller has given.

    Outside of a decorated invocation they are those of the environment variables.
    """
    ids = current_ids() or ids_from_environment()
    for key in _VARIABLES:
        if key in ids:
            event_dict[key] = ids[key]
    return event_dict
