"""The endpoints that stream a container's output: logs, attach and exec."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Request, Response

from fleece_testing._docker import documents
from fleece_testing._docker.container import Exec
from fleece_testing._docker.errors import EngineError, NotEmulatedError
from fleece_testing._docker.output import STDERR, STDOUT, Frame
from fleece_testing._docker.process import Command
from fleece_testing._docker.server import wait_until_read
from fleece_testing._docker.state import Route, State, is_set, json_answer, no_content, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import BufferedReader
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from fleece_testing._docker.process import Process

_RAW_STREAM = "application/vnd.docker.raw-stream"
_CHUNK = 65_536


def logs(state: State, request: Request, name: str) -> WSGIApplication:
    container = state.containers.find(name)
    streams = _streams(request)
    if not streams:
        raise EngineError(400, "Bad parameters: you must choose at least one stream")
    since, until = (float(request.args.get(bound) or 0) for bound in ("since", "until"))
    past = container.output.frames()
    number = request.args.get("tail") or "all"
    shown = past[len(past) - min(int(number), len(past)) :] if number.isdecimal() else past
    frames = chain(shown, container.output.follow(len(past))) if is_set(request, "follow") else iter(shown)
    wanted = (
        frame.as_text().encoded(timestamps=is_set(request, "timestamps"))
        for frame in frames
        if frame.stream in streams
        and frame.time.timestamp() >= since
        and (not until or frame.time.timestamp() <= until)
    )
    # The head goes at once, however long the first line takes.
    return Response(chain((b"",), wanted), content_type=_RAW_STREAM)


def attach(state: State, request: Request, name: str) -> WSGIApplication:
    container, streams = state.containers.find(name), _streams(request)
    past = container.output.frames()
    frames: Iterable[Frame] = past if is_set(request, "logs") else ()
    if is_set(request, "stream"):
        if container.state.status == "created":
            container.output.open()  # what comes once it is started
        frames = chain(frames, container.output.follow(len(past)))
    feeds_stdin = is_set(request, "stdin") and is_set(request, "stream") and container.specification.command.stdin
    wanted = (frame.encoded() for frame in frames if frame.stream in streams)
    return _stream(request, wanted, container.wait_for_process if feeds_stdin else None)


def exec_create(state: State, request: Request, name: str) -> WSGIApplication:
    container, document = state.containers.find(name), read_json(request)
    if not container.running:
        raise EngineError(409, f"Container {container.id} is not running")
    if document.get("Tty"):
        raise NotEmulatedError("terminals (tty)")
    if not document.get("Cmd"):
        raise EngineError(400, "No exec command specified")
    environment = dict(container.specification.command.environment)
    environment.update(pair.partition("=")[::2] for pair in document.get("Env") or ())
    folder = document.get("WorkingDir") or container.specification.command.folder
    command = Command(document["Cmd"], environment, folder, bool(document.get("AttachStdin")))
    made = Exec(container, command, _attached(document))
    container.execs[made.id] = made
    return json_answer({"Id": made.id}, 201)


def exec_start(state: State, request: Request, name: str) -> WSGIApplication:
    found, document = state.containers.find_exec(name), read_json(request)
    if not found.container.running:
        raise EngineError(409, f"Container {found.container.id} is not running")
    found.start()
    if document.get("Detach"):
        return no_content(200)
    wanted = (frame.encoded() for frame in found.output.follow() if frame.stream in found.streams)
    return _stream(request, wanted, (lambda: found.process) if found.command.stdin else None)


def exec_inspect(state: State, _: Request, name: str) -> WSGIApplication:
    return json_answer(documents.exec_instance(state.containers.find_exec(name)))


def _streams(request: Request) -> frozenset[int]:
    chosen = {STDOUT: is_set(request, "stdout"), STDERR: is_set(request, "stderr")}
    return frozenset(stream for stream, wanted in chosen.items() if wanted)


def _attached(document: dict[str, Any]) -> frozenset[int]:
    chosen = {STDOUT: document.get("AttachStdout"), STDERR: document.get("AttachStderr")}
    return frozenset(stream for stream, wanted in chosen.items() if wanted)


def _stream(request: Request, frames: Iterator[bytes], process: Callable[[], Process | None] | None) -> WSGIApplication:
    """Answer with frames: over the connection itself when the client asks for that, else as a body.

    Args:
        request: the request.
        frames: what is sent.
        process: waits for the process that is given what the client sends.
    """
    if "upgrade" not in request.headers.get("Connection", "").lower():
        return Response(chain((b"",), frames), content_type=_RAW_STREAM)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("101 UPGRADED", [("Content-Type", _RAW_STREAM), ("Connection", "Upgrade"), ("Upgrade", "tcp")])
        return _over_connection(environ, frames, process)

    return application


def _over_connection(
    environ: WSGIEnvironment, frames: Iterator[bytes], process: Callable[[], Process | None] | None
) -> Iterator[bytes]:
    connection = cast("socket.socket", environ["werkzeug.socket"])
    yield b""
    wait_until_read(connection)
    if process is not None:
        threading.Thread(target=_feed, args=(environ["wsgi.input"], process), daemon=True).start()
    try:
        yield from frames
    finally:
        with suppress(OSError):  # the client may have gone
            connection.shutdown(socket.SHUT_RDWR)


def _feed(source: BufferedReader, find_process: Callable[[], Process | None]) -> None:
    process = find_process()
    if process is None:
        return
    with suppress(OSError, ValueError):  # the connection is cut
        while data := source.read1(_CHUNK):
            process.feed(data)
    process.feed(b"")


ROUTES = (
    Route("GET", "/containers/<name>/logs", "logs", logs),
    Route("POST", "/containers/<name>/attach", "attach", attach),
    Route("POST", "/containers/<name>/exec", "exec_create", exec_create),
    Route("POST", "/exec/<name>/start", "exec_start", exec_start),
    Route("GET", "/exec/<name>/json", "exec_inspect", exec_inspect),
)
