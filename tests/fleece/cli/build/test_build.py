"""``fleece build --no-docker`` from a service's folder to the zip, with real pip and real wheels."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

import pytest

import fleece.cli.build
from fleece.cli.build import plan
from fleece_testing._http import LoopbackServer

CACHE_TAG = sys.implementation.cache_tag
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = "3.13" if sys.version_info[:2] != (3, 13) else "3.12"


def test_the_zip_holds_source_and_packages_and_its_path_is_printed(build, wheels, service, entries, monkeypatch):
    """A build prints the zip's path on stdout, tells the rest on stderr, and packs source and packages."""
    monkeypatch.setenv("PIP_PREFIX", "elsewhere")
    wheels("alpha", requires=["beta"])
    wheels("beta")
    folder = service("users", "alpha==1.0\n")
    outcome = build(folder)
    assert outcome.exit_code == 0
    assert outcome.stdout == f"{folder}/dist/lambda_function.zip\n"
    assert "packages installed" in outcome.stderr
    assert {"handler.py", "alpha.py", "beta.py", f"__pycache__/alpha.{CACHE_TAG}.pyc"} <= set(entries(folder))


def test_same_input_same_bytes_whatever_folder_umask_and_times(build, wheels, service, tmp_path, monkeypatch):
    """Two builds of the same content in other folders, under another umask, at other times, agree in every byte."""
    wheels(
        "alpha", entry_points="[console_scripts]\nalpha = alpha:main\n", extra={"scripts/tool": "#!python\nprint(1)\n"}
    )
    one, two = service("one", "alpha\n"), service("deeper/two", "alpha\n")
    script = two / "src" / "handler.py"
    os.utime(script, (1, 1))
    assert build(one).exit_code == 0
    before = os.umask(0o077)
    try:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another cache"))
        assert build(two).exit_code == 0
    finally:
        os.umask(before)
    assert (one / "dist" / "lambda_function.zip").read_bytes() == (two / "dist" / "lambda_function.zip").read_bytes()


NOBODY = 65534

CAP_DAC_READ_SEARCH = 2


def as_nobody():
    """Return what runs a command as another user: who may write nothing of ours, and read all that we may.

    The tests' own Python may be in a home folder that is root's alone.
    """
    held = int(re.search(r"CapEff:\s*(\w+)", Path("/proc/self/status").read_text(encoding="utf-8"))[1], 16)
    kept = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"]
    rights = kept if held >> CAP_DAC_READ_SEARCH & 1 else []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *rights]


