"""The Engine API as a WSGI application: finds the endpoint, keeps a log, and fails where a test wants it to."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from fleece_testing._docker import archives_api, containers_api, images_api, streams_api, system_api, volumes_api
from fleece_testing._docker.errors import EngineError, NotEmulatedError
from fleece_testing._docker.state import json_answer, progress_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from fleece_testing._docker.state import Route, State

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_ROUTES: tuple[Route, ...] = (
    *system_api.ROUTES,
    *images_api.ROUTES,
    *volumes_api.ROUTES,
    *archives_api.ROUTES,
    *containers_api.ROUTES,
    *streams_api.ROUTES,
)

OPERATIONS = tuple(sorted({route.operation for route in _ROUTES}))
"""The names of what the stub does, those of the methods of ``docker.APIClient``."""

_ANSWERS = {route.operation: route.answer for route in _ROUTES}
_MAP = Map([Rule(route.path, endpoint=route.operation, methods=[route.method]) for route in _ROUTES])
_MOMENT = 0.3  # seconds
_VERSION = re.compile(r"/v1\.\d+(?=/)")


@dataclass(frozen=True)
class Received:
    """One request that was answered.

    Attributes:
        operation: one of `OPERATIONS`, or ``unknown``.
        method: ``GET``.
        path: without the API's version.
        query: its parameters, the last of each name.
        body: the JSON document that was sent, or None.
        status: the HTTP status of the answer.

    Examples:
        >>> import docker
        >>> client = docker.DockerClient(fleece_docker.url)
        >>> client.ping()
        True
        >>> client.close()
        >>> [(one.operation, one.status) for one in fleece_docker.log if one.operation == "ping"]
        [('ping', 200)]
    """

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int


@dataclass(frozen=True)
class Fault:
    """How an answer is spoilt: an error, one in a stream that had begun (status 200), or the engine's end (None)."""

    status: int | None
    message: str = ""


class Application:
    """The endpoints over one state.

    Args:
        state: what the engine holds.
        log: the requests are added to it.
        vanish: ends the engine.
    """

    def __init__(self, state: State, log: list[Received], vanish: Callable[[], None]) -> None:
        self._state = state
        self._log = log
        self._vanish = vanish
        self._lock = threading.Lock()
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def spoil(self, operation: str, fault: Fault, times: int) -> None:
        """Spoil the next answers of an operation.

        Raises:
            ValueError: there is no such operation.
        """
        if operation not in OPERATIONS:
            raise ValueError(f"The Docker stub has no operation {operation!r}: use one of {', '.join(OPERATIONS)}")
        with self._lock:
            self._faults[operation].extend([fault] * times)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        path = _VERSION.sub("", environ["PATH_INFO"], count=1)
        request = Request({**environ, "PATH_INFO": path})
        body = _document(request)
        operation, fault, answer = "unknown", None, None
        try:
            operation, arguments = _MAP.bind("localhost", path_info=path, default_method=request.method).match()
            fault = self._next_fault(operation)
            answer = self._answer(operation, request, arguments, fault)
        except HTTPException:
            answer = _error(NotEmulatedError(f"{request.method} {path}"))
        except EngineError as error:
            answer = _error(error)

        def log(status: str, *arguments: Any) -> Any:
            query = request.args.to_dict()
            received = Received(operation, request.method, path, query, body, int(status.partition(" ")[0]))
            self._log.append(received)
            return start_response(status, *arguments)

        parts = answer(environ, log)
        return self._until_end(parts) if fault == Fault(None) else parts

    def _next_fault(self, operation: str) -> Fault | None:
        with self._lock:
            return self._faults[operation].popleft() if self._faults[operation] else None

    def _answer(
        self, operation: str, request: Request, arguments: Mapping[str, Any], fault: Fault | None
    ) -> WSGIApplication:
        if fault is not None and fault.status == 200:  # noqa: PLR2004 (HTTP's)
            error = {"errorDetail": {"message": fault.message}, "error": fault.message}
            return progress_answer([{"status": "Pulling from", "id": request.args.get("tag", "")}, error])
        if fault is not None and fault.status is not None:
            raise EngineError(fault.status, fault.message)
        return _ANSWERS[operation](self._state, request, **arguments)

    def _until_end(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Send the first part of what there is to send, and end the engine a moment later."""
        for part in parts:
            yield part
            if part:
                break
        # The docker package asks about the container before it reads the stream; that may still be answered.
        time.sleep(_MOMENT)
        self._vanish()


def _document(request: Request) -> Any:
    if request.mimetype != "application/json":
        return None
    try:
        return json.loads(request.get_data(cache=True))
    except ValueError:
        return None


def _error(error: EngineError) -> Response:
    return json_answer({"message": error.message}, error.status)
