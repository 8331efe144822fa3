"""What a session's environment becomes while it is isolated: pure, from the one that was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fleece_testing._environment import NO_OTHER_SOURCES, to_scrub
from fleece_testing._isolation.guard.rule import DEAD_PROXY

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "FLEECE_ISOLATE_PATH"

_DUMMY = "isolated-by-fleece"
_DUMMIES = {
    "AWS_ACCESS_KEY_ID": _DUMMY,
    "AWS_SECRET_ACCESS_KEY": _DUMMY,
    "AWS_SESSION_TOKEN": _DUMMY,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "RS_API_KEY": _DUMMY,
    "RS_USERNAME": _DUMMY,
}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY")
_NOT_BY_PROXY = "localhost,127.0.0.1,::1,0.0.0.0"


def changes(environ: Mapping[str, str], folder: str) -> dict[str, str | None]:
    """Return what to set in `environ`, and with None what to take away.

    Args:
        environ: the environment as it is.
        folder: where Python children find the guard; see `fleece_testing._isolation.session`.
    """
    path = os.pathsep.join(filter(None, [folder, environ.get("PYTHONPATH")]))
    return {
        **dict.fromkeys(to_scrub(environ)),
        **_DUMMIES,
        **NO_OTHER_SOURCES,
        **_dead_proxies(),
        "PYTHONPATH": path,
        FOLDER: folder,
    }


def handed_on(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a child that inherits none, and is isolated all the same if this process is.

    Args:
        environ: the environment of this process.
        variables: what the child is given.
    """
    if FOLDER not in environ:
        return dict(variables)
    path = os.pathsep.join(filter(None, [environ[FOLDER], variables.get("PYTHONPATH")]))
    return {**variables, **_dead_proxies(), "PYTHONPATH": path, FOLDER: environ[FOLDER]}


def _dead_proxies() -> dict[str, str]:
    """Return the variables that lead programs which are not Python, and know no guard, to where nobody listens."""
    dead = "http://{}:{}".format(*DEAD_PROXY)
    upper = {**dict.fromkeys(_PROXIES, dead), "NO_PROXY": _NOT_BY_PROXY}
    return {**upper, **{name.lower(): value for name, value in upper.items()}}