@pytest.fixture
def home():
    """Give a folder that is open to all, to be another user's home."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_makes_the_same_bytes(build, wheels, service, home, monkeypatch):
    """Who builds, in which home folder and language, with which rights on the files, does not show."""
    wheels("alpha", files={"alpha/__init__.py": "x = {1, 2, 'a'}\n"}, extra={"scripts/tool": "#!python\nprint(1)\n"})
    mine = service("mine", "alpha\n")
    assert build(mine).exit_code == 0
    shutil.copytree(mine / "src", home / "theirs" / "src")
    for path in (home, *home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o400)
        os.chown(path, NOBODY, NOBODY)
    for name, value in {"HOME": home, "XDG_CACHE_HOME": home / "cache", "LC_ALL": "C", "USER": "nobody"}.items():
        monkeypatch.setenv(name, str(value))
    command = [*as_nobody(), sys.executable, "-m", "fleece", "build", "--no-docker", "--python", RUNNING, "theirs"]
    finished = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, umask=0o077)
    assert finished.returncode == 0, finished.stderr
    theirs = home / "theirs" / "dist" / "lambda_function.zip"
    assert theirs.stat().st_uid == NOBODY
    assert theirs.read_bytes() == (mine / "dist" / "lambda_function.zip").read_bytes()
    assert (home / "cache" / "fleece" / "build").stat().st_mode & 0o777 == 0o700


def test_entries_are_sorted_with_fixed_times_and_two_modes(build, wheels, service):
    """Entries carry the first time of zips, the modes 0644 or 0755, and come in order, packages first."""
    wheels("beta")
    wheels("alpha", extra={"scripts/tool": "#!python\nprint(1)\n"})
    folder = service("users", "alpha\nbeta\n", {"z.py": "", "run.sh": "", "a/b.py": ""})
    (folder / "src" / "run.sh").chmod(0o700)
    assert build(folder, "--no-compile").exit_code == 0
    with zipfile.ZipFile(folder / "dist" / "lambda_function.zip") as archive:
        infos = archive.infolist()
    names = [info.filename for info in infos]
    own = ["a/b.py", "requirements.txt", "run.sh", "z.py"]
    assert names == [*sorted(set(names) - set(own)), *own]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    modes = {info.filename: info.external_attr >> 16 & 0o7777 for info in infos}
    assert {name for name, mode in modes.items() if mode == 0o755} == {"bin/tool", "run.sh"}
    assert set(modes.values()) == {0o644, 0o755}


def test_an_unchanged_build_installs_nothing(build, wheels, service):
    """The second build takes the packages from the cache, also for another service, and makes the same zip."""
    wheels("alpha")
    one, two = service("one", "alpha\n"), service("two", "alpha\n")
    assert build(one).exit_code == 0
    first = (one / "dist" / "lambda_function.zip").read_bytes()
    for folder in (one, two):
        again = build(folder)
        assert "packages from the cache" in again.stderr
        assert "Processing" not in again.stderr
        assert (folder / "dist" / "lambda_function.zip").read_bytes() == first
    assert "Processing" in build(one, "--rebuild").stderr


def test_a_wheel_that_changed_in_place_is_installed_anew(build, wheels, service, entries):
    """A wheel of the same name and version with other content, in a folder of wheels, is no unchanged build."""
    wheels("alpha", files={"alpha.py": "old = 1\n"})
    folder = service("users", "alpha==1.0\n")
    assert build(folder).exit_code == 0
    wheels("alpha", files={"alpha.py": "newer = 2\n"})
    assert build(folder).exit_code == 0
    assert entries(folder)["alpha.py"] == b"newer = 2\n"


def test_another_value_of_a_variable_is_no_unchanged_build(build, wheels, service, entries, monkeypatch):
    """What pip puts in for ``${NAME}`` in requirements decides which packages there are."""
    wheels("alpha")
    wheels("beta")
    folder = service("users", "${FLEECE_TEST_NAME}\n")
    for name in ("alpha", "beta"):
        monkeypatch.setenv("FLEECE_TEST_NAME", name)
        assert build(folder, "--no-compile").exit_code == 0
        assert f"{name}.py" in entries(folder)


def test_only_packages_are_compiled_and_bytecode_is_not_checked(build, wheels, service, entries):
    """Packages come with unchecked hash-based bytecode that names Lambda's paths; the source comes without."""
    wheels("alpha", files={"alpha/__init__.py": "x = 1\n", "alpha/template.py": "not python {{ at all }}\n"})
    folder = service("users", "alpha\n")
    assert build(folder).exit_code == 0
    packed = entries(folder)
    bytecode = packed[f"alpha/__pycache__/__init__.{CACHE_TAG}.pyc"]
    assert bytecode[:4] == importlib.util.MAGIC_NUMBER
    assert bytecode[4:8] == b"\x01\0\0\0"  # PEP 552: hash-based, not to be checked
    assert b"/var/task/alpha/__init__.py" in bytecode
    assert [name for name in packed if name.endswith(".pyc")] == [f"alpha/__pycache__/__init__.{CACHE_TAG}.pyc"]
    assert build(folder, "--no-compile").exit_code == 0
    assert not [name for name in entries(folder) if name.endswith(".pyc")]


def test_the_source_goes_over_packages_bytecode_included(build, wheels, service, entries):
    """A file that the source has of its own takes the place of a package's, whose bytecode would hide it."""
    wheels("alpha", files={"alpha/__init__.py": "", "alpha/settings.py": "theirs = 1\n"})
    folder = service("users", "alpha\n", {"alpha/settings.py": "mine = 1\n"})
    for _ in range(2):  # the second time from the cache
        assert build(folder).exit_code == 0
        packed = entries(folder)
        assert packed["alpha/settings.py"] == b"mine = 1\n"
        assert f"alpha/__pycache__/settings.{CACHE_TAG}.pyc" not in packed
        assert f"alpha/__pycache__/__init__.{CACHE_TAG}.pyc" in packed


