"""A TLS server in a process of its own, with what a client needs to trust it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BenchmarkError
from harness.model import SilentStage
from harness.peers import HTTPS_SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator

from harness.model import Interpreters

URL = "BENCHMARK_URL"
"""The variable that tells a contestant where the server is."""

_PROGRAM = Path(__file__).with_name("https_server.py")


@contextmanager
def https_server(interpreters: Interpreters) -> Iterator[SilentStage]:
    """Stage for HTTPS requests."""
    command = [str(interpreters.python(HTTPS_SERVER)), "-I", str(_PROGRAM)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise BenchmarkError("The https server has ended before it was ready; its error is above")
            ready = json.loads(line)
            yield SilentStage({URL: ready["url"], "REQUESTS_CA_BUNDLE": ready["authority"]})
        finally:
            process.communicate()
