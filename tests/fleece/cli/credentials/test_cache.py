"""Where tokens and credentials are kept: privately, or not at all."""

import json
import logging
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from fleece.cli.credentials import DiskStore, MemoryStore, default_folder

PARTS = ("aws", "https://identity.example", "user", "the-api-key", None)
DOCUMENT = {"AccessKeyId": "AKIA", "SecretAccessKey": "secret"}


@pytest.fixture
def folder(tmp_path):
    """Name a folder that is not there yet."""
    return tmp_path / "cache" / "fleece" / "credentials"


@pytest.fixture
def warnings(caplog):
    """Read the warnings of the test, after the lines of debugging have been left out."""
    return lambda: [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


AS_SOMEBODY = """
import logging, os, pathlib, sys, tempfile
from fleece.cli.credentials import DiskStore
logging.basicConfig(format="%(message)s", level="WARNING")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
folder = pathlib.Path(sys.argv[1], "credentials")
"""


@pytest.fixture
def as_somebody():
    """Run code on an empty ``folder`` as a user who may do what modes let him: root may do anything."""
    with tempfile.TemporaryDirectory() as place:  # not below the tests' own, where root alone may go
        if os.geteuid() == 0:
            os.chown(place, 65534, 65534)
        yield lambda code: subprocess.run(
            [sys.executable, "-c", AS_SOMEBODY + code, place], capture_output=True, text=True, check=True
        )


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), DiskStore])
def test_what_is_put_is_got(folder, make):
    """A document is found under the parts that it was put under, and under no others."""
    store = make(folder)
    assert store.get(PARTS) is None
    store.put(PARTS, DOCUMENT)
    assert store.get(PARTS) == DOCUMENT
    for at, part in enumerate(PARTS):
        assert store.get((*PARTS[:at], f"{part}x", *PARTS[at + 1 :])) is None
    assert store.get((*PARTS, None)) is None


def test_another_process_finds_it(folder):
    """What one store has put, another on the same folder gets."""
    DiskStore(folder).put(PARTS, DOCUMENT)
    assert DiskStore(folder).get(PARTS) == DOCUMENT


def test_files_are_private(folder):
    """The folder is 0700 and every file 0600, whatever the umask is."""
    before = os.umask(0)
    try:
        DiskStore(folder).put(PARTS, DOCUMENT)
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_the_api_key_is_nowhere(folder):
    """Neither a name nor a content in the folder has the API key in it."""
    DiskStore(folder).put(PARTS, DOCUMENT)
    for path in folder.iterdir():
        assert b"the-api-key" not in path.name.encode() + path.read_bytes()


def test_names_differ_between_folders(tmp_path):
    """The hash is keyed: the same parts have another name in another folder, so nobody can try keys against it."""
    for name in ("one", "two"):
        DiskStore(tmp_path / name).put(PARTS, DOCUMENT)
    one, two = ({path.name for path in (tmp_path / name).glob("*.json")} for name in ("one", "two"))
    assert not one & two


