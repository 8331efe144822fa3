"""All that the engine holds, and the form of what its endpoints are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.wrappers import Request, Response

from fleece_testing._docker.containers import Containers
from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.images import Images, Registries
from fleece_testing._docker.names import new_id
from fleece_testing._docker.volumes import Volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from fleece_testing._docker.toolchain import Toolchain


@dataclass(frozen=True)
class State:
    """What the engine holds; its files are all in `folder`."""

    folder: Path
    toolchain: Toolchain
    images: Images
    registries: Registries
    containers: Containers
    volumes: Volumes

    @classmethod
    def empty(cls, folder: Path, toolchain: Toolchain) -> State:
        """Return the state of an engine that has nothing yet."""
        folder.mkdir()
        return cls(folder, toolchain, Images(), Registries(), Containers(folder / "c"), Volumes(folder / "volumes"))

    def new_image_folder(self) -> Path:
        """Return where the next image's tree may be made."""
        folder = self.folder / "i"
        folder.mkdir(exist_ok=True)
        return folder / new_id()[:12]


class Route(NamedTuple):
    """One endpoint: its operation has the name that ``docker.APIClient`` has for it."""

    method: str
    path: str
    operation: str
    answer: Callable[..., WSGIApplication]


def read_json(request: Request) -> dict[str, Any]:
    """Return the request's document.

    Raises:
        EngineError: it is not a JSON object.
    """
    try:
        document = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise EngineError(400, "invalid JSON: the request's body cannot be read") from None
    if not isinstance(document, dict):
        raise EngineError(400, "invalid JSON: the request's body should be an object")
    return document


def is_set(request: Request, name: str) -> bool:
    """Whether a flag of the query is on, in any of the ways that clients write that."""
    return request.args.get(name, "").lower() not in {"", "0", "false", "no", "none"}


def json_answer(document: Any, status: int = 200) -> Response:
    """Answer with a JSON document."""
    return Response(json.dumps(document) + "\n", status, content_type="application/json")


def progress_answer(lines: Iterable[dict[str, Any]]) -> Response:
    """Answer with a stream of JSON documents, each sent as it comes."""
    return Response((f"{json.dumps(line)}\r\n".encode() for line in lines), content_type="application/json")


def no_content(status: int = 204) -> Response:
    """Answer that it is done, or was done already (304)."""
    return Response(status=status)
