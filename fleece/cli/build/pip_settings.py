"""Pip's settings, as far as they decide what is installed: from ``PIP_*`` variables and pip's configuration files.

Read here, and not asked of pip, because starting pip costs more than the rest of an unchanged build.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOOKS = frozenset(
    {
        "break-system-packages", "cache-dir", "config-file", "default-timeout", "disable-pip-version-check",
        "exists-action", "log", "no-cache-dir", "no-color", "no-input", "no-python-version-warning", "prefix",
        "progress-bar", "python", "quiet", "require-virtualenv", "retries", "root", "root-user-action", "target",
        "timeout", "user", "verbose",
    }
)  # fmt: skip
"""Settings that change how pip talks and where it writes, and never what is in the zip."""

_TRANSPORT = frozenset(
    {"cert", "client-cert", "keyring-provider", "proxy", "trusted-host", "use-deprecated", "use-feature"}
)
"""Settings that say how an index is reached; what it gives is the same."""

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""What pip puts a variable in for."""

_DISTURBING = ("PIP_PREFIX", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_ROOT", "PIP_TARGET", "PIP_USER")
"""Variables that would send packages elsewhere than into the zip."""


def read(environment: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings by their long option's name, ``{"index-url": "https://..."}``.

    Those that only change how pip talks are left out.
    """
    settings: dict[str, str] = {}
    for path in _files(environment):
        settings.update(_read_file(path))
    return {name: value for name, value in sorted(settings.items()) if name not in _LOOKS} | of_variables(environment)


def of_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what `read` does, but from ``PIP_*`` variables alone."""
    named = {
        name[len("PIP_") :].lower().replace("_", "-"): value
        for name, value in sorted(environment.items())
        if name.startswith("PIP_") and value
    }
    return {name: value for name, value in named.items() if name not in _LOOKS}


def for_key(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that decide what is installed."""
    return {name: value for name, value in settings.items() if name not in _TRANSPORT}


def undisturbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a pip that installs where it is told to."""
    return {name: value for name, value in environment.items() if name not in _DISTURBING}


def names_index(settings: Mapping[str, str]) -> bool:
    """Whether the user has said which index to ask, or that none is to be."""
    return "index-url" in settings or settings.get("no-index", "0").lower() not in {"0", "false", "no", "off"}


def index_variables(
    indexes: Sequence[str], settings: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return pip's variables that lead to a lock file's indexes; as variables, since they may hold credentials.

    Args:
        indexes: the main one first.
        settings: pip's, which go before a lock's.
        environment: for ``${NAME}`` in the indexes.
    """
    if not indexes or names_index(settings):
        return {}
    first, *others = (with_variables(url, environment) for url in indexes)
    return {
        "PIP_INDEX_URL": first,
        "PIP_EXTRA_INDEX_URL": " ".join([*others, settings.get("extra-index-url", "")]).strip(),
    }


def with_variables(text: str, environment: Mapping[str, str]) -> str:
    """Put variables in for ``${NAME}``, as pip does in requirements files; one that is not set, or empty, stays."""
    return VARIABLE.sub(lambda match: environment.get(match[1]) or match[0], text)


def _files(environment: Mapping[str, str]) -> list[Path]:
    """Return where pip looks, in its order; the files need not be there."""
    own = environment.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (which fails where there is none, unlike pip)
    if sys.platform == "win32":
        shared, user = [Path(environment.get("PROGRAMDATA", "C:\\ProgramData"))], Path(environment.get("APPDATA", home))
    elif sys.platform == "darwin":
        shared, user = [Path("/Library/Application Support")], home / "Library" / "Application Support"
        if not (user / "pip").is_dir():
            user = home / ".config"
    else:
        shared = [Path(one) for one in reversed(environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")) if one]
        user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = [folder / "pip" / name for folder in shared]
    if sys.platform != "win32":
        files.append(Path("/etc") / name)
    files += [
        home / (".pip" if sys.platform != "win32" else "pip") / name,
        user / "pip" / name,
        Path(sys.prefix) / name,
    ]
    return [*files, Path(own)] if own else files


def _read_file(path: Path) -> dict[str, str]:
    """Return the settings in a file of pip's; what pip cannot read either, it will complain about itself."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return {}
    return {
        name.lower().replace("_", "-"): value
        for section in ("global", "install")
        if parser.has_section(section)
        for name, value in parser.items(section)
    }
