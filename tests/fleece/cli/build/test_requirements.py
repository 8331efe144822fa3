"""Which file holds the requirements, and what of it decides what is installed."""

from __future__ import annotations

import json

import pytest

from fleece.cli.build import requirements
from fleece.cli.build.target import target_for
from fleece.cli.errors import CommandError, UsageError

TARGET = target_for("3.12", "x86_64")
HASH = "sha256:" + "0" * 64

PYLOCK = """
lock-version = "1.0"
created-by = "tests"
requires-python = ">=3.11"
dependency-groups = ["dev"]

[[packages]]
name = "alpha"
version = "1.0"
index = "http://127.0.0.1/simple"
[[packages.wheels]]
name = "alpha-1.0-py3-none-any.whl"
url = "http://127.0.0.1/alpha-1.0-py3-none-any.whl"
hashes = {sha256 = "00"}

[[packages]]
name = "windows-only"
version = "1.0"
marker = "sys_platform == 'win32'"
[[packages.wheels]]
url = "http://127.0.0.1/windows_only-1.0-py3-none-any.whl"
hashes = {sha256 = "00"}

[[packages]]
name = "testing"
version = "1.0"
marker = "'dev' in dependency_groups"
[[packages.wheels]]
url = "http://127.0.0.1/testing-1.0-py3-none-any.whl"
hashes = {sha256 = "00"}

[[packages]]
name = "local"
[packages.directory]
path = "./local"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "src").mkdir()
    return tmp_path


def test_requirements_txt_comes_before_locks(folder):
    """``src/requirements.txt`` wins over a Pipfile.lock, and this over a pylock.toml."""
    for path in (folder / "pylock.toml", folder / "Pipfile.lock", folder / "src" / "requirements.txt"):
        path.write_text("", encoding="utf-8")
        assert requirements.find(folder, folder / "src") == path


def test_requirements_beside_another_source_are_found(folder):
    """With ``--source``, the file may stand there."""
    (folder / "lambda").mkdir()
    (folder / "lambda" / "requirements.txt").write_text("", encoding="utf-8")
    assert requirements.find(folder, folder / "lambda") == folder / "lambda" / "requirements.txt"


@pytest.mark.parametrize(("name", "command"), [("poetry.lock", "poetry export"), ("uv.lock", "uv export")])
def test_foreign_locks_are_answered_with_their_export(folder, name, command):
    """A lock that fleece does not read is named, with the command that makes one that it does."""
    (folder / name).write_text("", encoding="utf-8")
    command = f"{command} --project {folder}"
    with pytest.raises(CommandError, match=f"{name} is not read by fleece: `{command} .*{folder}/pylock.toml`.* makes"):
        requirements.find(folder, folder / "src")
    with pytest.raises(CommandError, match=command):
        requirements.read(folder / name, TARGET, {})


def test_no_requirements_at_all(folder):
    """Where there are none, the message says what was looked for."""
    with pytest.raises(CommandError, match=r"neither .*src/requirements\.txt nor a Pipfile\.lock or pylock\.toml"):
        requirements.find(folder, folder / "src")
    with pytest.raises(UsageError, match="pipenv lock"):
        requirements.find_pipfile_lock(folder)


def test_nested_files_and_local_paths_count(folder, monkeypatch):
    """What ``-r`` and ``-c`` name is read as well, once; files and folders that packages come from are known."""
    monkeypatch.chdir(folder)
    (folder / "vendor").mkdir()
    (folder / "beta-1.0-py3-none-any.whl").touch()
    source = folder / "src"
    (source / "requirements.txt").write_text(
        "# all\n-r more.txt\n--constraint=limits.txt  # bounds\nalpha==1.0 \\\n  --hash=sha256:00\n"
        f"beta @ {(folder / 'beta-1.0-py3-none-any.whl').as_uri()} ; python_version > '3'\n-e ./vendor[extra]\n",
        encoding="utf-8",
    )
    (source / "more.txt").write_text("-r requirements.txt\ngamma\n", encoding="utf-8")
    (source / "limits.txt").write_text("gamma<2\n", encoding="utf-8")
    read = requirements.read(source / "requirements.txt", TARGET, {})
    assert [path.name for path in read.files] == ["requirements.txt", "more.txt", "limits.txt"]
    assert [path.name for path in read.local] == ["beta-1.0-py3-none-any.whl", "vendor"]
    assert [batch.file for batch in read.batches] == [source / "requirements.txt"]
    assert not read.has_options


def test_variables_count_for_what_they_stand_for(folder, monkeypatch):
    """Pip puts them in for ``${NAME}`` before it looks at a line; one that is not set, or empty, stays."""
    monkeypatch.chdir(folder)
    (folder / "vendor").mkdir()
    path = folder / "src" / "requirements.txt"
    path.write_text("-r ${MORE}.txt\n--find-links ${VENDOR}\n", encoding="utf-8")
    (folder / "src" / "more.txt").write_text("-r ${FAR}\n", encoding="utf-8")
    variables = {"MORE": "more", "VENDOR": str(folder / "vendor"), "FAR": "http://127.0.0.1/requirements.txt"}
    read = requirements.read(path, TARGET, variables)
    assert [one.name for one in read.files] == ["requirements.txt", "more.txt"]
    assert read.local == (folder / "vendor",)
    assert [batch.file for batch in read.batches] == [path]
    with pytest.raises(CommandError, match=r"no requirements file \S+/\$\{MORE\}\.txt, which "):
        requirements.read(path, TARGET, {**variables, "MORE": ""})


def test_a_nested_file_that_is_not_there_is_named_with_the_one_that_names_it(folder):
    """What is missing is found in the file that asks for it."""
    path = folder / "src" / "requirements.txt"
    path.write_text("-r more.txt\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"^no requirements file \S+/more\.txt, which \S+/requirements\.txt names$"):
        requirements.read(path, TARGET, {})


def test_a_nested_file_elsewhere_is_left_to_pip(folder):
    """A file that names nothing but another one on a server asks for what is in that."""
    path = folder / "src" / "requirements.txt"
    path.write_text("-r http://127.0.0.1/requirements.txt\n", encoding="utf-8")
    assert [batch.file for batch in requirements.read(path, TARGET, {}).batches] == [path]


@pytest.mark.parametrize("text", ["", "# nothing\n\n", "--no-index\n"])
def test_nothing_asked_for_installs_nothing(folder, text):
    """An empty file is a service without packages."""
    path = folder / "src" / "requirements.txt"
    path.write_text(text, encoding="utf-8")
    read = requirements.read(path, TARGET, {})
    assert read.batches == ()
    assert read.has_options is (text == "--no-index\n")


def test_a_file_that_is_not_there_or_not_text(folder):
    """Both are one-line errors that name the file."""
    path = folder / "src" / "requirements.txt"
    with pytest.raises(CommandError, match=r"no requirements file .*requirements\.txt"):
        requirements.read(path, TARGET, {})
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(CommandError, match=r"is not UTF-8 text \(byte 3\)"):
        requirements.read(path, TARGET, {})


def test_a_pipfile_lock_keeps_versions_hashes_markers_and_extras(folder):
    """Packages with hashes and those that cannot have any are installed apart; none is resolved again."""
    lock = {
        "_meta": {
            "sources": [{"name": "main", "url": "http://${USER}@127.0.0.1/simple"}, {"url": "http://127.0.0.1/more"}],
            "requires": {"python_version": "3.12"},
        },
        "default": {
            "alpha": {
                "version": "==1.0",
                "hashes": [HASH, "md5:00"],
                "markers": "python_version >= '3.8'",
                "extras": ["x"],
            },
            "repo": {"git": "ssh://git@127.0.0.1/repo.git", "ref": "abc", "subdirectory": "py"},
            "near": {"path": "./near"},
        },
        "develop": {"pytest": {"version": "==9.0"}},
    }
    path = folder / "Pipfile.lock"
    path.write_text(json.dumps(lock), encoding="utf-8")
    read = requirements.read(path, TARGET, {})
    hashed, plain = read.batches
    assert hashed.text == f"alpha[x]==1.0 ; python_version >= '3.8' --hash={HASH}\n"
    assert plain.text.splitlines()[1] == "repo @ git+ssh://git@127.0.0.1/repo.git@abc#subdirectory=py"
    # Beside the lock, wherever the build was started.
    assert plain.text.splitlines()[0] == f"near @ {(folder / 'near').as_uri()}"
    assert hashed.complete
    assert plain.complete
    assert read.indexes == ("http://${USER}@127.0.0.1/simple", "http://127.0.0.1/more")
    assert read.warnings == ()
    assert [one.resolve() for one in read.local] == [(folder / "near").resolve()]
    other = requirements.read(path, target_for("3.13", "x86_64"), {})
    assert other.warnings == (f"{path} was locked for Python 3.12, and this build is for 3.13: pass --python 3.12",)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"_meta": {}, "default": []}', '{"_meta": {}, "default": {"a": {}}}', "{", "[" * 100_000),
        '{"_meta": {}, "default": {"a": {"version": "==1\\n--index-url http://127.0.0.1"}}}',
        '{"_meta": {}, "default": {"a": {"version": "==1", "hashes": ["sha256:0\\n--pre"]}}}',
        '{"_meta": {}, "default": {"a": {"version": "==1", "hashes": ["md5:00"]}}}',
        '{"_meta": {}, "default": {"a": {"version": "==1", "hashes": "sha256:00"}}}',
    ],
)
def test_a_pipfile_lock_that_is_none(folder, text):
    """Anything else is a one-line error, whatever is wrong with it."""
    (folder / "Pipfile.lock").write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="is not a lock file of pipenv's"):
        requirements.read(folder / "Pipfile.lock", TARGET, {})


def test_a_pylock_selects_for_the_target(folder):
    """Markers, groups and Python are those of the target; hashes and the index are kept."""
    path = folder / "pylock.toml"
    path.write_text(PYLOCK, encoding="utf-8")
    read = requirements.read(path, TARGET, {})
    hashed, plain = read.batches
    assert hashed.text == "alpha==1.0 --hash=sha256:00\n"
    assert plain.text == f"local @ {(folder / 'local').as_uri()}\n"
    assert read.indexes == ("http://127.0.0.1/simple",)
    assert read.local == (folder / "local",)
    with pytest.raises(CommandError, match=r"pylock\.toml has no packages for Python 3\.10 on x86_64"):
        requirements.read(path, target_for("3.10", "x86_64"), {})


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "lock-version = '1.0'",
            "[",
            "a = " + "[" * 100_000,
            "lock-version = '9.0'\ncreated-by = 'x'\npackages = []",
        ),
        PYLOCK.replace('sha256 = "00"', 'sha256 = "00\\n--pre"'),
        PYLOCK.replace("sha256", "md5"),
    ],
)
def test_a_pylock_that_is_none(folder, text):
    """What is not PEP 751's is a one-line error."""
    (folder / "pylock.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="is not a lock file that fleece can read"):
        requirements.read(folder / "pylock.toml", TARGET, {})


def test_a_pylock_takes_files_that_are_beside_it(folder):
    """A wheel without an address of its own, or without a version, is installed from where it is, hash and all."""
    path = folder / "pylock.toml"
    wheel = "alpha-1.0-py3-none-any.whl"
    for place, url in (
        (f'path = "vendor/{wheel}"', (folder / "vendor" / wheel).as_uri()),
        (f'url = "http://127.0.0.1/{wheel}"', f"http://127.0.0.1/{wheel}"),
    ):
        text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\n[[packages.wheels]]\n{place}\n'
        path.write_text(f'{text}hashes = {{sha256 = "00"}}\n', encoding="utf-8")
        read = requirements.read(path, TARGET, {})
        assert [batch.text for batch in read.batches] == [f"alpha @ {url} --hash=sha256:00\n"]
        assert read.local == ((folder / "vendor" / wheel,) if "path" in place else ())


def test_what_is_wrong_in_a_lock_is_told_without_its_urls(folder):
    """A URL that cannot be used may hold credentials, and is shown neither in the message nor in its causes."""
    path = folder / "pylock.toml"
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\n[packages.archive]\n'
    path.write_text(f'{text}url = "http://user:hunter2@127.0.0.1/\\n"\nhashes = {{sha256 = "00"}}\n', encoding="utf-8")
    with pytest.raises(CommandError, match="'alpha' contains an invalid character") as caught:
        requirements.read(path, TARGET, {})
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"
