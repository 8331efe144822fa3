"""Run pip as if on the machine that the package is for; a script, with the markers as JSON before pip's arguments.

``pip install --platform`` chooses wheels for another machine, and yet evaluates the conditions on requirements
(``; python_version < "3.11"``), and older pips ``Requires-Python`` too, for the Python that it runs on: packages would
be missing, too many, or of other versions than on the next machine. So two functions of pip's are told the target.
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any


def set_target(environment: dict[str, str]) -> None:
    """Have pip in this process evaluate everything in `environment` (PEP 508's variables).

    Raises:
        ImportError, AttributeError: this pip is made differently.
    """
    # Typed loosely: what these hold differs from one pip to the next.
    command: Any = importlib.import_module("pip._internal.cli.req_command").RequirementCommand
    markers: Any = importlib.import_module("pip._vendor.packaging.markers")
    make_resolver: Any = command.make_resolver
    version = tuple(int(part) for part in environment["python_version"].split("."))

    def for_target(_cls: type, *args: Any, **options: Any) -> Any:
        return make_resolver(*args, **{**options, "py_version_info": version})

    command.make_resolver = classmethod(for_target)
    markers.default_environment  # noqa: B018 (that it is there is the question)
    markers.default_environment = lambda: dict(environment)


if __name__ == "__main__":
    # The folder of this script is no place to import from, and would come first.
    sys.path[:] = [path for path in sys.path if not path or Path(path) != Path(__file__).parent]
    try:
        set_target(json.loads(sys.argv[1]))
    except (ImportError, AttributeError):
        sys.exit("ERROR: this pip cannot be told about another Python: install uv, or a pip of another version")
    sys.argv = ["pip", *sys.argv[2:]]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
