"""``fleece build``: the options, and what is told about the outcome."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.build.arguments import refuse_empty, spread_excludes
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleece.cli.build.builder import Built, Job
    from fleece.cli.build.cache import Cache
    from fleece.cli.build.plan import Installer, Options
    from fleece.cli.build.reports import Reports
    from fleece.cli.build.target import Architecture

_log = logging.getLogger("fleece.cli.build")


class _BuildCommand(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = spread_excludes(args)
        refuse_empty(words)
        return super().parse_args(ctx, words)


@click.command(cls=_BuildCommand)
@click.argument("service_dirs", metavar="[SERVICE_DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--python", "-py", metavar="VERSION", help="Python to build for: 3.12, 312 or python3.12.  [default: the newest]"
)
@click.option("--python36", "-3", is_flag=True, help="The same as --python 3.6.")
@click.option("--rebuild", is_flag=True, help="Install all packages again, without the cache.")
@click.option(
    "--requirements",
    "-r",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File with the requirements.  [default: SERVICE_DIR/src/requirements.txt, else a Pipfile.lock or pylock.toml]",
)
@click.option(
    "--pipfile",
    "-p",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder with the Pipfile.lock to install from.",
)
@click.option(
    "--dependencies", "-d", metavar="A,B", help="System packages to install into the image first (dnf, yum, apt)."
)
@click.option(
    "--target",
    "-t",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder for lambda_function.zip.  [default: SERVICE_DIR/dist]",
)
@click.option(
    "--source",
    "-s",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder with the source.  [default: SERVICE_DIR/src]",
)
@click.option(
    "--exclude",
    "-e",
    multiple=True,
    metavar="[GLOB]...",
    help="Leave out matching files of source and packages; takes all words up to the next option or --.",
)
@click.option("--inject-build-info", is_flag=True, help="Add config.json with VERSION_HASH and BUILD_TIME.")
@click.option(
    "--architecture",
    type=click.Choice(["x86_64", "arm64"]),
    default="x86_64",
    show_default=True,
    help="Lambda's architecture to build for.",
)
@click.option("--image", metavar="NAME", help="Image to build in.  [default: AWS's for the Python and architecture]")
@click.option("--pull", is_flag=True, help="Ask the image's registry whether there is a newer one.")
@click.option("--no-compile", is_flag=True, help="Leave out the packages' bytecode: smaller, but slower to start.")
@click.option("--no-docker", is_flag=True, help="Install wheels with this machine's pip or uv, without Docker.")
def command(
    service_dirs: tuple[Path, ...],
    python: str | None,
    python36: bool,
    rebuild: bool,
    requirements: Path | None,
    pipfile: Path | None,
    dependencies: str | None,
    target: Path | None,
    source: Path | None,
    exclude: tuple[str, ...],
    inject_build_info: bool,
    architecture: Architecture,
    image: str | None,
    pull: bool,
    no_compile: bool,
    no_docker: bool,
) -> None:
    """Build TARGET/lambda_function.zip from a service's source and requirements.

    \b
    fleece build
    fleece build --python 3.13 --architecture arm64 services/users services/orders
    fleece build -d libxml2-devel,gcc -e 'boto3*' 'botocore*' -t out -- .
    fleece build --no-docker

    The same input gives the same bytes. The paths of the zips are printed, everything else goes to stderr.
    """  # noqa: D301 (click's mark for "keep these lines as they are")
    from fleece.cli.build import system_packages  # noqa: PLC0415 (help and completion do without)
    from fleece.cli.build.exclusions import Exclusions  # noqa: PLC0415
    from fleece.cli.build.plan import Options  # noqa: PLC0415
    from fleece.cli.build.target import NEWEST, target_for  # noqa: PLC0415

    if requirements and pipfile:
        raise UsageError("--requirements and --pipfile are two sources of the same: choose one")
    if python36 and python:
        raise UsageError("--python36 and --python say two things: choose one")
    if no_docker and (dependencies or image or pull):
        option = "--dependencies" if dependencies else "--image" if image else "--pull"
        raise UsageError(f"{option} is about the image to build in, which needs Docker: leave out --no-docker, or it")
    options = Options(
        target=target_for("3.6" if python36 else python or str(NEWEST), architecture),
        requirements=requirements,
        pipfile=pipfile,
        output=target,
        source=source,
        exclusions=Exclusions(exclude),
        build_info=inject_build_info,
        compile=not no_compile,
        rebuild=rebuild,
        image=image,
        dependencies=system_packages.parse(dependencies),
        pull=pull,
    )
    if options.target.runtime.warning:
        _log.warning(options.target.runtime.warning)
    mistaken = [word for word in exclude if not service_dirs and Path(word, "src").is_dir()]
    if mistaken:  # the current folder may well have a service to build, too
        taken = "%s is taken for a pattern to leave out, as all words after --exclude: put -- before it"
        _log.warning(taken, mistaken[0])
    _build(options, service_dirs or (Path(),), docker=not no_docker)


def _build(options: Options, folders: Sequence[Path], *, docker: bool) -> None:
    """Build the services, and tell what came of each."""
    from fleece.cli.build import builder, cache, reports, services  # noqa: PLC0415

    started = time.monotonic()
    jobs = services.prepare(options, folders, os.environ)
    kept = cache.Cache(cache.default_folder(os.environ))
    kept.check()
    build = builder.Builder(options, _installer(options, kept, docker=docker), kept, os.environ)
    outcomes = services.build_all(build, jobs, lambda job: _reports(job, several=len(jobs) > 1))
    for _, outcome in outcomes:
        if not isinstance(outcome, Exception):
            _log.info("%s", reports.summary(outcome, options))
            _streams.write(os.fsencode(outcome.path) + b"\n")
    _raise_failures(outcomes)
    _log.info("done in %.1f s", time.monotonic() - started)


def _installer(options: Options, kept: Cache, *, docker: bool) -> Installer:
    if docker:
        from fleece.cli.build.docker import DockerInstaller  # noqa: PLC0415

        return DockerInstaller(options, kept, os.environ)
    from fleece.cli.build.processes import Processes  # noqa: PLC0415
    from fleece.cli.build.wheels import WheelInstaller  # noqa: PLC0415

    return WheelInstaller(options.target, Processes())


def _reports(job: Job, *, several: bool) -> Reports:
    """Return where a service's build tells of itself: in lines that name it, where it is one of several."""
    from fleece.cli._progress import track  # noqa: PLC0415
    from fleece.cli.build.reports import Reports, untracked  # noqa: PLC0415

    prefix = f"{job.places.service}: " if several else ""
    return Reports(
        info=lambda line: _log.info("%s%s", prefix, line),
        warning=lambda line: _log.warning("%s%s", prefix, line),
        track=untracked if several else track,
    )


def _raise_failures(outcomes: Sequence[tuple[Job, Built | CommandError]]) -> None:
    failures = [(job, outcome) for job, outcome in outcomes if isinstance(outcome, CommandError)]
    if len(outcomes) == 1 and failures:
        raise failures[0][1]
    for job, error in failures:
        _log.error("%s: %s", job.places.service, error, exc_info=error if _log.isEnabledFor(logging.DEBUG) else None)
    if failures:
        raise CommandError(f"{len(failures)} of {len(outcomes)} services were not built; the reasons are above")