def test_excluded_words_up_to_the_next_option(build, wheels, service, entries):
    """``-e a b c`` leaves out what matches in source and packages, without installing again."""
    wheels("alpha", files={"alpha/__init__.py": "", "alpha/tests/test_a.py": ""})
    folder = service("users", "alpha\n", {"handler.py": "", "notes.md": "", "data/big.bin": ""})
    assert build(folder).exit_code == 0
    outcome = build("-e", "*.md", "data", "*/tests", "--", folder)
    assert "packages from the cache" in outcome.stderr
    packed = set(entries(folder))
    assert {"handler.py", "alpha/__init__.py"} <= packed
    assert not {name for name in packed if "tests" in name or name == "notes.md" or name.startswith("data")}


def test_a_service_among_the_excluded_words_is_told(build, service, monkeypatch):
    """A service that stands after ``--exclude`` is a pattern, as in 1.2.1; who has not meant that is told."""
    folder = service("users", "", {"handler.py": ""})
    monkeypatch.chdir(service("here", "", {"handler.py": ""}))
    told = f"Warning: {folder} is taken for a pattern to leave out, as all words after --exclude: put -- before it"
    assert told in build("--exclude", "*.md", folder).stderr
    assert "Warning: " not in build("--exclude", folder, "--", ".").stderr


def test_what_no_function_needs_stays_out(build, service, entries):
    """Version control, ``.env``, virtual environments, caches and the zip itself are left out unasked."""
    files = {
        ".git/config": "",
        ".env": "KEY=1",
        "env/pyvenv.cfg": "",
        "env/x.py": "",
        "__pycache__/a.pyc": "",
        "a.py": "",
    }
    folder = service("users", "", files)
    for _ in range(2):
        assert build(folder, "--source", folder / "src", "--target", folder / "src").exit_code == 0
    assert set(entries(folder / "src" / "lambda_function.zip")) == {"a.py", "requirements.txt"}


