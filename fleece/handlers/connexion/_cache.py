"""Applications, made once per container and found again by what they were made from."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from fleece._defaults import defaults
from fleece.handlers.connexion import _specification
from fleece.handlers.connexion._application import FleeceApp

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable
    from typing import TypeAlias

    from fleece.handlers.connexion._application import Framework

    Specification: TypeAlias = str | os.PathLike[str] | dict[str, Any]


class _Cached(NamedTuple):
    """An application, with the specification that it was made from as it was then."""

    app: FleeceApp
    content: bytes | dict[str, Any]
    path: pathlib.Path | None = None
    stamp: tuple[int, ...] = ()

    def current(self, specification: Specification) -> _Cached | None:
        """Return this, with a new stamp for a file that was only touched, or ``None``, when it says other things now.

        A file is read again only when its stamp has changed.
        """
        if self.path is None:
            return self if specification == self.content else None
        stamp = _stamp(self.path)
        if stamp == self.stamp:
            return self
        return self._replace(stamp=stamp) if self.path.read_bytes() == self.content else None


def get_connexion_app(
    app_name: str,
    app_swagger_path: Specification,
    strict_validation: bool = True,
    validate_responses: bool = True,
    cache_app: bool = True,
    logger: Any = None,
    framework: Framework = "flask",
) -> FleeceApp:
    """Return the application of a specification, the same one at each call.

    Args:
        app_name: its name; where it is a module's name, the path may be relative to that module.
        app_swagger_path: a Swagger 2.0 or OpenAPI 3.0 specification: a YAML or JSON file, or the specification itself
            as a dict.
        strict_validation: refuse parameters that the specification does not name.
        validate_responses: answer with 500 where a response breaks the specification.
        cache_app: keep the application for the next call, which makes a new one only when the specification's content
            or another argument has changed.
        logger: gets the lines of each request; fleece's, structlog's or a standard one.
        framework: ``"flask"``, or ``"async"`` for connexion's own asynchronous application.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is neither YAML nor JSON, or the framework is not known.
        connexion.exceptions.InvalidSpecification: it is no valid specification.
    """

    def make(specification: dict[str, Any]) -> FleeceApp:
        app = FleeceApp(app_name, framework=framework, logger=logger)
        app.add_api(specification, strict_validation=strict_validation, validate_responses=validate_responses)
        return app

    if not cache_app:
        return _made(app_name, app_swagger_path, make).app
    cached: dict[Any, _Cached] = defaults.resource("fleece.handlers.connexion.apps", dict, survives_restore=True)
    key = (app_name, _place(app_swagger_path), strict_validation, validate_responses, framework)
    before = cached.get(key)
    found = before and before.current(app_swagger_path)
    if found is None:
        found = _made(app_name, app_swagger_path, make)
    elif logger is not None:
        found.app.log_to(logger)
    if found is not before:
        cached[key] = found
    return found.app


def call_api(
    event: dict[str, Any],
    app_name: str,
    app_swagger_path: Specification,
    logger: Any,
    strict_validation: bool = True,
    validate_responses: bool = True,
    cache_app: bool = True,
    framework: Framework = "flask",
) -> Any:
    """Answer an event of yoke's request template: `FleeceApp.call_api` of what `get_connexion_app` returns."""
    app = get_connexion_app(
        app_name, app_swagger_path, strict_validation, validate_responses, cache_app, logger, framework
    )
    return app.call_api(event)


def call_proxy_api(
    event: dict[str, Any],
    app_name: str,
    app_swagger_path: Specification,
    logger: Any,
    strict_validation: bool = True,
    validate_responses: bool = True,
    cache_app: bool = True,
    framework: Framework = "flask",
    *,
    base_path: str | None = None,
) -> dict[str, Any]:
    """Answer a proxy event: `FleeceApp.call_proxy_api` of what `get_connexion_app` returns."""
    app = get_connexion_app(
        app_name, app_swagger_path, strict_validation, validate_responses, cache_app, logger, framework
    )
    return app.call_proxy_api(event, base_path=base_path)


def _place(specification: Specification) -> str:
    """Return the path that tells a specification's file from others."""
    if isinstance(specification, dict):
        return ""
    path = os.fspath(specification)
    return path if path.startswith("/") else f"{os.getcwd()}/{path}"  # noqa: PTH109 (at every request: fast)


def _made(app_name: str, specification: Specification, make: Callable[[dict[str, Any]], FleeceApp]) -> _Cached:
    if isinstance(specification, dict):
        # Connexion writes its defaults into what it is given.
        return _Cached(make(copy.deepcopy(specification)), copy.deepcopy(specification))
    path = _specification.locate(app_name, os.fspath(specification))
    stamp = _stamp(path)
    content = path.read_bytes()
    return _Cached(make(_specification.parse(content, path)), content, path, stamp)


def _stamp(path: pathlib.Path) -> tuple[int, ...]:
    status = os.stat(path)  # noqa: PTH116 (half the time, at every request)
    return status.st_mtime_ns, status.st_size, status.st_ino
