"""Files that are replaced whole."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fleece.cli import _files
from fleece.cli._files import locked, write_atomically


def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    """A file that was not there gets what the umask leaves."""
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "f", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640
    assert (tmp_path / "f").read_bytes() == b"x"


def test_a_link_stays_a_link(tmp_path):
    """What a symbolic link leads to is replaced, and the link is not."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    """When the last step fails, the old file is there, alone."""
    (tmp_path / "f").write_bytes(b"old")

    def refuse(*_):
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full") as caught:
        write_atomically(tmp_path / "f", b"new")
    assert caught.value.filename == str(tmp_path / "f")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_the_content_is_on_the_disk_before_the_name_points_to_it(tmp_path, monkeypatch):
    """A power cut leaves the old file or the new one: content, then name, then folder are written to the disk."""
    steps = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(descriptor):
        of = os.fstat(descriptor)
        steps.append("folder" if stat.S_ISDIR(of.st_mode) else of.st_size)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", lambda *paths: steps.append("name") or replace(*paths))
    write_atomically(tmp_path / "f", b"new")
    assert steps == [3, "name", "folder"]


def test_a_folder_that_is_not_there_is_told_by_the_files_name(tmp_path):
    """The error is about the file that was to be written, not about a temporary one beside it."""
    path = tmp_path / "nowhere" / "f"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, b"x")
    assert caught.value.filename == str(path)


def test_what_is_no_file_is_not_replaced(tmp_path):
    """A pipe or a device stays what it is: root could take ``/dev/null`` away from the whole machine."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(path, b"x")
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_owner_and_group_are_kept(tmp_path):
    """Who may read the file stays as it was, for root at least; nobody else can give files away."""
    path = tmp_path / "f"
    path.write_bytes(b"old")
    owner = (4321, 8765) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    path.chmod(0o640)
    write_atomically(path, b"new")
    there = path.stat()
    assert (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode)) == (*owner, 0o640)


def test_who_may_not_give_files_away_still_writes(tmp_path, monkeypatch):
    """The system refuses another owner to everybody but root, and another group to who is not in it."""
    (tmp_path / "f").write_bytes(b"old")

    def refuse(*_):
        raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(os, "fchown", refuse)
    write_atomically(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_read_only_file_is_left(tmp_path, monkeypatch):
    """Whoever has taken the right to write from a file did not want it to be replaced either."""
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o444)
    if os.geteuid() == 0:  # for whom nothing is read-only
        monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="read-only") as caught:
        write_atomically(path, b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"


# The end of a `with` is interrupted as well, and leaves closing the file to Python.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("event", ["line", "return"])
def test_interrupted_at_any_line_it_leaves_nothing_else(tmp_path, event):
    """Ctrl-C between any two lines leaves the old file or the new one, and none beside it."""
    path = tmp_path / "f"
    moments = _interrupted(path, event, None)
    assert moments > 2
    for moment in range(moments):
        path.write_bytes(b"old")
        _interrupted(path, event, moment)
        assert [there.name for there in tmp_path.iterdir()] == ["f"]
        assert path.read_bytes() in {b"old", b"new"}


def _interrupted(path, wanted, moment):
    """Write, with Ctrl-C at the event of that number; return how many there were."""
    passed = 0

    def trace(frame, event, _argument):
        nonlocal passed
        if frame.f_code.co_filename != _files.__file__:
            return None
        if event == wanted:
            passed += 1
            if passed - 1 == moment:
                raise KeyboardInterrupt
        return trace

    tracing = sys.gettrace()
    try:
        sys.settrace(trace)
        write_atomically(path, b"new")
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(tracing)
    return passed


def test_killed_at_any_moment_the_file_is_whole(tmp_path):
    """A process that is killed while it writes again and again leaves one of the versions, all of it."""
    path = tmp_path / "f"
    code = (
        "import itertools, sys; from fleece.cli._files import write_atomically\n"
        "for i in itertools.count(): write_atomically(sys.argv[1], (b'%d ' % i) * 20000)"
    )
    for wait in range(4):
        with subprocess.Popen([sys.executable, "-c", code, str(path)]) as process:
            while not path.exists():
                assert process.poll() is None
            time.sleep(wait * 0.007)
            process.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert content == content[: content.index(b" ") + 1] * 20000
        path.unlink()


def test_what_the_killed_have_left_is_removed_by_who_holds_the_lock(tmp_path):
    """A temporary file whose writer was killed is gone after the next lock; other files are left alone."""
    path = tmp_path / "f"
    code = (
        "import os, pathlib, signal, sys; from fleece.cli._files import write_atomically\n"
        "pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(sys.argv[1], b'new')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    others = {left.with_name(name) for name in (".f.tmp", ".f.mine.tmp", left.name.replace(".f.", ".g."))}
    for other in others:
        other.touch()
    with locked(path):
        assert set(tmp_path.iterdir()) == others
