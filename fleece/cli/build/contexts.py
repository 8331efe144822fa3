"""Docker's contexts: which engine is meant where ``DOCKER_HOST`` names none.

The ``docker`` package goes to the one that is meant; what it does not tell is seen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docker.context import ContextAPI
from docker.context.config import get_current_context_name

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check(environment: Mapping[str, str]) -> None:
    """See that the context that is asked for leads to an engine: else the package takes the default one, silently.

    Args:
        environment: ``DOCKER_HOST``, which needs no context, and ``DOCKER_CONTEXT`` are taken from it.

    Raises:
        CommandError: there is no such context, it is damaged, or it names no Docker engine.
    """
    if environment.get("DOCKER_HOST"):
        return
    name = str(environment.get("DOCKER_CONTEXT") or get_current_context_name() or "default")
    what_to_do = "choose another with `docker context use` or DOCKER_CONTEXT, or name an engine with DOCKER_HOST"
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the package raises that very class, and what a damaged file makes of its reading
        raise CommandError(f"the Docker context {name} cannot be read: {what_to_do}") from error
    if context is None:
        raise CommandError(f"there is no Docker context {name}: {what_to_do}")
    if not (isinstance(context.Host, str) and context.Host):
        raise CommandError(f"the Docker context {name} names no engine: {what_to_do}")
