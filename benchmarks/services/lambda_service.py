"""A service to build: a folder with its source and requirements, for fleece and for AWS SAM."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MODULES = ("boto3", "pydantic", "requests")

_TEMPLATE = """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: handler.main
      Runtime: python{version}
      Architectures: [x86_64]
"""


@contextmanager
def new_service(version: str) -> Iterator[Path]:
    """Give the folder of a service that needs `MODULES`, until the end of the ``with`` block."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "src")
        source.mkdir()
        (source / "requirements.txt").write_text("\n".join(MODULES) + "\n", encoding="utf-8")
        (source / "handler.py").write_text("def main(event, context):\n    return event\n", encoding="utf-8")
        Path(folder, "template.yaml").write_text(_TEMPLATE.format(version=version), encoding="utf-8")
        yield Path(folder)


def version_of(python: Path) -> str:
    """Return the version of an interpreter, such as ``3.13``."""
    return run([python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()


def run(command: Sequence[str | Path], folder: Path | None = None, variables: Mapping[str, str] | None = None) -> str:
    """Run a step of the preparation, which is not measured, and return what it wrote.

    Raises:
        BenchmarkError: it failed.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
