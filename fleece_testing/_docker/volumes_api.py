"""The endpoints about volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleece_testing._docker import documents
from fleece_testing._docker.errors import EngineError, NotEmulatedError
from fleece_testing._docker.names import has_labels, parse_filters
from fleece_testing._docker.state import Route, State, is_set, json_answer, no_content, read_json

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from werkzeug.wrappers import Request

    from fleece_testing._docker.volumes import Volume


def volumes(state: State, request: Request) -> WSGIApplication:
    filters = parse_filters(request.args.get("filters"), frozenset({"name", "label", "dangling"}))
    dangling = [value in {"true", "1"} for value in filters.get("dangling", ())]
    listed = [
        documents.volume(one)
        for one in state.volumes.all()
        if has_labels(one.labels, filters.get("label", ()))
        and any(part in one.name for part in filters.get("name", ("",)))
        and all(wanted == (not _users(state, one)) for wanted in dangling)
    ]
    return json_answer({"Volumes": listed, "Warnings": None})


def create_volume(state: State, request: Request) -> WSGIApplication:
    document = read_json(request)
    driver = document.get("Driver") or "local"
    if driver != "local" or document.get("DriverOpts"):
        raise NotEmulatedError("volume drivers and their options")
    return json_answer(documents.volume(state.volumes.create(document.get("Name"), document.get("Labels"))), 201)


def inspect_volume(state: State, _: Request, name: str) -> WSGIApplication:
    return json_answer(documents.volume(state.volumes.find(name)))


def remove_volume(state: State, request: Request, name: str) -> WSGIApplication:
    volume = state.volumes.find(name)
    users = _users(state, volume)
    if users and not is_set(request, "force"):
        raise EngineError(409, f"remove {name}: volume is in use - [{', '.join(users)}]")
    state.volumes.remove(volume)
    return no_content()


def prune_volumes(state: State, request: Request) -> WSGIApplication:
    filters = parse_filters(request.args.get("filters"), frozenset({"label", "all"}))
    unused = [
        one
        for one in state.volumes.all()
        if not _users(state, one) and has_labels(one.labels, filters.get("label", ()))
    ]
    size = sum(file.lstat().st_size for one in unused for file in one.folder.rglob("*") if file.is_file())
    for volume in unused:
        state.volumes.remove(volume)
    return json_answer({"VolumesDeleted": [one.name for one in unused] or None, "SpaceReclaimed": size})


def _users(state: State, volume: Volume) -> list[str]:
    """Return the ids of the containers that have a volume mounted, running or not."""
    return [
        one.id
        for one in state.containers.all()
        if any(mount.kind == "volume" and mount.source == volume.name for mount in one.specification.mounts)
    ]


ROUTES = (
    Route("GET", "/volumes", "volumes", volumes),
    Route("POST", "/volumes/create", "create_volume", create_volume),
    Route("POST", "/volumes/prune", "prune_volumes", prune_volumes),
    Route("GET", "/volumes/<name>", "inspect_volume", inspect_volume),
    Route("DELETE", "/volumes/<name>", "remove_volume", remove_volume),
)
