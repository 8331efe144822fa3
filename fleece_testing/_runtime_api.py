"""The Lambda Runtime API as a WSGI application: what AWS's runtime client in a child process talks to.

It knows nothing of the process. Invocations are put in by `submit` and waited for by `wait`; the owner of the process
says by `end` that nobody will ask any more.
"""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from fleece_testing._text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

MAX_PAYLOAD = 6 * 1024 * 1024 + 100
"""The largest answer that Lambda takes from a function, in bytes."""

_TURN = 0.1  # seconds

_ROUTES = Map(
    [
        Rule("/2018-06-01/runtime/invocation/next", endpoint="next", methods=["GET"]),
        Rule("/2018-06-01/runtime/invocation/<request_id>/response", endpoint="response", methods=["POST"]),
        Rule("/2018-06-01/runtime/invocation/<request_id>/error", endpoint="error", methods=["POST"]),
        Rule("/2018-06-01/runtime/init/error", endpoint="init_error", methods=["POST"]),
        Rule("/2018-06-01/runtime/restore/next", endpoint="restore_next", methods=["GET"]),
        Rule("/2018-06-01/runtime/restore/error", endpoint="init_error", methods=["POST"]),
    ]
)


@dataclass(frozen=True)
class FunctionError:
    """An error as Lambda reports it to the caller.

    Attributes:
        type: the exception's class name, or one of Lambda's own (``Sandbox.Timedout``, ``Runtime.ExitError``).
        message: the exception's text.
        stack: the traceback, an entry for each frame, as `traceback.format_list` makes them.

    Examples:
        >>> code = (tmp_path / "app.py").write_text("def main(event, context): raise KeyError(event)")
        >>> error = fleece_runtime(tmp_path, "app.main", echo=False).invoke("id").error
        >>> error.type, error.message
        ('KeyError', "'id'")
        >>> str(FunctionError.from_document({"errorType": "KeyError", "errorMessage": "'id'"}))
        "KeyError: 'id'"
    """

    type: str
    message: str
    stack: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FunctionError:
        """Read the JSON that the runtime client posts."""
        return cls(
            str(document.get("errorType", "")),
            str(document.get("errorMessage", "")),
            tuple(document.get("stackTrace") or ()),
        )

    def __str__(self) -> str:
        return printable(f"{self.type}: {self.message}")


class Task:
    """One invocation on its way: what goes to the function, and what comes back."""

    def __init__(self, request_id: str, event: bytes, headers: Mapping[str, str], deadline: float) -> None:
        self.request_id = request_id
        self.event = event
        self.headers = headers
        self.deadline = deadline  # seconds
        self.started = time.monotonic()
        self.ended: float | None = None
        self.payload: bytes | None = None
        self.error: FunctionError | None = None

    @property
    def duration(self) -> float:
        """Seconds from handing it out to its end."""
        return (time.monotonic() if self.ended is None else self.ended) - self.started

    def start(self) -> Response:
        """Make the answer that hands it to the function; its time runs from here."""
        self.started = time.monotonic()
        response = Response(self.event, content_type="application/json")
        response.headers["Lambda-Runtime-Aws-Request-Id"] = self.request_id
        response.headers["Lambda-Runtime-Deadline-Ms"] = str(int((time.time() + self.deadline) * 1000))
        response.headers.update(self.headers)
        return response

    def end(self, *, payload: bytes | None = None, error: FunctionError | None = None) -> None:
        """Keep the outcome; the first one counts."""
        if self.ended is None:
            self.payload, self.error, self.ended = payload, error, time.monotonic()


class RuntimeAPI:
    """The state that the runtime client's requests and the test's calls share, under one lock."""

    def __init__(self) -> None:
        self.init_error: FunctionError | None = None
        self.ended = False
        self._changed = threading.Condition()
        self._waiting = 0
        self._queue: deque[Task] = deque()
        self._running: dict[str, Task] = {}
        self._threads: set[threading.Thread] = set()

    def wait_until_idle(self, timeout: float | None = None) -> bool:
        """Wait until a worker asks for its next invocation; false when the process ended or the time is over."""
        with self._changed:
            self._wait_for(lambda: self._waiting > 0 or self.ended or self.init_error is not None, timeout)
            return self._waiting > 0 and not self.ended

    def submit(self, task: Task) -> None:
        """Hand an invocation to the next worker that asks."""
        with self._changed:
            self._queue.append(task)
            self._changed.notify_all()

    def wait(self, task: Task) -> None:
        """Wait until the invocation has an outcome, its deadline is over, or the process has ended."""
        with self._changed:
            self._wait_for(lambda: task.ended is not None or self.ended, task.deadline)
            self._running.pop(task.request_id, None)

    def end(self) -> None:
        """Let everybody go who waits: the process has ended."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the server's threads that have answered the process; call it when the process is gone."""
        for thread in list(self._threads):
            thread.join()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request of the runtime client."""
        self._threads.add(threading.current_thread())
        try:
            endpoint, arguments = _ROUTES.bind_to_environ(environ).match()
            response = getattr(self, f"_{endpoint}")(Request(environ), **arguments)
        except HTTPException as error:
            response = error.get_response(environ)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _wait_for(self, condition: Callable[[], bool], timeout: float | None) -> None:
        """Wait in short turns: Python sees a signal that comes as a wait begins only when that wait ends."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not condition() and (left := end - time.monotonic()) > 0:
            self._changed.wait(min(left, _TURN))

    def _next(self, request: Request) -> Response:
        if _has_gone(request):
            # A copy that was killed as it asked, say: its request is read when the next copy has taken its place.
            return _answer(410, "ContainerShutdown")
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._queue or self.ended)
            self._waiting -= 1
            if self.ended or _has_gone(request):
                return _answer(410, "ContainerShutdown")
            task = self._queue.popleft()
            self._running[task.request_id] = task
            return task.start()

    def _response(self, request: Request, request_id: str) -> Response:
        payload = request.get_data()
        if len(payload) <= MAX_PAYLOAD:
            return self._finish(request_id, payload=payload)
        message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
        self._finish(request_id, error=FunctionError("Function.ResponseSizeTooLarge", message))
        return _answer(413, "RequestEntityTooLarge")

    def _error(self, request: Request, request_id: str) -> Response:
        return self._finish(request_id, error=FunctionError.from_document(_json(request)))

    def _finish(self, request_id: str, **outcome: Any) -> Response:
        with self._changed:
            task = self._running.get(request_id)
            if task is None:
                return _answer(400, "InvalidRequestID")
            task.end(**outcome)
            self._changed.notify_all()
        return _answer(202)

    def _init_error(self, request: Request) -> Response:
        with self._changed:
            self.init_error = FunctionError.from_document(_json(request))
            self._changed.notify_all()
        return _answer(202)

    def _restore_next(self, _request: Request) -> Response:
        return _answer(200)


def _has_gone(request: Request) -> bool:
    """Whether the client has hung up, so that an answer would be lost."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _json(request: Request) -> dict[str, Any]:
    document = json.loads(request.get_data())
    return document if isinstance(document, dict) else {"errorMessage": document}


def _answer(status: int, error_type: str | None = None) -> Response:
    body = {"status": "OK"} if error_type is None else {"errorType": error_type, "errorMessage": ""}
    return Response(json.dumps(body), status=status, content_type="application/json")
