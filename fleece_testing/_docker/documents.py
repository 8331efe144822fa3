"""The JSON documents of the Engine API, made from what the stub holds. Pure."""

from __future__ import annotations

import platform
import shlex
from typing import TYPE_CHECKING, Any

from fleece_testing._docker.output import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleece_testing._docker.container import Container, Exec
    from fleece_testing._docker.images import Image
    from fleece_testing._docker.volumes import Volume

API_VERSION = "1.41"
"""The version whose answers the stub's were compared with, those of Docker 20.10."""

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def docker_architecture(machine: str) -> str:
    """Return Docker's name for an architecture that is named as ``uname`` does."""
    return _ARCHITECTURES.get(machine.lower(), machine.lower())


def architecture() -> str:
    """Return this machine's architecture, as Docker names it."""
    return docker_architecture(platform.machine())


def version() -> dict[str, Any]:
    """Return what ``GET /version`` answers."""
    details = {"ApiVersion": API_VERSION, "MinAPIVersion": "1.24", "Os": "linux", "Arch": architecture()}
    engine = {"Name": "Engine", "Version": "20.10.0-fleece-testing", "Details": details}
    return {"Platform": {"Name": "fleece_testing"}, "Components": [engine], "Version": engine["Version"], **details}


def info(images: int, containers: Sequence[Container]) -> dict[str, Any]:
    """Return what ``GET /info`` answers."""
    running = sum(one.running for one in containers)
    return {
        "ID": "fleece-testing",
        "Name": "fleece-testing",
        "ServerVersion": "20.10.0-fleece-testing",
        "OSType": "linux",
        "OperatingSystem": "Docker stub of fleece_testing",
        "Architecture": {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture(), architecture()),
        "Images": images,
        "Containers": len(containers),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": len(containers) - running,
        "Driver": "vfs",
        "LoggingDriver": "json-file",
    }


def image(one: Image, tags: Sequence[str]) -> dict[str, Any]:
    """Return what ``GET /images/NAME/json`` answers."""
    return {
        "Id": one.id,
        "RepoTags": list(tags),
        "RepoDigests": _digests(one),
        "Parent": one.parent,
        "Comment": one.history[0].comment if one.history else "",
        "Created": timestamp(one.history[0].created) if one.history else timestamp(None),
        "Container": one.container,
        "Author": one.author,
        "Config": {
            "Env": [f"{name}={value}" for name, value in one.config.environment.items()],
            "Cmd": _words(one.config.command),
            "Entrypoint": _words(one.config.entrypoint),
            "WorkingDir": one.config.working_dir,
            "User": one.config.user,
            "Labels": dict(one.config.labels) or None,
        },
        "Architecture": one.architecture,
        "Os": "linux",
        "Size": one.size,
        "VirtualSize": one.size,
        "RootFS": {"Type": "layers", "Layers": []},
    }


def image_summary(one: Image, tags: Sequence[str]) -> dict[str, Any]:
    """Return an image as ``GET /images/json`` lists it."""
    return {
        "Id": one.id,
        "ParentId": one.parent,
        "RepoTags": list(tags) or ["<none>:<none>"],
        "RepoDigests": _digests(one) or None,
        "Created": int(one.history[0].created.timestamp()) if one.history else 0,
        "Labels": dict(one.config.labels) or None,
        "Size": one.size,
        "VirtualSize": one.size,
        "SharedSize": -1,
        "Containers": -1,
    }


def history(one: Image, tags: Sequence[str]) -> list[dict[str, Any]]:
    """Return an image's layers, the newest first."""
    return [
        {
            "Id": "<missing>" if number else one.id,
            "Created": int(layer.created.timestamp()),
            "CreatedBy": layer.created_by,
            "Tags": None if number else list(tags),
            "Size": layer.size,
            "Comment": layer.comment,
        }
        for number, layer in enumerate(one.history)
    ]


