"""The demo, where it has to fail: with one part broken at a time; and where it must not: with no network at all.

Each test builds from the wheels that the environment's set-up fetched (``tox run -e demo-broken``).
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from fleece_testing.local.demo import run_demo
from fleece_testing.local.resources import read_resources
from fleece_testing.local.stack import Stack

LOCALSTACK = Path(__file__).parents[3] / "localstack"


@pytest.fixture(scope="session")
def wheels():
    return Path(os.environ["FLEECE_TEST_WHEELS"])


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the example, to break."""
    return shutil.copytree(LOCALSTACK, tmp_path / "localstack")


@pytest.fixture
def demo(tmp_path, wheels):
    """Run the demo on a folder, and return its exit code and what it showed."""

    def run(folder, stack=None):
        work = tmp_path / "work"
        work.mkdir()
        console = Console(file=io.StringIO(), width=200, color_system=None)
        code = run_demo(console, folder, work, wheels, stack)
        return code, console.file.getvalue()

    return run


ONLY_LOOPBACK = """
import fcntl, os, socket, struct, sys
IFF_UP, SIOCSIFFLAGS = 1, 0x8914
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_demo_needs_no_network(tmp_path, wheels):
    """In a network namespace that has loopback and nothing else, the demo does all its steps and exits with 0."""
    done = subprocess.run(
        [
            *("unshare", "--map-root-user", "--net", sys.executable, "-c", ONLY_LOOPBACK),
            *(sys.executable, "-m", "fleece_testing.local"),
            *("demo", "--folder", str(LOCALSTACK), "--wheels", str(wheels)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "All steps did what they should" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_secret_in_clear_fails_the_configuration(demo, folder):
    """A secret that is in config.yml in clear, however it got there, ends the demo at the second step."""
    opened = folder / "config.open.yml"
    opened.write_text(opened.read_text() + "  hint: open-sesame-for-development\n")
    code, shown = demo(folder)
    assert "✗ Step 2 failed: config.yml has the secret of dev in clear" in shown
    assert code == 1
    assert "3. run" not in shown


def test_refused_api_key_fails_the_configuration(demo, folder):
    """A Rackspace stub that refuses the API key ends the demo at the first step that needs credentials."""

    class Refusing(Stack):
        def environment(self):
            return {**super().environment(), "RS_API_KEY": "not-the-key"}

    code, shown = demo(folder, Refusing(read_resources(folder / "resources.yml")))
    assert "✗ Step 2 failed: fleece config ended with exit code" in shown
    assert "refuses the API key" in shown
    assert code == 1
    assert "3. run" not in shown


def test_missing_role_fails_the_run(demo, folder):
    """A role that is not there lets neither configuration nor command pass."""
    resources = folder / "resources.yml"
    resources.write_text(resources.read_text().replace("LambdaDeployRole, ", ""))
    code, shown = demo(folder)
    assert "✗ Step 2 failed" in shown
    assert "LambdaDeployRole" in shown
    assert code == 1


def test_wrong_datagram_header_fails_the_trace(demo, folder):
    """1.2.1's header, the repr of a tuple, is what the X-Ray daemon drops: the last step says so."""
    handler = folder / "service" / "src" / "handler.py"
    wrong = '(b"(\'{\\"format\\": \\"json\\", \\"version\\": 1}\',)\\n")'
    handler.write_text(f"import fleece.xray._document\nfleece.xray._document._HEADER = {wrong}\n{handler.read_text()}")
    code, shown = demo(folder)
    assert "✗ Step 6 failed" in shown
    assert "X-Ray would have dropped" in shown
    assert code == 1


def test_function_that_cannot_start_fails_its_step(demo, folder):
    """A requirement that the package lacks ends the demo where the package boots, with the runtime's own reason."""
    (folder / "service" / "src" / "requirements.txt").write_text("fleece>=2.0.0.dev0\n")
    code, shown = demo(folder)
    assert "✗ Step 5 failed" in shown
    assert "connexion" in shown
    assert code == 1