def test_importlib_metadata_works_and_scripts_run(build, wheels, service, tmp_path):
    """Metadata tell the truth about what is in the zip, and scripts start the ``python3`` on PATH."""
    wheels(
        "alpha",
        files={"alpha.py": "def main():\n    print('ran')\n"},
        entry_points="[console_scripts]\nalpha-run = alpha:main\n",
        extra={"scripts/tool": "#!python\nprint('tool')\n", "data/share/alpha.txt": "", "headers/alpha.h": ""},
    )
    folder = service("users", "alpha\n")
    assert build(folder).exit_code == 0
    with zipfile.ZipFile(folder / "dist" / "lambda_function.zip") as archive:
        archive.extractall(tmp_path / "task")
    task = tmp_path / "task"
    look = (
        "import importlib.metadata as m; d = m.distribution('alpha'); print(d.version);"
        "assert all(f.locate().exists() for f in d.files); print(*sorted(map(str, d.files)))"
    )
    done = subprocess.run([sys.executable, "-c", look], cwd=task, capture_output=True, text=True, check=True)
    info = "alpha-1.0.dist-info"
    listed = [f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")]
    assert done.stdout.split() == ["1.0", *listed, "alpha.py", "bin/alpha-run", "bin/tool", "share/alpha.txt"]
    for script, answer in (("alpha-run", "ran"), ("tool", "tool")):
        text = (task / "bin" / script).read_text(encoding="utf-8")
        assert text.startswith("#!/usr/bin/env python3\n")
        assert sys.prefix not in text
        ran = subprocess.run(
            [sys.executable, f"bin/{script}"],
            cwd=task,
            env={"PYTHONPATH": str(task)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == f"{answer}\n"


def test_conditions_hold_for_the_target_and_not_for_this_python(build, wheels, service, entries):
    """Markers on requirements see the function's Python and machine, and not the builder's."""
    wheels("alpha", requires=[f'old ; python_version < "{OTHER}"', f'new ; python_version >= "{OTHER}"'])
    wheels("old", requires=["missing"])
    wheels("new", requires=['arm ; platform_machine == "aarch64"', 'mac ; sys_platform == "darwin"'])
    wheels("arm")
    folder = service("users", "alpha\n")
    assert build(folder, "--architecture", "arm64", "--no-compile", python=OTHER).exit_code == 0
    assert {name for name in entries(folder) if "/" not in name} == {
        "alpha.py",
        "new.py",
        "arm.py",
        "handler.py",
        "requirements.txt",
    }


def test_requires_python_is_for_the_target_and_not_for_this_python(build, wheels, service, entries):
    """Of several versions, one that the target's Python can run is chosen, whatever runs the build."""
    wheels("alpha", "1.0", python=f"=={OTHER}.*")
    wheels("alpha", "2.0", python=f"=={RUNNING}.*")
    folder = service("users", "alpha\n")
    assert build(folder, "--no-compile", python=OTHER).exit_code == 0
    assert entries(folder)["alpha.py"] == b"version = '1.0'\n"


def test_the_newest_python_is_the_default(build, wheels, service, entries):
    """Without --python, wheels for the newest runtime are chosen."""
    wheels("alpha", "1.0", tag="cp314-cp314-manylinux_2_34_x86_64")
    wheels("alpha", "2.0", tag="cp313-cp313-manylinux_2_34_x86_64")
    folder = service("users", "alpha\n")
    assert build(folder, "--no-compile", python=None).exit_code == 0
    assert entries(folder)["alpha.py"] == b"version = '1.0'\n"


def test_without_an_interpreter_of_the_target_bytecode_is_left_out_and_that_is_said(
    build, wheels, service, entries, monkeypatch
):
    """Where nothing can compile for the target, the packages are built without bytecode, with a warning."""
    wheels("alpha")
    monkeypatch.setenv("PATH", "")
    folder = service("users", "alpha\n")
    outcome = build(folder, python=OTHER)
    assert outcome.exit_code == 0
    assert f"Warning: no Python {OTHER} on this machine" in outcome.stderr
    assert {name for name in entries(folder) if name.startswith(("alpha.py", "__pycache__"))} == {"alpha.py"}


def test_a_package_without_a_wheel_is_named_with_the_hint_to_use_docker(build, wheels, service):
    """A package that has no wheel for the target fails the build: pip's reason, the package, and what to do."""
    wheels("alpha", tag="cp27-cp27mu-manylinux1_x86_64")
    folder = service("users", "alpha==1.0\n")
    outcome = build(folder)
    assert outcome.exit_code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert "No matching distribution found for alpha==1.0" in last
    assert "leave out --no-docker" in last
    assert not (folder / "dist").exists()


def test_a_wheel_that_was_built_for_another_machine_is_refused(build, wheels, service):
    """A package whose own tags do not suit the runtime, however it got in, is named."""
    path = wheels("alpha", tag="cp312-cp312-manylinux_2_39_x86_64")
    path.rename(path.with_name("alpha-1.0-py3-none-any.whl"))
    outcome = build(service("users", "alpha\n"), "--no-compile", python="3.12")
    assert outcome.exit_code == 1
    assert "alpha 1.0 (it needs glibc 2.39, and Lambda's 3.12 has 2.34)" in outcome.stderr


def test_a_failed_build_leaves_the_previous_zip(build, wheels, service):
    """The zip that is there stays until a new one is whole."""
    wheels("alpha")
    folder = service("users", "alpha\n")
    assert build(folder).exit_code == 0
    before = (folder / "dist" / "lambda_function.zip").read_bytes()
    (folder / "src" / "handler.py").write_text("changed = 1\n", encoding="utf-8")
    (folder / "src" / "requirements.txt").write_text("nowhere\n", encoding="utf-8")
    assert build(folder).exit_code == 1
    assert (folder / "dist" / "lambda_function.zip").read_bytes() == before
    assert [path.name for path in (folder / "dist").iterdir()] == ["lambda_function.zip"]


def test_a_package_over_lambdas_limit_is_refused_with_the_largest_named(build, service):
    """Above 250 MB unpacked there is no zip, and the largest parts are named."""
    folder = service("users", "", {"handler.py": ""})
    with (folder / "src" / "model.bin").open("wb") as file:
        file.truncate(250 * 1024**2 + 1)
    outcome = build(folder)
    assert outcome.exit_code == 1
    assert "Lambda takes 250.0 MB; the largest parts: model.bin 250.0 MB" in outcome.stderr
    assert not (folder / "dist").exists()


def test_a_zip_that_cannot_be_uploaded_directly_is_told_of(build, service, monkeypatch):
    """Above 50 MB the zip is written, with the warning that it has to go through S3."""
    monkeypatch.setattr(plan, "DIRECT_LIMIT", 1000)
    folder = service("users", "", {"handler.py": "", "model.bin": random.Random(1).randbytes(1000).hex()})
    outcome = build(folder)
    zipped = folder / "dist" / "lambda_function.zip"
    assert outcome.exit_code == 0
    assert re.search(
        rf"Warning: {zipped} is \d\.\d KB: upload it through S3, as Lambda takes 1\.0 KB directly\n", outcome.stderr
    )
    (folder / "src" / "model.bin").unlink()
    assert "through S3" not in build(folder).stderr


def test_credentials_in_urls_reach_the_index_and_nothing_else(build, wheels, service, entries, index, monkeypatch):
    """A secret in an index URL opens the index, and is in no output, no cached file and not in the zip."""
    wheels("alpha")
    monkeypatch.delenv("PIP_NO_INDEX")
    secrets = ("s3cr3t-t0ken", "an0ther-t0ken", "qu3ry-t0ken")
    folder = service("users", "alpha\n")
    with index() as (address, sent):
        monkeypatch.setenv("PIP_FIND_LINKS", f"http://user:{secrets[0]}@{address}/links?token={secrets[2]}")
        (folder / "src" / "requirements-more.txt").write_text(
            f"--find-links http://{address}/links?token={secrets[2]}\n", encoding="utf-8"
        )
        for secret, packages in zip(secrets[:2], ("packages installed", "packages from the cache"), strict=True):
            monkeypatch.setenv("PIP_INDEX_URL", f"http://user:{secret}@{address}/simple")
            (folder / "src" / "requirements-dev.txt").write_text(
                f"--index-url http://{secret}@{address}/simple\n", encoding="utf-8"
            )
            outcome = build(folder)
            assert outcome.exit_code == 0
            assert packages in outcome.stderr
            for name in ("requirements-dev.txt", "requirements-more.txt"):
                assert f"{name} is left out of the zip" in outcome.stderr
                assert name not in entries(folder)
            assert not any(one in outcome.stdout + outcome.stderr for one in secrets)
    assert "Basic " + base64.b64encode(f"user:{secrets[0]}".encode()).decode() in sent
    kept = [path for path in Path("cache").rglob("*") if path.is_file()]
    zips = [path for path in (*kept, folder / "dist" / "lambda_function.zip") if path.suffix == ".zip"]
    contents = [path.read_bytes() for path in kept] + [text for path in zips for text in entries(path).values()]
    assert contents.count(b"version = '1.0'\n") == 2
    assert not any(one.encode() in content for content in contents for one in secrets)


def test_several_services_side_by_side_and_one_that_fails(build, wheels, service):
    """Each service gets its zip, packages that they share are installed once, and a failure stops no other."""
    wheels("alpha")
    folders = [service("one", "alpha\n"), service("two", "alpha\n"), service("bad", "nowhere\n")]
    outcome = build(*folders)
    assert outcome.exit_code == 1
    assert outcome.stdout.splitlines() == [f"{folder}/dist/lambda_function.zip" for folder in folders[:2]]
    assert outcome.stderr.count("Successfully installed alpha") == 1
    assert "1 of 3 services were not built" in outcome.stderr


def test_build_info_is_added_to_the_sources_own_config(build, service, entries, monkeypatch):
    """``config.json`` keeps its keys and gets VERSION_HASH and BUILD_TIME."""
    monkeypatch.setenv("GITHUB_SHA", "c0ffee")
    monkeypatch.delenv("CIRCLE_SHA1", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    folder = service("users", "", {"config.json": '{"level": "info"}'})
    assert build(folder, "--inject-build-info").exit_code == 0
    expected = b'{\n  "level": "info",\n  "VERSION_HASH": "c0ffee",\n  "BUILD_TIME": "1970-01-02T00:00:00Z"\n}\n'
    assert entries(folder)["config.json"] == expected


@pytest.mark.parametrize("content", [b"\xff", b"[" * 100_000, b"[]"])
def test_build_info_wants_a_config_that_it_can_add_to(build, service, content, monkeypatch):
    """A ``config.json`` of the source that is no JSON object is told of, and no zip written."""
    monkeypatch.setenv("GITHUB_SHA", "c0ffee")
    folder = service("users", "")
    (folder / "src" / "config.json").write_bytes(content)
    outcome = build(folder, "--inject-build-info")
    assert outcome.exit_code == 1
    assert "config.json of the source is no JSON object" in outcome.stderr
    assert not (folder / "dist").exists()


def test_a_pipfile_lock_is_installed_with_its_hashes(build, wheels, service, entries):
    """``-p FOLDER`` installs what the lock names and no more, and refuses a wheel of another hash."""
    path = wheels("alpha", requires=["missing"])
    folder = service("users")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for hashed, code in ((digest, 0), ("0" * 64, 1)):
        lock = {"_meta": {}, "default": {"alpha": {"version": "==1.0", "hashes": [f"sha256:{hashed}"]}}, "develop": {}}
        (folder / "Pipfile.lock").write_text(json.dumps(lock), encoding="utf-8")
        outcome = build(folder, "-p", folder)
        assert outcome.exit_code == code
    assert "alpha.py" in entries(folder)
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in outcome.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is one of Unix")
def test_a_disk_that_is_full_leaves_the_previous_zip(build, wheels, service):
    """A zip that cannot be written is told by its own name; the one before stays, and nothing else does."""
    wheels("alpha", files={"alpha.py": "".join(f"x{number} = {hash(str(number))}\n" for number in range(9999))})
    folder = service("users", "alpha\n")
    assert build(folder).exit_code == 0
    before = (folder / "dist" / "lambda_function.zip").read_bytes()
    # The limit is to one file what a full disk is to all.
    limited = (
        "import resource, sys; from fleece.cli.main import main; resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9));"
    )
    command = [sys.executable, "-c", f"{limited} main(sys.argv[1:])", "build", "--no-docker", "--python", RUNNING]
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"Error: {folder}/dist/lambda_function.zip: File too large")
    assert [path.name for path in (folder / "dist").iterdir()] == ["lambda_function.zip"]
    assert (folder / "dist" / "lambda_function.zip").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="modes and owners")
def test_a_cache_that_others_can_write_to_is_refused(build, wheels, service):
    """Who can write there could put packages into functions: nothing is built from it."""
    wheels("alpha")
    folder = service("users", "alpha\n")
    assert build(folder).exit_code == 0
    for mode in (0o720, 0o702):
        Path("cache/fleece/build").chmod(mode)
        outcome = build(folder)
        assert outcome.exit_code == 1
        assert "others can write to the cache" in outcome.stderr
        assert "`chmod go-w " in outcome.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_build_leaves_the_previous_zip_and_nothing_else(number, offline, service, tmp_path):
    """SIGTERM, Ctrl-C and a closed terminal end the build with pip in mid-work; the old zip stays, and nothing else."""
    folder = service("users", "alpha\n")
    (folder / "dist").mkdir()
    (folder / "dist" / "lambda_function.zip").write_bytes(b"previous")
    asked, answer = threading.Event(), threading.Event()

    def stall(environ, start_response):
        asked.set()
        answer.wait(30)
        start_response("404 Not Found", [("Content-Length", "0")])
        return []

    with LoopbackServer(stall) as index:
        environment = {**os.environ, "PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "0", "TMPDIR": str(tmp_path / "tmp")}
        (tmp_path / "tmp").mkdir()
        command = [sys.executable, "-m", "fleece", "build", "--no-docker", str(folder)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as child:
            assert asked.wait(30)
            child.send_signal(number)
            _, stderr = child.communicate(timeout=30)
        answer.set()
    assert child.returncode == 128 + number
    assert "Traceback" not in stderr
    assert [(path.name, path.read_bytes()) for path in (folder / "dist").iterdir()] == [
        ("lambda_function.zip", b"previous")
    ]
    assert list((tmp_path / "cache" / "fleece" / "build").iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_uv_and_pip_make_the_same_bytes(build, wheels, service, monkeypatch, tmp_path):
    """Whichever of the two installs, the zip is the same."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    assert uv is not None, "uv is in the dependency group 'test'"
    wheels(
        "alpha",
        files={"alpha/__init__.py": "", "alpha/core.py": "def main():\n    pass\n"},
        requires=["beta>=1"],
        entry_points="[console_scripts]\nalpha-run = alpha.core:main\n",
        extra={"scripts/tool": "#!python\nprint(1)\n", "data/share/alpha.txt": "x", "headers/alpha.h": "x"},
    )
    wheels("beta")
    folder = service("users", "alpha\n")
    arguments = (folder, "--rebuild", "--no-compile")
    by_pip = build(*arguments, python="3.12")
    assert by_pip.exit_code == 0
    first = (folder / "dist" / "lambda_function.zip").read_bytes()
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels.folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PATH", f"{Path(uv).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    by_uv = build(*arguments, python="3.12")
    assert by_uv.exit_code == 0, by_uv.stderr
    assert "+ alpha==1.0" in by_uv.stderr
    assert (folder / "dist" / "lambda_function.zip").read_bytes() == first


def test_the_export_that_is_named_for_uv_lock_works(build, wheels, service, entries, monkeypatch, tmp_path):
    """Followed to the letter, the message for a lock of uv's leads to a build."""
    wheels("alpha")
    folder = service("users")
    (folder / "src" / "requirements.txt").unlink()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "users"\nversion = "0"\nrequires-python = ">={RUNNING}"\ndependencies = ["alpha"]\n'
        f'[tool.uv]\nno-index = true\nfind-links = ["{wheels.folder.as_posix()}"]\n',
        encoding="utf-8",
    )
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": scripts, "UV_PYTHON": sys.executable, "UV_CACHE_DIR": str(tmp_path / "uv")}
    subprocess.run(["uv", "lock"], cwd=folder, env=environment, check=True)
    outcome = build(folder)
    assert outcome.exit_code == 1
    command = outcome.stderr.split("`")[1]
    assert command.startswith("uv export --project ")
    subprocess.run(shlex.split(command), env=environment, capture_output=True, check=True)
    assert build(folder).exit_code == 0
    assert "alpha.py" in entries(folder)


def test_the_zip_boots_under_awss_runtime_client(build, wheels, service, fleece_runtime):
    """A built zip runs as a function, its packages imported from their bytecode."""
    wheels("alpha", files={"alpha.py": "import sys\ndef where():\n    return __cached__, __file__\n"})
    source = "import alpha\n\ndef main(event, context):\n    return {'event': event, 'cached': alpha.where()[0]}\n"
    folder = service("users", "alpha\n", {"handler.py": source})
    assert build(folder).exit_code == 0
    invocation = fleece_runtime(folder / "dist" / "lambda_function.zip", "handler.main").invoke({"id": 1})
    assert invocation.error is None
    assert invocation.result["event"] == {"id": 1}
    assert invocation.result["cached"].endswith(f"__pycache__/alpha.{CACHE_TAG}.pyc")


def test_main_is_importable_as_in_the_previous_version(offline, service, capfd):
    """``fleece.cli.build.main(argv)`` builds, and ends the process only when it did not work."""
    folder = service("users")
    fleece.cli.build.main(["--no-docker", str(folder)])
    assert (folder / "dist" / "lambda_function.zip").is_file()
    with pytest.raises(SystemExit) as ended:
        fleece.cli.build.main(["--no-docker", str(folder / "nowhere")])
    assert ended.value.code == 2
    capfd.readouterr()
