"""The endpoints about images."""

from __future__ import annotations

import base64
import binascii
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fleece_testing._docker import documents
from fleece_testing._docker.archives_api import unpack
from fleece_testing._docker.errors import EngineError, NotEmulatedError
from fleece_testing._docker.images import Image, ImageConfig, Layer
from fleece_testing._docker.names import Reference, has_labels, matches_reference, parse_filters, parse_reference
from fleece_testing._docker.state import Route, State, is_set, json_answer, no_content, progress_answer
from fleece_testing._docker.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIApplication

    from werkzeug.wrappers import Request

_FILTERS = frozenset({"reference", "label", "dangling"})


def images(state: State, request: Request) -> WSGIApplication:
    filters = parse_filters(request.args.get("filters"), _FILTERS)
    dangling = [value in {"true", "1"} for value in filters.get("dangling", ())]
    listed = []
    for image in state.images.all():
        tags = state.images.tags(image)
        wanted = has_labels(image.config.labels, filters.get("label", ())) and all(
            one != bool(tags) for one in dangling
        )
        patterns = filters.get("reference")
        if patterns is not None:
            tags = [tag for tag in tags if any(matches_reference(tag, pattern) for pattern in patterns)]
            wanted = wanted and bool(tags)
        if wanted:
            listed.append(documents.image_summary(image, tags))
    return json_answer(listed)


def inspect_image(state: State, _: Request, name: str) -> WSGIApplication:
    image = state.images.find(name)
    return json_answer(documents.image(image, state.images.tags(image)))


def history(state: State, _: Request, name: str) -> WSGIApplication:
    image = state.images.find(name)
    return json_answer(documents.history(image, state.images.tags(image)))


def create_image(state: State, request: Request) -> WSGIApplication:
    """Pull an image, or import a tar archive as one."""
    if request.args.get("fromSrc"):
        return _import(state, request)
    name = _pulled_name(request.args.get("fromImage", ""), request.args.get("tag", ""))
    system, _, machine = request.args.get("platform", "").partition("/")
    if system not in {"", "linux"}:
        raise EngineError(404, f"no matching manifest for {system} in the manifest list entries")
    architecture = documents.docker_architecture(machine) or None
    fetched = state.registries.fetch(name, _login(request), architecture)
    return progress_answer(_pull(state, name, fetched))


def tag(state: State, request: Request, name: str) -> WSGIApplication:
    given = request.args.get("tag")
    state.images.add(
        state.images.find(name), parse_reference(request.args.get("repo", "") + (f":{given}" if given else ""))
    )
    return no_content(201)


def remove_image(state: State, request: Request, name: str) -> WSGIApplication:
    image, force = state.images.find(name), is_set(request, "force")
    users = [one for one in state.containers.all() if one.specification.image.id == image.id]
    if users and len(state.images.tags(image)) <= 1 and not force:
        raise EngineError(
            409,
            f'conflict: unable to remove repository reference "{name}" (must force) - container {users[0].id[:12]} '
            f"is using its referenced image {image.id[7:19]}",
        )
    return json_answer(state.images.remove(name, force=force))


def prune_images(state: State, request: Request) -> WSGIApplication:
    """Remove the images without a name that no container is of; with ``dangling=false`` those with a name too."""
    filters = parse_filters(request.args.get("filters"), frozenset({"dangling", "label"}))
    all_unused = set(filters.get("dangling", ())) & {"false", "0"}
    used = {one.specification.image.id for one in state.containers.all()}
    done, reclaimed = [], 0
    for image in state.images.all():
        unnamed = not state.images.tags(image)
        labelled = has_labels(image.config.labels, filters.get("label", ()))
        if image.id not in used and (unnamed or all_unused) and labelled:
            done += state.images.remove(image.id, force=True)
            reclaimed += image.size
    return json_answer({"ImagesDeleted": done or None, "SpaceReclaimed": reclaimed})


