"""Archives to and from containers: nothing lands elsewhere, nothing goes along that should not."""

from __future__ import annotations

import io
import os
import tarfile

import pytest
from hypothesis import given, strategies as st

from fleece.cli.build import archives
from fleece.cli.build.pulls import percents
from fleece.cli.errors import CommandError


def archive(*members):
    """Return a tar archive of these members, each a name and fields of `tarfile.TarInfo`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, fields in members:
            member = tarfile.TarInfo(name)
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return file.getvalue()


@pytest.mark.parametrize("size", [1, 100, 512, 10_000, 1_000_000])
def test_an_archive_comes_in_pieces_of_any_size(tmp_path, size):
    """What is unpacked does not hang on how it was cut."""
    content = archive(("a", {"type": tarfile.DIRTYPE, "mode": 0o755}), ("a/b", {"size": 3000}), ("c", {"mode": 0o755}))
    chunks = iter([content[start : start + size] for start in range(0, len(content), size)])
    archives.unpack(chunks, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {"a", "a/b", "c"}
    assert (tmp_path / "a" / "b").read_bytes() == bytes(3000)
    assert (tmp_path / "c").stat().st_mode & 0o111
    assert list(chunks) == []


@pytest.mark.parametrize(
    "members",
    [
        [("../outside", {})],
        [("a/../../outside", {})],
        [("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"})],
        [("link", {"type": tarfile.SYMTYPE, "linkname": "../outside"})],
        [("link", {"type": tarfile.SYMTYPE, "linkname": ".."}), ("link/outside", {})],
        [("link", {"type": tarfile.SYMTYPE, "linkname": "other"})],
        [("hard", {"type": tarfile.LNKTYPE, "linkname": "../outside"})],
        [("pipe", {"type": tarfile.FIFOTYPE})],
        [("device", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3})],
    ],
)
def test_nothing_leaves_the_folder(tmp_path, members):
    """Paths, links and devices that could are an error, and nothing is written there."""
    (tmp_path / "inside").mkdir()
    with pytest.raises(CommandError, match="the packages hold something that could leave their folder"):
        archives.unpack(iter([archive(*members)]), tmp_path / "inside")
    assert [path.name for path in tmp_path.rglob("*")] == ["inside"]


def test_it_takes_no_filter_of_tarfile(tmp_path, monkeypatch):
    """Debian 12's Python 3.11.2 has none, and those of many later ones let links through (CVE-2025-4517)."""
    monkeypatch.delattr(tarfile, "data_filter")
    archives.unpack(iter([archive(("a/b", {"size": 3, "mode": 0o4755, "uid": 4711}))]), tmp_path)
    status = (tmp_path / "a" / "b").stat()
    assert (status.st_size, status.st_mode & 0o7777, status.st_uid) == (3, 0o755, os.geteuid())


def test_an_absolute_path_stays_inside(tmp_path):
    """A leading slash is no way out."""
    archives.unpack(iter([archive(("/etc/alpha", {}))]), tmp_path)
    assert (tmp_path / "etc" / "alpha").is_file()


def test_an_archive_that_is_too_large_or_none(tmp_path):
    """More than a function could ever hold is refused before it is written; half an archive is no archive."""
    content = archive(("a", {"size": 5000}))
    with pytest.raises(CommandError, match="the packages are over 0 MB"):
        archives.unpack(iter([content]), tmp_path, largest=4999)
    with pytest.raises(CommandError, match="the packages are over 0 MB"):
        archives.unpack(iter([archive(*((str(number), {}) for number in range(9)))]), tmp_path / "many", largest=8000)
    assert not (tmp_path / "a").exists()
    with pytest.raises(CommandError, match="no whole archive"):
        archives.unpack(iter([content[:3000]]), tmp_path)


def test_what_goes_along_belongs_to_root_and_is_no_noise(tmp_path):
    """Folders go without version control and virtual environments' secrets; links lead where they led."""
    folder = tmp_path / "project"
    for path in ("setup.py", ".git/config", ".env", "pkg/__init__.py", "pkg/__pycache__/x.pyc"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path, encoding="utf-8")
    (tmp_path / "link.txt").symlink_to(folder / "setup.py")
    packed = archives.pack([folder, tmp_path / "link.txt"], {"/fleece/a.txt": "a"}, ["/fleece/b"], tmp_path)
    with packed, tarfile.open(fileobj=packed) as tar:
        members = {member.name: member for member in tar}
        top = str(archives.place_of(tmp_path)).lstrip("/")
        inside = {name.removeprefix(f"{top}/") for name in members}
        link = tar.extractfile(f"{top}/link.txt").read()
    assert inside == {
        *("project", "project/setup.py", "project/pkg", "project/pkg/__init__.py", "link.txt"),
        *("fleece/a.txt", "fleece/b"),
    }
    assert link == b"setup.py"
    assert {(member.uid, member.uname) for member in members.values()} <= {(0, "root"), (0, "")}


EVENTS = st.lists(
    st.fixed_dictionaries(
        {"status": st.sampled_from(["Downloading", "Pull complete", "Pulling fs layer", "Extracting"])},
        optional={
            "id": st.sampled_from("abc"),
            "progressDetail": st.fixed_dictionaries(
                {}, optional={"current": st.integers(0, 99), "total": st.integers(0, 99)}
            ),
        },
    )
)


@given(EVENTS)
def test_a_pulls_percents_go_from_1_to_100(events):
    """Whatever the engine tells, each percent comes once, in order, to the end."""
    assert list(percents(events)) == list(range(1, 101))
