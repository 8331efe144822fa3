"""Environments that need no server, for what ``fleece run`` does after it has credentials."""

from __future__ import annotations

import pytest

from fleece_testing.command_line import CommandLine, write_environments

STATIC = {"provider": "static"}


@pytest.fixture
def emulator(fleece_cli):
    """Write an environment ``local`` that needs no server, and return the command line."""
    write_environments(fleece_cli.folder, "http://127.0.0.1:1", {"local": STATIC})
    return fleece_cli


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Return a function that runs a program after ``--`` with fixed keys, and returns what came of it."""
    command_line = CommandLine(tmp_path_factory.mktemp("exact"))
    write_environments(command_line.folder, "http://127.0.0.1:1", {"local": STATIC})
    return lambda *arguments, **options: command_line("run", "-e", "local", "--", *arguments, **options)
