"""Packages that an extra installs: one that is missing is told with what to install."""

from __future__ import annotations

import importlib.util


def require(module: str, *packages: str, extra: str = "testing") -> None:
    """See that packages are installed.

    Args:
        module: what stands on them, for the message.
        packages: the names that they are imported by.
        extra: fleece's extra that they are part of.

    Raises:
        ModuleNotFoundError: one is not, with what to install.
    """
    for package in packages:
        if not _is_there(package):
            hint = f"pip install 'fleece[{extra}]'"
            raise ModuleNotFoundError(f"{module} needs the package {package!r}: {hint}", name=package)


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ModuleNotFoundError, ValueError):  # kept away by an import hook, or by None in sys.modules
        return False
