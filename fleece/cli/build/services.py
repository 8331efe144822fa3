"""Several services in one run: found first, then built side by side with one cache between them."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from fleece.cli import endings
from fleece.cli.build import plan, requirements
from fleece.cli.build.builder import Job
from fleece.cli.errors import CommandError, UsageError, as_command_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from fleece.cli.build.builder import Builder, Built
    from fleece.cli.build.plan import Options, Places
    from fleece.cli.build.reports import Reports

_log = logging.getLogger("fleece.cli.build")

_AT_ONCE = 4
"""Services that are built at the same time."""

_PATIENCE = 10.0
"""Seconds that builds have to end in, once stopped: an engine may never answer."""


def prepare(options: Options, services: Sequence[Path], environment: Mapping[str, str]) -> list[Job]:
    """Find what each service consists of; nothing is created.

    Args:
        options: those of this run.
        services: their folders.
        environment: variables that requirements may refer to.

    Raises:
        CommandError: a service, its source or its requirements are not there, or its zip has no place.
    """
    return [_prepare(options, place, environment) for place in plan.places(options, services)]


def _prepare(options: Options, places: Places, environment: Mapping[str, str]) -> Job:
    for folder, option in ((places.service, "SERVICE_DIR"), (places.source, _source_option(options))):
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}; name it with {option}")
    _check_target(places.package)
    if options.requirements is not None:
        path = options.requirements
        if not path.is_file():
            raise UsageError(f"there is no requirements file {path}; name it with --requirements")
    elif options.pipfile is not None:
        path = requirements.find_pipfile_lock(options.pipfile)
    else:
        path = requirements.find(places.service, places.source)
    return Job(places, requirements.read(path, options.target, environment))


def _source_option(options: Options) -> str:
    """Return what says where the source is; a service after ``--exclude`` is taken for a pattern."""
    if options.source is not None:
        return "--source"
    return f"{'-- SERVICE_DIR' if options.exclusions.patterns else 'SERVICE_DIR'} or --source"


def _check_target(package: Path) -> None:
    """See that the zip can be where it should: told before anything is installed."""
    nearest = next(path for path in package.parents if os.path.lexists(path))
    if not nearest.is_dir():
        raise UsageError(f"{nearest} is no folder: --target names another one for the zip")
    if package.is_dir():
        raise UsageError(f"{package} is a folder, where the zip should be: remove it, or name another with --target")


def build_all(
    builder: Builder, jobs: Sequence[Job], reports: Callable[[Job], Reports]
) -> list[tuple[Job, Built | CommandError]]:
    """Build every job, and return what came of each, in their order; one that fails does not stop the others.

    When a signal comes, what runs is ended first, and temporary files are gone.
    """
    slots = threading.Semaphore(_AT_ONCE)
    futures: list[Future[Built | CommandError]] = []
    with endings.in_order():
        try:
            for job in jobs:
                futures.append(_start(slots, builder, job, reports(job)))  # noqa: PERF401 (all made are wanted below)
            while wait(futures, timeout=1).not_done:
                pass
        except BaseException:
            _end(builder, futures)
            raise
    builder.cache.prune()
    return [(job, future.result()) for job, future in zip(jobs, futures, strict=True)]


def _start(slots: threading.Semaphore, builder: Builder, job: Job, reports: Reports) -> Future[Built | CommandError]:
    """Build in a thread that does not keep the process from ending, unlike those of an executor."""
    future: Future[Built | CommandError] = Future()

    def run() -> None:
        with slots:
            if future.set_running_or_notify_cancel():
                future.set_result(_attempt(builder, job, reports))

    threading.Thread(target=run, name=f"fleece build {job.places.service}", daemon=True).start()
    return future


def _end(builder: Builder, futures: Sequence[Future[Built | CommandError]]) -> None:
    for future in futures:
        future.cancel()
    builder.stop()
    if wait(futures, timeout=_PATIENCE).not_done:
        _log.warning("the engine does not answer: a container may be left until it does again")


def _attempt(builder: Builder, job: Job, reports: Reports) -> Built | CommandError:
    try:
        return builder.build(job, reports)
    except Exception as error:  # noqa: BLE001 (told to the user, with the traceback when debugging)
        return as_command_error(error)
