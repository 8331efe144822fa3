"""Build one service: its packages from the cache or the installer, its source on top, the zip in its place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleece.cli._files import replacing
from fleece.cli.build import build_info, installed, package, plan
from fleece.cli.build.exclusions import is_noise
from fleece.cli.build.fingerprints import fingerprints, local_path
from fleece.cli.build.urls import has_credentials
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fleece.cli.build.cache import Cache
    from fleece.cli.build.plan import Installer, Options, Places
    from fleece.cli.build.reports import Reports
    from fleece.cli.build.requirements import Requirements


@dataclass(frozen=True)
class Job:
    """One service to build: its places, and what it needs."""

    places: Places
    requirements: Requirements


@dataclass(frozen=True)
class Built:
    """A package that was built.

    Attributes:
        path: the zip.
        size: its bytes.
        unpacked: the bytes of what is in it.
        sha256: of the zip, in hexadecimal.
        cached: whether its packages were in the cache.
    """

    path: Path
    size: int
    unpacked: int
    sha256: str
    cached: bool


class Builder:
    """Builds services, from several threads if need be.

    Args:
        options: those of this run.
        installer: how packages are installed.
        cache: where they are kept.
        environment: variables that the build looks at.
    """

    def __init__(self, options: Options, installer: Installer, cache: Cache, environment: Mapping[str, str]) -> None:
        self.options = options
        self.cache = cache
        self._installer = installer
        self._environment = environment
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._fresh: set[str] = set()

    def build(self, job: Job, reports: Reports) -> Built:
        """Build one service's zip, and put it in the place of the previous one once it is whole.

        Raises:
            CommandError: it could not be built, or Lambda would not take it; the previous zip is as it was.
        """
        for warning in job.requirements.warnings:
            reports.warning(warning)
        files = self._source_files(job, reports)
        texts = self._texts(job)
        packages, cached = self._packages(job, {*files, *texts}, reports)
        unpacked = package.sizes(packages, files, texts)
        refusal = plan.refusal(unpacked)
        if refusal:
            raise CommandError(f"{job.places.package} was not written: {refusal}")
        with replacing(job.places.package) as new:
            package.write_function(packages, files, texts, new)
            content = new.read_bytes()
        if len(content) > plan.DIRECT_LIMIT:
            reports.warning(
                f"{job.places.package} is {plan.readable(len(content))}: upload it through S3, "
                f"as Lambda takes {plan.readable(plan.DIRECT_LIMIT)} directly"
            )
        digest = hashlib.sha256(content).hexdigest()
        return Built(job.places.package, len(content), sum(unpacked.values()), digest, cached)

    def stop(self) -> None:
        """End what runs, in whichever thread it was started, and start no more."""
        self._installer.stop()

    def _source_files(self, job: Job, reports: Reports) -> dict[str, Path]:
        """Return the source's files by path in the zip, without what stays out."""
        own = os.path.realpath(job.places.package)
        chosen = {}
        for name, path in package.gather(job.places.source, self._stays_out).items():
            if os.path.realpath(path) == own:
                continue
            if (path in job.requirements.files or plan.may_name_index(name)) and has_credentials(_read(path)):
                reports.warning(f"{path} is left out of the zip: a URL in it has a user or query, which may be secret")
                continue
            chosen[name] = path
        return chosen

    def _stays_out(self, name: str) -> bool:
        return is_noise(name) or self.options.exclusions.match(name)

    def _texts(self, job: Job) -> dict[str, str]:
        if not self.options.build_info:
            return {}
        present = job.places.source / build_info.NAME
        text = build_info.render(
            present.read_bytes() if present.exists() else None,
            build_info.find_commit(self._environment, job.places.service),
            build_info.find_time(self._environment),
        )
        return {build_info.NAME: text}

    def _packages(self, job: Job, source: set[str], reports: Reports) -> tuple[Path | None, bool]:
        """Return the zip of the service's packages, and whether nothing had to be installed for it."""
        if not job.requirements.batches:
            return None, True
        compiled = self._can_compile(reports)
        key = self._key(job.requirements, compiled=compiled)
        if self.options.pull or self._find(key) is None:
            # What the installer knows may be out of date, the image's id for one.
            self._installer.refresh(reports)
            key = self._key(job.requirements, compiled=compiled)
        with self._only_one(key):
            whole = self._find(key)
            cached = whole is not None
            if whole is None:
                whole = self.cache.keep(key, lambda path: self._install(job.requirements, compiled, path, reports))
                self._fresh.add(key)
            gone = plan.packages_left_out(package.names(whole), source, self.options.exclusions)
            if not gone:
                return whole, cached
            reduced = plan.reduced_key(key, gone)
            found = self.cache.find(reduced) if cached else None
            return found or self.cache.keep(reduced, lambda path: package.write_without(whole, gone, path)), cached

    def _find(self, key: str) -> Path | None:
        return self.cache.find(key) if not self.options.rebuild or key in self._fresh else None

    def _can_compile(self, reports: Reports) -> bool:
        runtime = self.options.target.runtime
        if not self.options.compile or not runtime.has_unchecked_bytecode:
            return False
        if not self._installer.can_compile:
            reports.warning(
                f"no Python {runtime} on this machine, so that the packages have no bytecode and the function starts "
                f"more slowly: put python{runtime} on PATH, or pass --no-compile"
            )
        return self._installer.can_compile

    def _key(self, wanted: Requirements, *, compiled: bool) -> str:
        settings = self._installer.settings(wanted)
        links = [path for place in self._installer.local_links() if (path := local_path(place))]
        local = fingerprints([*wanted.local, *links])
        return plan.cache_key(self.options.target, wanted, settings, local, self._environment, compiled=compiled)

    def _install(self, wanted: Requirements, compiled: bool, path: Path, reports: Reports) -> None:
        """Write a new zip at `path` with what `wanted` asks for."""
        with self.cache.scratch() as scratch:
            tree = scratch / "packages"
            tree.mkdir()
            with self._installer.session(reports) as session:
                session.install(wanted, tree, scratch)
                installed.tidy(tree)
                unsuitable = installed.unsuitable(tree, self.options.target)
                if unsuitable:
                    raise CommandError(
                        f"not for {self.options.target}: {', '.join(unsuitable)}; require other versions"
                    )
                if compiled:
                    session.compile(tree)
            package.write_packages(package.gather(tree, lambda _: False), path, reports.track)

    @contextlib.contextmanager
    def _only_one(self, key: str) -> Iterator[None]:
        """Let services that need the same packages wait for the first one to install them."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
