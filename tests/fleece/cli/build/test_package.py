"""The zip and the cache: what is gathered, how it is written, what is kept."""

from __future__ import annotations

import os
import sys
import threading
import time
import zipfile
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from fleece.cli.build import build_info, package
from fleece.cli.build.cache import Cache, default_folder
from fleece.cli.errors import CommandError, UsageError

NAMES = st.lists(st.text("abcé", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@given(files=st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=6), data=st.data())
def test_bytes_do_not_depend_on_order_or_times(files, data, tmp_path_factory):
    """The same files, made in any order at any time, give the same zip, whether packages or source."""
    files = {name: text for name, text in files.items() if not any(other.startswith(f"{name}/") for other in files)}
    written = []
    for _ in range(2):
        root = tmp_path_factory.mktemp("tree")
        for name in data.draw(st.permutations(sorted(files))):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(files[name])
            os.utime(root / name, (data.draw(st.integers(0, 2**31)),) * 2)
        gathered = package.gather(root)
        package.write_packages(gathered, root / "packages.zip")
        package.write_function(
            root / "packages.zip", {f"own/{name}": path for name, path in gathered.items()}, {}, root / "out.zip"
        )
        written.append((root / "out.zip").read_bytes())
        with zipfile.ZipFile(root / "out.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                **files, **{f"own/{name}": text for name, text in files.items()}
            }  # fmt: skip
    assert written[0] == written[1]


def test_links_inside_are_followed(tmp_path):
    """A link to a file or folder of the source is packed as what it links to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.py").touch()
    (tmp_path / "also").symlink_to(tmp_path / "real")
    (tmp_path / "b.py").symlink_to("real/a.py")
    assert list(package.gather(tmp_path)) == ["also/a.py", "b.py", "real/a.py"]


@pytest.mark.parametrize("to", ["../outside.txt", "..", "/etc/hostname"])
def test_links_that_leave_the_source_are_refused(tmp_path, to):
    """What is outside the source does not slip into the zip; the link is named."""
    (tmp_path / "outside.txt").touch()
    root = tmp_path / "src"
    root.mkdir()
    (root / "link").symlink_to(to)
    with pytest.raises(CommandError, match=r"src/link links to something outside of"):
        package.gather(root)
    assert package.gather(root, lambda name: name == "link") == {}


def test_circles_dead_links_and_pipes_are_refused(tmp_path):
    """What cannot be packed is named, and nothing waits or runs in circles."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path / "a")
    with pytest.raises(CommandError, match="a/up links to a folder that it is in"):
        package.gather(tmp_path)
    (tmp_path / "a" / "up").unlink()
    (tmp_path / "a" / "dead").symlink_to("nowhere")
    with pytest.raises(CommandError, match="a/dead links to something that is not there"):
        package.gather(tmp_path)
    (tmp_path / "a" / "dead").unlink()
    (tmp_path / "a" / "itself").symlink_to("itself")
    with pytest.raises(CommandError, match="a/itself links to something that is not there"):
        package.gather(tmp_path)
    (tmp_path / "a" / "itself").unlink()
    os.mkfifo(tmp_path / "a" / "pipe")
    with pytest.raises(CommandError, match="a/pipe is neither a file nor a folder"):
        package.gather(tmp_path)


def test_a_name_that_is_no_text_is_refused(tmp_path):
    """A file name of undecodable bytes is named in an error, and not a traceback."""
    (tmp_path / os.fsdecode(b"caf\xe9.py")).touch()
    with pytest.raises(CommandError, match=r"caf\\udce9\.py' is not UTF-8"):
        package.gather(tmp_path)


def test_entries_taken_out_leave_the_rest_as_it_was(tmp_path):
    """A zip without some entries is the one that had never held them."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "c").chmod(0o755)
    files = package.gather(tmp_path)
    package.write_packages(files, tmp_path / "all.zip")
    package.write_without(tmp_path / "all.zip", frozenset({"b"}), tmp_path / "less.zip")
    package.write_packages({name: path for name, path in files.items() if name != "b"}, tmp_path / "never.zip")
    assert (tmp_path / "less.zip").read_bytes() == (tmp_path / "never.zip").read_bytes()


def zip_of(size):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("x"), b"x" * size)

    return write


def test_the_cache_forgets_the_least_recently_used(tmp_path):
    """Over the limit, the oldest go, but none of the last hour; what killed builds left goes after a day."""
    cache = Cache(tmp_path / "cache", limit=2500)
    for age, key in enumerate(["now", "yesterday", "week"]):
        path = cache.keep(key, zip_of(1000))
        os.utime(path, (time.time() - age * 86400 * 3,) * 2)
    for name, age in (("tmp-old", 2), ("tmp-new", 0)):
        (cache.folder / name).mkdir()
        os.utime(cache.folder / name, (time.time() - age * 86400,) * 2)
    cache.prune()
    assert {path.name.partition("-")[0] for path in cache.folder.glob("*.zip")} == {"now", "yesterday"}
    Cache(cache.folder, limit=0).prune()
    assert [cache.find(key) is not None for key in ("now", "yesterday", "week")] == [True, False, False]
    assert [path.name for path in cache.folder.glob("tmp-*")] == ["tmp-new"]


def test_use_keeps_what_is_old(tmp_path):
    """What a build found counts as used then."""
    cache = Cache(tmp_path, limit=0)
    os.utime(cache.keep("key", zip_of(10)), (0, 0))
    assert cache.find("key") is not None
    cache.prune()
    assert cache.find("key") is not None
    assert cache.find("other") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-30],
        lambda content: content[100:],
        lambda content: content.replace(b"xxxx", b"xxyx", 1),
        lambda _: b"",
    ],
)
def test_a_damaged_file_is_not_found(tmp_path, damage):
    """A zip that is not as it was kept is made anew, and then found."""
    cache = Cache(tmp_path)
    path = cache.keep("key", zip_of(1000))
    path.write_bytes(damage(path.read_bytes()))
    assert cache.find("key") is None
    assert cache.keep("key", zip_of(1000)) == cache.find("key")


def test_the_newest_of_a_key_is_found(tmp_path):
    """What was made anew, and is other packages today, is what the next build takes."""
    cache = Cache(tmp_path)
    for size in (1000, 999):
        os.utime(cache.keep("key", zip_of(size)), (0, 2000 - size))
    with zipfile.ZipFile(cache.find("key")) as archive:
        assert archive.getinfo("x").file_size == 999


@pytest.mark.parametrize("there", ["fleece/build", "fleece"])
def test_a_cache_that_can_be_no_folder(tmp_path, there):
    """A file in the place of the folder, or of one above it, is answered with what to set."""
    place = tmp_path / there
    place.parent.mkdir(exist_ok=True)
    place.touch()
    with pytest.raises(CommandError, match=r"nothing can be kept in the cache \S+/fleece/build .* set XDG_CACHE_HOME"):
        Cache(tmp_path / "fleece" / "build").keep("key", zip_of(1))


@pytest.mark.skipif(os.name != "posix", reason="owners")
def test_a_cache_of_another_users_is_refused(tmp_path, monkeypatch):
    """Who owns the folder could put packages into functions."""
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(CommandError, match=r"belongs to another user: set XDG_CACHE_HOME"):
        Cache(tmp_path).check()


def test_a_note_that_is_no_text_is_another_note(tmp_path):
    """What is kept of an image and damaged leads to a look at the image, and to no fault."""
    cache = Cache(tmp_path)
    cache.keep_note("image", "sha256:00")
    next((tmp_path / "notes").iterdir()).write_bytes(b"\xff")
    assert cache.note("image") not in {None, "sha256:00"}


def test_builds_at_once_see_whole_files(tmp_path):
    """While several write the same key over and over, whoever reads finds a whole zip."""
    cache = Cache(tmp_path)
    cache.keep("key", zip_of(1000))
    writers = [threading.Thread(target=lambda: [cache.keep("key", zip_of(1000)) for _ in range(30)]) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(100):
            found = cache.find("key")
            assert found is not None
            with zipfile.ZipFile(found) as archive:
                assert archive.testzip() is None
    finally:
        for writer in writers:
            writer.join()
    assert list(tmp_path.iterdir()) == [cache.find("key")]


def test_a_write_that_fails_keeps_nothing(tmp_path):
    """Neither the key nor a temporary file is there afterwards, and nobody else may look into the folder."""
    cache = Cache(tmp_path / "cache")

    def fail(path):
        path.write_bytes(b"half")
        raise CommandError("no")

    with pytest.raises(CommandError, match="no"):
        cache.keep("key", fail)
    assert list(cache.folder.iterdir()) == []
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_the_cache_is_where_the_user_keeps_such_things(tmp_path):
    """``XDG_CACHE_HOME`` counts when it is absolute, as its specification says."""
    assert default_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "fleece" / "build"
    assert default_folder({"XDG_CACHE_HOME": "relative"}) == default_folder({})


@pytest.mark.skipif(sys.platform == "win32", reason="homes are found in another way there")
def test_without_a_home_the_message_says_what_to_set(monkeypatch):
    """A user id without a name, as in many containers, has no home; the cache then needs to be told its place."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(UsageError, match="XDG_CACHE_HOME"):
        default_folder({})


def test_build_info_has_the_commit_and_the_time_in_utc():
    """The time is told in UTC to the second, whatever the zone it was taken in."""
    time_there = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert (
        build_info.render(None, "abc", time_there)
        == '{\n  "VERSION_HASH": "abc",\n  "BUILD_TIME": "2026-01-02T01:04:05Z"\n}\n'
    )
    for text in ("[]", "{"):
        with pytest.raises(CommandError, match="no JSON object"):
            build_info.render(text.encode(), "abc", time_there)


def test_the_commit_comes_from_ci_or_git(tmp_path):
    """A CI system's variable comes first; without it and without git the error names one to set."""
    assert build_info.find_commit({"GITHUB_SHA": "a", "CIRCLE_SHA1": "b"}, tmp_path) == "b"
    with pytest.raises(CommandError, match=r"for --inject-build-info \(fatal: not a git repository.*: set GITHUB_SHA"):
        build_info.find_commit({}, tmp_path)
    with pytest.raises(CommandError, match=r"\(.*No such file or directory.*\): set GITHUB_SHA"):
        build_info.find_commit({}, tmp_path / "nowhere")


def test_the_time_is_that_of_source_date_epoch():
    """Seconds since 1970 make builds with build info reproducible; anything else is an error."""
    assert build_info.find_time({"SOURCE_DATE_EPOCH": "0"}) == datetime(1970, 1, 1, tzinfo=timezone.utc)
    for text in ("soon", "9" * 30):
        with pytest.raises(CommandError, match="seconds since 1970"):
            build_info.find_time({"SOURCE_DATE_EPOCH": text})
