"""The ``fleece-local`` command: how it is asked, and how it ends when it is interrupted."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LOCALSTACK = Path(__file__).parents[3] / "localstack"
COMMAND = [sys.executable, "-m", "fleece_testing.local"]


def run(*arguments, **options):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, **options)


def test_help_lists_the_commands_line_by_line():
    """The help shows what there is, with no mark of click's own left in it."""
    shown = run("--help").stdout
    assert "fleece-local demo        the example service" in shown
    assert "\\b" not in shown


@pytest.mark.parametrize("folder", [None, "nowhere", "empty", "file"])
def test_outside_of_a_checkout_it_says_where_to_run_it(tmp_path, folder):
    """Where the example service is not, the demo is wrong usage, and says what to do."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    done = run("demo", *(("--folder", folder) if folder else ()), cwd=tmp_path)
    assert done.returncode == 2
    assert f"{folder or 'localstack'!r} has no resources.yml: run this in a checkout of fleece" in done.stderr


SIGNALLED_AGAIN = """
import signal
from fleece_testing.local.signals import end_on_signals

end_on_signals()
try:
    signal.raise_signal(signal.SIGTERM)
finally:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.raise_signal(number)
    print("all is put away")
"""


def test_further_signals_do_not_break_off_the_way_out():
    """The first signal counts: those that come while a command already ends change nothing."""
    done = subprocess.run([sys.executable, "-c", SIGNALLED_AGAIN], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "all is put away\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(tmp_path, number):
    """Ctrl-C and SIGTERM end the demo with 128 and the signal's number; no folder and no child stays."""
    source = shutil.copytree(LOCALSTACK, tmp_path / "localstack")
    pipe, temporary = tmp_path / "pipe", tmp_path / "temporary"
    os.mkfifo(pipe)
    temporary.mkdir()
    seed = (
        f"import time\noutput = open({str(pipe)!r}, 'w')\nprint('started', file=output, flush=True)\ntime.sleep(20)\n"
    )
    (source / "service" / "seed.py").write_text(f"{seed}print('survived', file=output)\n")
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with (
        subprocess.Popen([*COMMAND, "demo", "--folder", source], env=environment, stdout=subprocess.DEVNULL) as demo,
        pipe.open() as output,
    ):
        assert output.readline() == "started\n"
        demo.send_signal(number)
        assert output.read() == ""
        assert demo.wait() == 128 + number
    assert list(temporary.iterdir()) == []
