"""Which part of a path belongs to the deployment (stage, base path mapping), and which to the application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARAMETER = re.compile(r"\{([^{}+]+)\+?\}")


def split_prefix(path: str, prefix: str) -> tuple[str, str]:
    """Take `prefix` off a path that has it, by whole segments.

    >>> split_prefix("/v1/users", "v1")
    ('/v1', '/users')
    >>> split_prefix("/v10/users", "/v1")
    ('', '/v10/users')
    """
    prefix = prefix.strip("/")
    if not prefix:
        return "", path
    prefix = f"/{prefix}"
    if path == prefix:
        return prefix, "/"
    if path.startswith(f"{prefix}/"):
        return prefix, path[len(prefix) :]
    return "", path


def split_before_route(path: str, route: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Take off what precedes the route, which is what a custom domain's base path mapping has put there.

    >>> split_before_route("/shop/users/7", "/users/{id}", {"id": "7"})
    ('/shop', '/users/7')
    """
    expanded = expand(route, parameters)
    if not expanded.startswith("/"):
        return "", path
    whole = path if path.endswith("/") == expanded.endswith("/") else path.rstrip("/")
    for ending in (expanded, unquote(expanded)):  # parameters arrive decoded or not, by the kind of API
        if whole.endswith(ending):
            # A slash too many is in the path, and no part of a mapping.
            mapped = path[: len(whole) - len(ending)].rstrip("/")
            return mapped, path[len(mapped) :]
    # A mapping with nothing after it: the route "/" is not in the path.
    return (path, "/") if expanded == "/" else ("", path)


def expand(route: str, parameters: Mapping[str, str]) -> str:
    """Put path parameters where a route names them; a name without a parameter stays.

    >>> expand("/users/{id}/{rest+}", {"id": "7", "rest": "a/b"})
    '/users/7/a/b'
    """
    return _PARAMETER.sub(lambda match: str(parameters.get(match[1], match[0])), route)
