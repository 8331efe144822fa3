"""Folders that go in the end, also those of processes that were killed."""

import subprocess
import sys
import tempfile

from fleece_testing._private_folder import private_folder

KILLED = """
import os, signal
from fleece_testing._private_folder import private_folder

with private_folder("fleece-one-") as folder:
    folder.joinpath("sub").mkdir(mode=0o500)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_left_goes_with_the_next_of_its_purpose(tmp_path, monkeypatch):
    """The next folder with the prefix takes it away; one with another prefix does not, and none that is in use goes."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert subprocess.run([sys.executable, "-c", KILLED], check=False).returncode < 0
    (left,) = tmp_path.iterdir()
    with private_folder("fleece-other-") as other:
        assert set(tmp_path.iterdir()) == {left, other}
        with private_folder("fleece-one-") as first, private_folder("fleece-one-") as second:
            assert set(tmp_path.iterdir()) == {other, first, second}
            assert first.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []
