"""The endpoints that take files into a container and out of it, as tar archives."""

from __future__ import annotations

import base64
import datetime as dt
import json
import posixpath
import stat
import tarfile
from typing import IO, TYPE_CHECKING

from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import FileWrapper

from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.output import timestamp
from fleece_testing._docker.state import Route, State, no_content

if TYPE_CHECKING:
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from fleece_testing._docker.container import Container
    from fleece_testing._docker.tree import Tree

_GO_FOLDER, _GO_LINK = 1 << 31, 1 << 27  # the bits of Go's os.FileMode
_CHUNK = 256 * 1024


def get_archive(state: State, request: Request, name: str) -> WSGIApplication:
    container = state.containers.find(name)
    path = _path(request)
    place = _locate(container, path)
    member = _member_name(path)
    headers = {"X-Docker-Container-Path-Stat": _describe(container, place, member)}
    if request.method == "HEAD":
        return Response(headers=headers)
    archive = container.tree.pack(place, member.rstrip("/"))
    return Response(
        FileWrapper(archive, _CHUNK), headers=headers, content_type="application/x-tar", direct_passthrough=True
    )


def put_archive(state: State, request: Request, name: str) -> WSGIApplication:
    container = state.containers.find(name)
    folder = _locate(container, _path(request), follow=True)
    if not folder.is_dir():
        raise EngineError(400, "extraction point is not a directory")
    unpack(container.tree, request.stream, folder)
    return no_content(200)


def unpack(tree: Tree, archive: IO[bytes], folder: Path) -> None:
    """Unpack what was sent, or say what is wrong with it."""
    try:
        tree.unpack(archive, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise EngineError(500, f"Error processing tar file(exit status 1): {error}") from error


def _path(request: Request) -> str:
    path = request.args.get("path", "")
    if not path:
        raise EngineError(400, "bad parameter: path cannot be empty")
    return path


def _locate(container: Container, path: str, *, follow: bool = False) -> Path:
    try:
        return container.tree.locate(path, follow=follow or path.endswith(("/", "/.")))
    except OSError:
        raise EngineError(404, f"Could not find the file {path} in container {container.id}") from None


def _member_name(path: str) -> str:
    """Return what the archive's first member is called: the last name of the path, which may be a dot."""
    if posixpath.basename(path) == ".":
        return "."
    return posixpath.basename(posixpath.normpath(path)) or "/"


def _describe(container: Container, place: Path, name: str) -> str:
    status = place.lstat()
    mode = stat.S_IMODE(status.st_mode)
    mode |= _GO_FOLDER if stat.S_ISDIR(status.st_mode) else 0
    mode |= _GO_LINK if stat.S_ISLNK(status.st_mode) else 0
    target = container.tree.paths.link_to_container(str(place.readlink())) if place.is_symlink() else ""
    changed = dt.datetime.fromtimestamp(status.st_mtime, dt.timezone.utc)
    document = {
        "name": name,
        "size": status.st_size,
        "mode": mode,
        "mtime": timestamp(changed),
        "linkTarget": target,
    }
    return base64.b64encode(json.dumps(document).encode()).decode()


ROUTES = (
    Route("GET", "/containers/<name>/archive", "get_archive", get_archive),
    Route("HEAD", "/containers/<name>/archive", "get_archive", get_archive),
    Route("PUT", "/containers/<name>/archive", "put_archive", put_archive),
)
