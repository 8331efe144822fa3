"""Run pip as if on the machine that the package is for; a script, with the markers as JSON before pip's arguments.

``pip install --platform`` chooses wheels for another machine, and yet evaluates the conditions on requirements
(``; python_version < "3.11"``) for the one that it runs on: packages would be missing, or too many.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # The folder of this script is no place to import from, and would come first.
    sys.path[:] = [path for path in sys.path if not path or Path(path) != Path(__file__).parent]
    environment: dict[str, str] = json.loads(sys.argv[1])

    try:
        from pip._vendor.packaging import markers

        getattr(markers, "default_environment")  # noqa: B009 (that it is there is the question)
    except (ImportError, AttributeError):
        sys.exit("ERROR: this pip cannot be told about another Python: install uv, or a pip of another version")
    markers.default_environment = lambda: dict(environment)
    sys.argv = ["pip", *sys.argv[2:]]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