@pytest.mark.parametrize("wide", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_reach_is_refused(folder, warnings, wide):
    """A file with a wider mode is not used, and a warning says so."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (entry,) = folder.glob("*.json")
    entry.chmod(wide)
    assert store.get(PARTS) is None
    assert f"{entry} is open to other users (mode {wide:04o})" in warnings()[0]


def test_a_folder_that_others_can_reach_is_refused(folder, warnings):
    """A folder with a wider mode is neither read nor written."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    folder.chmod(0o755)
    assert store.get(PARTS) is None
    before = sorted(folder.iterdir())
    store.put(("other",), DOCUMENT)
    assert sorted(folder.iterdir()) == before
    assert f"{folder} is open to other users (mode 0755)" in warnings()[0]
    assert store.get(("other",)) is None
    assert len(warnings()) == 1


def test_symbolic_links_are_refused(folder, tmp_path, warnings):
    """Neither a file nor the folder itself may be a symbolic link."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (entry,) = folder.glob("*.json")
    elsewhere = tmp_path / "elsewhere.json"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)
    assert store.get(PARTS) is None
    assert f"{entry} is a symbolic link" in warnings()[0]
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert DiskStore(link).get(PARTS) is None
    assert f"{link} is not a folder" in warnings()[1]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_another_users_files_are_refused(folder, warnings):
    """What belongs to somebody else is not used."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (entry,) = folder.glob("*.json")
    os.chown(entry, 12345, -1)
    assert store.get(PARTS) is None
    os.chown(folder, 12345, -1)
    assert store.get(PARTS) is None
    assert [message.partition(";")[0] for message in warnings()] == [
        f"{entry} belongs to another user",
        f"{folder} belongs to another user",
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"AccessKeyId": "\xff"}', b"null", b"[" * 100_000])
def test_a_damaged_file_counts_as_none(folder, warnings, content):
    """What is no document is not used, with a warning, and overwritten next time."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (entry,) = folder.glob("*.json")
    entry.write_bytes(content)
    assert store.get(PARTS) is None
    store.put(PARTS, DOCUMENT)
    assert store.get(PARTS) == DOCUMENT
    assert warnings() == [f"{entry} is damaged: it is ignored, and a new one written"]


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_damaged_hash_key_is_replaced(folder, warnings, content):
    """Names are never made with a key that is not random: a damaged one is warned about and made anew."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (folder / "hash-key").write_bytes(content)
    assert store.get(PARTS) is None
    assert warnings() == [f"{folder / 'hash-key'} is damaged: it is ignored, and a new one written"]
    store.put(PARTS, DOCUMENT)
    assert len((folder / "hash-key").read_bytes()) == 32
    assert store.get(PARTS) == DOCUMENT


def test_a_file_that_cannot_be_read_counts_as_none(as_somebody):
    """A file that its owner may not read is not used, with a warning, and written anew."""
    done = as_somebody(
        """
store = DiskStore(folder)
store.put(("parts",), {"n": "1"})
(entry,) = folder.glob("*.json")
entry.chmod(0)
print(store.get(("parts",)))
store.put(("parts",), {"n": "2"})
print(store.get(("parts",)))
"""
    )
    assert done.stdout == "None\n{'n': '2'}\n"
    assert done.stderr.endswith(".json: Permission denied; what is kept there is not used\n")
    assert done.stderr.count("\n") == 1


def test_a_home_that_cannot_be_written(as_somebody):
    """Where nothing can be written, nothing is kept, and nobody is told at each command."""
    done = as_somebody(
        """
folder.parent.chmod(0o500)
store = DiskStore(folder)
store.put(("parts",), {"n": "1"})
print(store.get(("parts",)))
"""
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_where_nothing_can_be_written(tmp_path, warnings):
    """A folder that cannot be made is no failure: the next command asks again."""
    (tmp_path / "file").write_text("")
    store = DiskStore(tmp_path / "file" / "credentials")
    store.put(PARTS, DOCUMENT)
    assert store.get(PARTS) is None
    assert warnings() == []


def test_old_files_go(folder):
    """What is older than a day, and so of no use to anybody, is removed when something is put."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (entry,) = folder.glob("*.json")
    os.utime(entry, (time.time() - 90_000,) * 2)
    store.put(("other",), DOCUMENT)
    assert not entry.exists()
    assert store.get(("other",)) == DOCUMENT


def test_what_a_killed_process_was_writing_goes(folder):
    """A file that was never finished has credentials in clear, and goes as soon as nobody can still be writing it."""
    store = DiskStore(folder)
    store.put(PARTS, DOCUMENT)
    (folder / ".new-old").write_bytes(b"secret")
    (folder / ".new-young").write_bytes(b"secret")
    os.utime(folder / ".new-old", (time.time() - 600,) * 2)
    store.put(PARTS, DOCUMENT)
    assert not (folder / ".new-old").exists()
    assert (folder / ".new-young").exists()


def test_many_at_once(folder):
    """Stores that start at the same time agree on the key, and every reader gets a whole document."""
    documents = [{"n": str(n), "fill": "x" * 50_000} for n in range(8)]

    def work(n):
        store = DiskStore(folder)
        for _ in range(10):
            store.put(PARTS, documents[n])
            seen.append(store.get(PARTS))

    seen = []
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert all(document in documents for document in seen)
    assert len(list(folder.iterdir())) == 2  # the entry and the hash's key


def test_many_processes_at_once(folder):
    """Processes that start at the same time agree on the key, and each reads whole documents of one of them."""
    code = """
import json, pathlib, sys
from fleece.cli.credentials import DiskStore
input()
for _ in range(20):
    store = DiskStore(pathlib.Path(sys.argv[1]))
    store.put(("parts",), {"n": sys.argv[2] * 20_000})
    print(len(store.get(("parts",))["n"]))
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, folder, str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(6)
    ]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate() for process in processes] == [("20000\n" * 20, "")] * 6
    assert len(list(folder.iterdir())) == 2  # the entry and the hash's key


def test_the_default_folder(tmp_path):
    """The folder is below ``$XDG_CACHE_HOME`` if that is absolute, else below ``~/.cache``."""
    assert default_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "fleece" / "credentials"
    at_home = default_folder({})
    assert at_home.parts[-3:] == (".cache", "fleece", "credentials")
    assert default_folder({"XDG_CACHE_HOME": "relative"}) == at_home


def test_the_content_is_the_document(folder):
    """A file holds the document as JSON and nothing else."""
    DiskStore(folder).put(PARTS, DOCUMENT)
    (entry,) = folder.glob("*.json")
    assert json.loads(entry.read_text()) == DOCUMENT