def container(one: Container) -> dict[str, Any]:
    """Return what ``GET /containers/ID/json`` answers."""
    specification, state = one.specification, one.state
    path, *arguments = specification.command.arguments
    return {
        "Id": one.id,
        "Name": f"/{one.name}",
        "Created": timestamp(one.created),
        "Path": path,
        "Args": arguments,
        "State": {
            "Status": state.status,
            "Running": one.running,
            "Paused": False,
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": one.process.pid if one.process is not None and one.running else 0,
            "ExitCode": state.exit_code,
            "Error": state.error,
            "StartedAt": timestamp(state.started),
            "FinishedAt": timestamp(state.finished),
        },
        "Image": specification.image.id,
        "Platform": "linux",
        "Driver": "vfs",
        "RestartCount": 0,
        "ExecIDs": list(one.execs) or None,
        "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}, **specification.host_config},
        "Config": {
            **specification.config,
            "Hostname": one.id[:12],
            "Env": [f"{name}={value}" for name, value in specification.command.environment.items()],
            "Cmd": specification.arguments or None,
            "Entrypoint": specification.entrypoint or None,
            "Image": specification.image_name,
            "Labels": dict(specification.labels),
            "WorkingDir": specification.command.folder if specification.command.folder != "/" else "",
            "Tty": False,
        },
        "Mounts": _mounts(one),
        "NetworkSettings": {"Networks": {}, "Ports": {}},
    }


def container_summary(one: Container) -> dict[str, Any]:
    """Return a container as ``GET /containers/json`` lists it."""
    specification, state = one.specification, one.state
    told = {"created": "Created", "running": "Up Less than a second", "exited": f"Exited ({state.exit_code})"}
    return {
        "Id": one.id,
        "Names": [f"/{one.name}"],
        "Image": specification.image_name,
        "ImageID": specification.image.id,
        "Command": shlex.join(specification.command.arguments),
        "Created": int(one.created.timestamp()),
        "Ports": [],
        "Labels": dict(specification.labels),
        "State": state.status,
        "Status": told[state.status],
        "HostConfig": {"NetworkMode": specification.host_config.get("NetworkMode", "default")},
        "NetworkSettings": {"Networks": {}},
        "Mounts": _mounts(one),
    }


def exec_instance(one: Exec) -> dict[str, Any]:
    """Return what ``GET /exec/ID/json`` answers."""
    program, *arguments = one.command.arguments
    return {
        "ID": one.id,
        "ContainerID": one.container.id,
        "Running": one.running,
        "ExitCode": one.exit_code,
        "Pid": one.process.pid if one.process is not None else 0,
        "OpenStdin": one.command.stdin,
        "OpenStdout": True,
        "OpenStderr": True,
        "CanRemove": False,
        "DetachKeys": "",
        "ProcessConfig": {"tty": False, "entrypoint": program, "arguments": arguments, "privileged": False},
    }


def volume(one: Volume) -> dict[str, Any]:
    """Return what ``GET /volumes/NAME`` answers."""
    return {
        "Name": one.name,
        "Driver": "local",
        "Mountpoint": str(one.folder),
        "CreatedAt": timestamp(one.created),
        "Labels": dict(one.labels) or None,
        "Options": None,
        "Scope": "local",
    }


def _mounts(one: Container) -> list[dict[str, Any]]:
    return [
        {
            "Type": mount.kind,
            **({"Name": mount.source, "Driver": "local"} if mount.kind == "volume" else {}),
            "Source": mount.folder or mount.source,
            "Destination": mount.destination,
            "Mode": "ro" if mount.read_only else "",
            "RW": not mount.read_only,
            "Propagation": "rprivate" if mount.kind == "bind" else "",
        }
        for mount in one.specification.mounts
    ]


def _digests(one: Image) -> list[str]:
    return [f"{one.repository}@{one.digest}"] if one.digest else []


def _words(words: Sequence[str] | None) -> list[str] | None:
    return None if words is None else list(words)
