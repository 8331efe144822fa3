"""Whatever ends ``import`` and ``edit``, at whatever moment: the file is whole, and nothing in clear is left."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fleece.cli import endings

PROGRAM = Path(__file__).with_name("run_and_end.py")
IMPORT = ("import",)
EDIT = ("edit", "--editor", "sed -i s/prod-secret/another/")


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """The folder in which open files are made; everybody can look into it."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def ended(imported, runtime):
    """Run the command many times, each ended by a signal somewhere; return the old file and what was seen."""

    def run(number, runs, *arguments):
        before = imported.path.read_text()
        stdin = imported("export").stdout.replace("prod-secret", "another")
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(int(number)), str(runs), "config", *arguments],
            input=stdin,
            cwd=imported.path.parent,
            env=imported.cli.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        moments, results = json.loads(done.stdout)
        assert moments > 10
        return before, results

    return run


def without_ciphertexts(text):
    return re.sub(r":decrypt:[\w+/=]+", ":decrypt:", text)


def assert_whole(before, results):
    assert {without_ciphertexts(result["config"]) for result in results} == {without_ciphertexts(before)}
    assert any(result["config"] == before for result in results)


@pytest.mark.parametrize("arguments", [IMPORT, EDIT], ids=["import", "edit"])
def test_a_kill_at_any_moment(imported, runtime, ended, arguments):
    """Killed at 100 random moments, the file is the old or the new one, and what is left is readable by nobody else.

    The next edit removes what was left.
    """
    before, results = ended(signal.SIGKILL, 100, *arguments)
    assert {result["ended"] for result in results} == {-signal.SIGKILL}
    assert_whole(before, results)
    for result in results:
        assert all(mode & 0o077 == 0 for path, mode in result["left"].items() if "/" not in path)
    assert imported("edit", "--editor", "true").exit_code == 0
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("arguments", [IMPORT, EDIT], ids=["import", "edit"])
def test_an_end_at_any_moment(ended, arguments, number):
    """Ended by a signal at random moments, neither leaves an open file, nor any other, and the file is whole."""
    before, results = ended(number, 30, *arguments)
    assert_whole(before, results)
    assert [(result["left"], result["beside"]) for result in results] == [({}, [])] * len(results)


def test_only_the_first_signal_counts():
    """A second signal does not interrupt the way out, and afterwards signals are what they were."""
    before = signal.getsignal(signal.SIGTERM)
    done = []
    with pytest.raises(SystemExit) as ended, endings.in_order():  # noqa: PT012 (the way out is the point)
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            done.append("the way out")
    assert done == ["the way out"]
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