def commit(state: State, request: Request) -> WSGIApplication:
    """Make an image of a container's files; what it was run with is the image's configuration."""
    container = state.containers.find(request.args.get("container", ""))
    specification, parent = container.specification, container.specification.image
    config = ImageConfig(
        environment={**parent.config.environment, **specification.command.environment},
        command=tuple(specification.arguments) or None,
        entrypoint=tuple(specification.entrypoint) or None,
        working_dir=specification.command.folder if specification.command.folder != "/" else "",
        user=str(specification.config.get("User") or ""),
        labels=specification.labels,
    )
    for change in request.args.getlist("changes"):
        for line in change.splitlines():
            config = changed(config, line)
    tree = container.tree.copy(state.new_image_folder())
    layer = Layer(
        " ".join(specification.command.arguments),
        max(0, tree.size() - parent.tree.size()),
        request.args.get("comment", ""),
    )
    image = Image(
        tree,
        parent.architecture,
        config,
        (layer, *parent.history),
        parent.id,
        request.args.get("author", ""),
        container.id,
    )
    name = request.args.get("repo")
    state.images.add(image, Reference(name, request.args.get("tag") or "latest") if name else None)
    return json_answer({"Id": image.id}, 201)


def changed(config: ImageConfig, instruction: str) -> ImageConfig:
    """Return a configuration after a Dockerfile's instruction: ``ENV``, ``LABEL``, ``WORKDIR``, ``CMD`` and others.

    Raises:
        EngineError: the stub does not know the instruction.
    """
    word, _, rest = instruction.strip().partition(" ")
    name, rest = word.upper(), rest.strip()
    if name in {"ENV", "LABEL"}:
        pairs = dict(one.partition("=")[::2] for one in shlex.split(rest))
        if name == "ENV":
            return replace(config, environment={**config.environment, **pairs})
        return replace(config, labels={**config.labels, **pairs})
    if name in {"CMD", "ENTRYPOINT"}:
        words = tuple(json.loads(rest)) if rest.startswith("[") else ("/bin/sh", "-c", rest)
        return replace(config, command=words) if name == "CMD" else replace(config, entrypoint=words)
    if name in {"WORKDIR", "USER"}:
        return replace(config, working_dir=rest) if name == "WORKDIR" else replace(config, user=rest)
    raise NotEmulatedError(f"the instruction {word} of a commit")


def _pulled_name(name: str, tag: str) -> Reference:
    if not tag:
        return parse_reference(name)
    return parse_reference(f"{name}@{tag}" if tag.startswith("sha256:") else f"{name}:{tag}")


def _login(request: Request) -> tuple[str, str] | None:
    """Return the user name and password that came along with a pull."""
    try:
        sent = json.loads(base64.urlsafe_b64decode(request.headers.get("X-Registry-Auth", "") + "=="))
    except (ValueError, binascii.Error):
        return None
    login: Mapping[str, Any] = sent if isinstance(sent, dict) else {}
    return (login["username"], str(login.get("password"))) if login.get("username") else None


def _pull(state: State, name: Reference, image: Image) -> Iterator[dict[str, Any]]:
    layer, total = image.id[7:19], image.size
    yield {"status": f"Pulling from {name.repository}", "id": name.tag}
    is_new = all(one.id != image.id for one in state.images.all())
    if is_new:
        yield {"status": "Pulling fs layer", "progressDetail": {}, "id": layer}
        for current in (total // 2, total):
            yield {"status": "Downloading", "progressDetail": {"current": current, "total": total}, "id": layer}
        yield {"status": "Pull complete", "progressDetail": {}, "id": layer}
    state.images.add(image, name)
    yield {"status": f"Digest: {image.digest}"}
    told = "Downloaded newer image" if is_new else "Image is up to date"
    yield {"status": f"Status: {told} for {name}"}


def _import(state: State, request: Request) -> WSGIApplication:
    if request.args["fromSrc"] != "-":
        raise NotEmulatedError("importing an image from a URL")
    tree = Tree(state.new_image_folder())
    tree.folder.mkdir()
    unpack(tree, request.stream, tree.folder)
    image = Image(tree, documents.architecture(), history=(Layer("", tree.size(), "Imported from -"),))
    config = image.config
    for change in request.args.getlist("changes"):
        config = changed(config, change)
    name = request.args.get("repo")
    given = Reference(name, request.args.get("tag") or "latest") if name else None
    state.images.add(replace(image, config=config), given)
    return progress_answer([{"status": image.id}])


ROUTES = (
    Route("GET", "/images/json", "images", images),
    Route("POST", "/images/create", "pull", create_image),
    Route("POST", "/images/prune", "prune_images", prune_images),
    Route("GET", "/images/<path:name>/json", "inspect_image", inspect_image),
    Route("GET", "/images/<path:name>/history", "history", history),
    Route("POST", "/images/<path:name>/tag", "tag", tag),
    Route("DELETE", "/images/<path:name>", "remove_image", remove_image),
    Route("POST", "/commit", "commit", commit),
)
