"""Install in a container: on an image like the runtime's own, so that what has to be compiled fits it as well."""

from __future__ import annotations

import contextlib
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.build import archives, in_container, pip_settings, reasons, system_packages
from fleece.cli.build.pulls import percents
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fleece.cli.build.cache import Cache
    from fleece.cli.build.containers import Containers
    from fleece.cli.build.engine import Engine, Image
    from fleece.cli.build.in_container import ContainerSession
    from fleece.cli.build.plan import Options
    from fleece.cli.build.reports import Reports
    from fleece.cli.build.requirements import Requirements
    from fleece.cli.build.target import Target


def default_image(target: Target) -> str:
    """Return the name of the image that AWS's own ``sam build`` builds in."""
    return f"public.ecr.aws/sam/build-python{target.runtime}:latest-{target.architecture}"


class DockerInstaller:
    """Installs packages in containers.

    Args:
        options: the target, the image and what is installed into it first.
        cache: where the image's id is noted, so that a build of which nothing changed needs no engine.
        environment: ``PIP_*`` and ``DOCKER_*`` are taken from it, and what the requirements refer to.
    """

    def __init__(self, options: Options, cache: Cache, environment: Mapping[str, str]) -> None:
        self.options = options
        self.target = options.target
        self.image = options.image or default_image(options.target)
        self.environment = environment
        self._cache = cache
        self._lock = threading.Lock()
        self._refreshed: str | None = None
        self._layer: str | None = None

    @property
    def can_compile(self) -> bool:
        """Always: the image's Python is the target's."""
        return True

    def settings(self, _requirements: Requirements) -> dict[str, str]:
        """Return what beside the requirements decides what is installed, for the cache's key."""
        return {
            **pip_settings.for_key(pip_settings.of_variables(self.environment)),
            "image": self.image,
            "digest": self._refreshed or self._cache.note(self._note) or "",
            "dependencies": " ".join(self.options.dependencies),
        }

    def local_links(self) -> list[str]:
        """Return the files and folders that pip's variables name."""
        return [str(path) for path in in_container.local_files(self.environment)]

    def refresh(self, reports: Reports) -> None:
        """Look which image the name stands for now, and fetch it where it is not there or where that is asked for.

        Raises:
            CommandError: there is no engine, no such image, or it is for another architecture.
        """
        with self._lock:
            if self._refreshed is not None:
                return
            with self._containers.engine() as engine:
                image = engine.find_image(self.image)
                if image is None or self.options.pull:
                    image = self._pull(engine, reports)
                if not image.suits(self.target.architecture):
                    raise CommandError(
                        f"the engine's {self.image} is for {image.architecture}, and this build for "
                        f"{self.target.architecture}: fetch that one with --pull, or choose another with --image"
                    )
            self._refreshed = image.id
            self._cache.keep_note(self._note, image.id)

    @contextlib.contextmanager
    def session(self, reports: Reports) -> Iterator[ContainerSession]:
        """Give a container in which one service's packages are installed.

        Raises:
            CommandError: the engine or a system package is missing, or the image has not the target's Python.
        """
        image = self._refreshed or self.image
        with self._containers.engine() as engine:
            if self.options.dependencies:
                image = self._with_packages(engine, image, reports)
            folder = str(archives.place_of(Path()))
            with engine.container(image, self.target.architecture, folder) as container:
                python = in_container.find_python(container, self.image, self.target)
                yield in_container.ContainerSession(container, python, self.environment, reports.info)

    def stop(self) -> None:
        """Remove the containers that there are, and make no more."""
        self._containers.stop()

    @cached_property
    def _containers(self) -> Containers:
        from fleece.cli.build.containers import Containers  # noqa: PLC0415 (slow to load: an unchanged build does without)

        return Containers(self.environment)

    @property
    def _note(self) -> str:
        engine = self.environment.get("DOCKER_HOST") or self.environment.get("DOCKER_CONTEXT", "")
        return f"{engine} {self.image} {self.target.architecture}"

    def _pull(self, engine: Engine, reports: Reports) -> Image:
        reports.info(f"pulling {self.image}")
        events = engine.pull(self.image, self.target.architecture)
        for _ in reports.track(percents(events), "Pulling, percent", 100):
            pass
        image = engine.find_image(self.image)
        if image is None:
            raise CommandError(f"the image {self.image} was pulled, but the engine does not have it")
        return image

    def _with_packages(self, engine: Engine, base: str, reports: Reports) -> str:
        """Return the id of the image that has the system packages as well; made once, and found again."""
        packages = self.options.dependencies
        name = f"{system_packages.REPOSITORY}:{system_packages.tag(self.image, self.target, packages)}"
        with self._lock:
            if self._layer is None:
                before = engine.find_image(name)
                if before is not None and before.base == base and not self.options.rebuild:
                    self._layer = before.id
                else:
                    reports.info(f"installing {', '.join(packages)} into {self.image}")
                    made = self._install_packages(engine, base, reports)
                    self._layer = _settle(engine, name, made, base, before)
            return self._layer

    def _install_packages(self, engine: Engine, base: str, reports: Reports) -> str:
        """Return the id of a new image, which has no name yet."""
        with engine.container(base, self.target.architecture, "/") as container:
            command = system_packages.command(self.options.dependencies)
            finished = container.run(command, {}, reports.info)
            if finished.exit_code:
                raise CommandError(
                    f"--dependencies {','.join(self.options.dependencies)} could not be installed into {self.image}: "
                    f"{reasons.of_package_manager(finished)}"
                )
            return container.commit()


def _settle(engine: Engine, name: str, made: str, base: str, before: Image | None) -> str:
    """Give the name to one image, and remove the other: none is left without a name. Return the id of the one.

    The one is what was made here, unless another process has made its own on the same `base` since `before`, and now
    uses that: it is as good.
    """
    there = engine.find_image(name)
    if there is not None and there != before and there.base == base:
        engine.remove_image(made)
        return there.id
    engine.name_image(made, name)
    if there is not None:
        engine.remove_image(there.id)
    return made
