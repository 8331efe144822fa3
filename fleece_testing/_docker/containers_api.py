"""The endpoints about containers: from create to remove."""

from __future__ import annotations

import secrets
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from fleece_testing._docker import documents
from fleece_testing._docker.container import Container, Specification
from fleece_testing._docker.errors import EngineError, NotEmulatedError
from fleece_testing._docker.names import CONTAINER_NAME, has_labels, parse_filters
from fleece_testing._docker.process import Command
from fleece_testing._docker.state import Route, State, is_set, json_answer, no_content, read_json
from fleece_testing._docker.volumes import parse_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIApplication

    from fleece_testing._docker.images import Image

_FILTERS = frozenset({"id", "name", "label", "status", "exited", "ancestor"})
_CONDITIONS = frozenset({"not-running", "next-exit", "removed"})
_STOP_SECONDS = 10


def create_container(state: State, request: Request) -> WSGIApplication:
    document = read_json(request)
    name = request.args.get("name") or f"fleece_{secrets.token_hex(4)}"
    if not CONTAINER_NAME.fullmatch(name):
        raise EngineError(400, f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    image = state.images.find(str(document.get("Image", "")))
    wanted = specify(document, image)
    folder = state.containers.new_folder()
    tree = image.tree.copy(folder / "root")
    tree.make_folder(wanted.command.folder)
    mounts = [state.volumes.lay(mount, tree, folder) for mount in wanted.mounts]
    specification = replace(wanted, mounts=mounts)
    container = state.containers.create(name, specification, tree)
    return json_answer({"Id": container.id, "Warnings": []}, 201)


def specify(document: Mapping[str, Any], image: Image) -> Specification:
    """Return what a request to create a container means, with what the image says.

    Raises:
        EngineError: there is nothing to run, or the stub cannot do it.
    """
    if document.get("Tty"):
        raise NotEmulatedError("terminals (tty)")
    host_config = document.get("HostConfig") or {}
    entrypoint, arguments = document.get("Entrypoint"), document.get("Cmd")
    if entrypoint is None:
        entrypoint = image.config.entrypoint or ()
        arguments = arguments or image.config.command
    command = [*entrypoint, *(arguments or ())]
    if not command:
        raise EngineError(400, "No command specified")
    environment = dict(image.config.environment)
    for pair in document.get("Env") or ():
        variable, equals, value = pair.partition("=")
        environment.update({variable: value} if equals else {})
    folder = document.get("WorkingDir") or image.config.working_dir or "/"
    return Specification(
        image=image,
        image_name=str(document["Image"]),
        command=Command(command, environment, folder, bool(document.get("OpenStdin"))),
        entrypoint=list(entrypoint),
        arguments=list(arguments or ()),
        labels={**image.config.labels, **(document.get("Labels") or {})},
        config={name: value for name, value in document.items() if name not in {"HostConfig", "NetworkingConfig"}},
        host_config=host_config,
        mounts=parse_mounts(host_config),
    )


def containers(state: State, request: Request) -> WSGIApplication:
    filters = parse_filters(request.args.get("filters"), _FILTERS)
    every = is_set(request, "all") or bool({"status", "exited"} & filters.keys())
    found = [one for one in state.containers.all() if (every or one.running) and _is_wanted(state, one, filters)]
    limit = int(request.args.get("limit", -1))
    return json_answer([documents.container_summary(one) for one in (found[:limit] if limit > 0 else found)])


def inspect_container(state: State, _: Request, name: str) -> WSGIApplication:
    return json_answer(documents.container(state.containers.find(name)))


def start(state: State, _: Request, name: str) -> WSGIApplication:
    return no_content(204 if state.containers.find(name).start() else 304)


def wait(state: State, request: Request, name: str) -> WSGIApplication:
    container = state.containers.find(name)
    condition = request.args.get("condition") or "not-running"
    if condition not in _CONDITIONS:
        raise EngineError(400, f'invalid condition: "{condition}"')

    def answer() -> Iterator[bytes]:
        yield b""  # the head goes at once, as a real engine's does: a client may start the container after that
        yield json_answer({"StatusCode": container.wait(condition), "Error": None}).data

    return Response(answer(), content_type="application/json")


def stop(state: State, request: Request, name: str) -> WSGIApplication:
    container = state.containers.find(name)
    seconds = float(request.args.get("t") or container.specification.config.get("StopTimeout") or _STOP_SECONDS)
    return no_content(204 if container.stop(seconds) else 304)


def kill(state: State, request: Request, name: str) -> WSGIApplication:
    container = state.containers.find(name)
    wanted = request.args.get("signal") or "SIGKILL"
    container.signal(_signal_number(wanted))
    if wanted in {"SIGKILL", "KILL", "9"}:
        container.wait("not-running")
    return no_content()


def remove_container(state: State, request: Request, name: str) -> WSGIApplication:
    if is_set(request, "link"):
        raise NotEmulatedError("links between containers")
    container = state.containers.find(name)
    state.containers.remove(container, force=is_set(request, "force"))
    if is_set(request, "v"):
        for volume in state.volumes.all():
            if volume.anonymous and any(one.source == volume.name for one in container.specification.mounts):
                state.volumes.remove(volume)
    return no_content()


def prune_containers(state: State, request: Request) -> WSGIApplication:
    filters = parse_filters(request.args.get("filters"), frozenset({"label"}))
    stopped = [one for one in state.containers.all() if not one.running and _is_wanted(state, one, filters)]
    for container in stopped:
        state.containers.remove(container)
    return json_answer({"ContainersDeleted": [one.id for one in stopped] or None, "SpaceReclaimed": 0})


def _is_wanted(state: State, container: Container, filters: Mapping[str, list[str]]) -> bool:
    image = container.specification.image
    names = {image.id, image.id[7:], image.id[7:19], *state.images.tags(image)}
    names |= {tag.removesuffix(":latest") for tag in names}
    return all(
        (
            has_labels(container.specification.labels, filters.get("label", ())),
            any(part in container.name for part in filters.get("name", ("",))),
            any(container.id.startswith(part) for part in filters.get("id", ("",))),
            container.state.status in filters.get("status", (container.state.status,)),
            str(container.state.exit_code) in filters.get("exited", (str(container.state.exit_code),)),
            "exited" not in filters or container.state.status == "exited",
            bool(names & set(filters["ancestor"])) if "ancestor" in filters else True,
        )
    )


def _signal_number(name: str) -> int:
    try:
        return int(name) if name.isdecimal() else signal.Signals[f"SIG{name.upper().removeprefix('SIG')}"]
    except KeyError:
        raise EngineError(400, f"Invalid signal: {name}") from None


ROUTES = (
    Route("GET", "/containers/json", "containers", containers),
    Route("POST", "/containers/create", "create_container", create_container),
    Route("POST", "/containers/prune", "prune_containers", prune_containers),
    Route("GET", "/containers/<name>/json", "inspect_container", inspect_container),
    Route("POST", "/containers/<name>/start", "start", start),
    Route("POST", "/containers/<name>/wait", "wait", wait),
    Route("POST", "/containers/<name>/stop", "stop", stop),
    Route("POST", "/containers/<name>/kill", "kill", kill),
    Route("DELETE", "/containers/<name>", "remove_container", remove_container),
)
