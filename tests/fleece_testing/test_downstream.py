"""A project of somebody else's (tests/downstream), which has the installed package and the documented fixtures only."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.any_python

PROJECT = Path(__file__).parents[1] / "downstream"
TESTS = 13

ONLY_LOOPBACK = """
import fcntl, os, socket, struct, sys
IFF_UP, SIOCSIFFLAGS = 1, 0x8914
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
os.execv(sys.argv[1], sys.argv[1:])
"""
UNSHARE = ("unshare", "--map-root-user", "--net", sys.executable, "-c", ONLY_LOOPBACK)


@pytest.fixture
def run(pytester, monkeypatch):
    """Run the project's tests in a copy of it, with the plugins that are installed."""
    for name in ("PYTEST_ADDOPTS", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(PROJECT, pytester.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".*"))

    def run_pytest(*arguments, within=()):
        return pytester.run(*within, sys.executable, "-m", "pytest", *arguments)

    return run_pytest


def test_alone(run):
    """Its tests pass as they stand, with fleece's plugin and Hypothesis's alone, where there is no network."""
    try:
        subprocess.run([*UNSHARE, sys.executable, "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a network namespace takes unshare, and the right to make one")
    run("-p", "no:randomly", "-p", "no:xdist", within=UNSHARE).assert_outcomes(passed=TESTS)


def test_isolated_in_parallel_and_in_random_order(run):
    """Its tests pass in two workers and in any order, where fleece reports whoever tries to leave the machine."""
    run("--fleece-isolate", "-n", "2").assert_outcomes(passed=TESTS)


def test_without_the_plugin(run):
    """With ``-p no:fleece`` each test says which fixture is not there."""
    result = run("-p", "no:fleece")
    assert result.parseoutcomes()["errors"] == TESTS
    result.stdout.fnmatch_lines(["*fixture 'fleece_*' not found"])
