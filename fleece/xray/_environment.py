"""What the environment says and cannot be understood: it is tolerated, with one warning a process for each variable."""

from __future__ import annotations

from contextlib import suppress

from fleece._defaults import defaults

_MOST_SHOWN = 200


def warn_once(variable: str, found: str, wanted: str) -> None:
    """Say what is wrong with an environment variable, unless it has been said in this process.

    Nothing is raised, not even where warnings are turned into errors: it is not the traced code that is wrong.
    """
    with suppress(Exception):
        told: dict[str, object] = defaults.resource("xray.told", dict, survives_restore=True)
        this = object()
        if told.setdefault(variable, this) is this:  # in one go, for threads that come here at once
            import warnings  # noqa: PLC0415 (for the few that need it)

            text = f"{variable} is {found[:_MOST_SHOWN]!r}, which cannot be read; {wanted}"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
