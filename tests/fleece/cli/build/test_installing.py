"""What surrounds an installer: pip's settings, interpreters, the form that installed packages are brought into."""

from __future__ import annotations

import os
import sys

import pytest

from fleece.cli.build import bytecode, installed, pip_settings, reasons
from fleece.cli.build.processes import Finished, Processes
from fleece.cli.build.requirements import Requirements
from fleece.cli.build.target import parse_runtime, target_for
from fleece.cli.build.wheels import WheelInstaller
from fleece.cli.errors import CommandError

RUNNING = parse_runtime(f"{sys.version_info[0]}.{sys.version_info[1]}")


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """Variables with a home of their own, so that no file of this machine's but /etc is read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    return {"PATH": os.defpath, "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}


def test_settings_come_from_files_and_variables_win(environment, tmp_path):
    """Pip's user file is read, its sections global and install, and PIP_* variables go over it."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    text = "[global]\nindex_url = http://127.0.0.1/a\npre = 1\ntimeout = 9\n[install]\nno-deps = 1\n[list]\nx = y\n"
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(text, encoding="utf-8")
    settings = pip_settings.read(
        {**environment, "PIP_INDEX_URL": "http://127.0.0.1/b", "PIP_CERT": "x", "PIP_LOG": "y"}
    )
    found = {"cert": "x", "index-url": "http://127.0.0.1/b", "no-deps": "1", "pre": "1"}
    assert found.items() <= settings.items()
    assert not {"timeout", "log", "x"} & settings.keys()
    assert "cert" not in pip_settings.for_key(settings)
    assert pip_settings.read({**environment, "PIP_CONFIG_FILE": os.devnull}) == {}


def test_a_broken_file_of_pips_is_left_to_pip(environment, tmp_path):
    """What cannot be parsed counts as empty here: pip itself will complain."""
    broken = tmp_path / "pip.conf"
    for content in (b"\xff", b"[", b"pre = 1\n"):
        broken.write_bytes(content)
        assert pip_settings.read({**environment, "PIP_CONFIG_FILE": str(broken)}) == pip_settings.read(environment)


@pytest.mark.skipif(sys.platform == "win32", reason="homes are found in another way there")
def test_settings_need_no_home(environment, monkeypatch):
    """A user id without a name, as in many containers, has no settings of its own; those of variables count."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert pip_settings.read({**environment, "PIP_PRE": "1"})["pre"] == "1"


def test_variables_that_would_lead_packages_elsewhere_are_dropped():
    """PIP_TARGET, PIP_USER and their like do not reach pip; the rest does."""
    assert pip_settings.undisturbed({"PIP_TARGET": "x", "PIP_USER": "1", "PIP_PRE": "1", "A": "b"}) == {
        "PIP_PRE": "1",
        "A": "b",
    }


@pytest.mark.parametrize(
    ("settings", "named"), [({}, False), ({"no-index": "false"}, False), ({"no-index": "1"}, True)]
)
def test_whether_the_user_names_an_index(settings, named):
    """A lock file's index is asked only where the user says nothing of one."""
    assert pip_settings.names_index(settings) is named
    assert pip_settings.names_index({**settings, "index-url": "x"})


def test_a_locks_indexes_yield_to_the_users():
    """The first index of a lock is the main one, references in it are resolved; pip's own setting goes before."""
    indexes = ("http://${USER}@127.0.0.1/a", "http://127.0.0.1/b")
    found = pip_settings.index_variables(indexes, {"extra-index-url": "http://127.0.0.1/c"}, {"USER": "x"})
    assert found == {
        "PIP_INDEX_URL": "http://x@127.0.0.1/a",
        "PIP_EXTRA_INDEX_URL": "http://127.0.0.1/b http://127.0.0.1/c",
    }
    assert pip_settings.index_variables(indexes, {"index-url": "http://127.0.0.1/d"}, {}) == {}


def test_the_interpreter_that_runs_fleece_is_taken_first():
    """For the running minor version no other is looked for."""
    assert bytecode.find_interpreter(RUNNING, {}) == sys.executable


def test_a_stand_in_on_path_is_passed_over(tmp_path):
    """An interpreter is believed only when it says itself which Python it is."""
    other = next(one for one in (parse_runtime("3.13"), parse_runtime("3.12")) if one != RUNNING)
    answers = {"shim": "exit 127", "liar": "echo 3; echo 9; echo final; echo cpython; echo /x", "beta": ""}
    answers["beta"] = f"echo {other.version[0]}; echo {other.version[1]}; echo candidate; echo cpython; echo /x"
    answers["real"] = f"echo {other.version[0]}; echo {other.version[1]}; echo final; echo cpython; echo /found"
    for name, script in answers.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"python{other}").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name / f"python{other}").chmod(0o755)
    paths = [str(tmp_path / name) for name in answers]
    assert bytecode.find_interpreter(other, {"PATH": os.pathsep.join(paths)}) == "/found"
    assert bytecode.find_interpreter(other, {"PATH": os.pathsep.join(paths[:-1])}) is None


def test_pythons_without_unchecked_bytecode_are_not_looked_for():
    """Up to 3.6 there is none (PEP 552)."""
    assert bytecode.find_interpreter(parse_runtime("3.6"), os.environ) is None


@pytest.mark.parametrize(
    ("python", "text", "indexes", "settings", "by_uv"),
    [
        ("3.12", "alpha\n-r more.txt\n-e ./lib\n", (), {}, True),
        ("3.12", "alpha\n", ("http://127.0.0.1/",), {}, True),
        ("3.11", "alpha\n", (), {}, False),
        ("3.12", "--pre\nalpha\n", (), {}, False),
        ("3.12", "alpha\n", ("http://127.0.0.1/", "http://127.0.0.2/"), {}, False),
        ("3.12", "alpha\n", (), {"PIP_NO_INDEX": "1"}, False),
        ("3.12", "alpha\n", (), {"PIP_TIMEOUT": "9"}, True),
        ("3.12", "alpha\n", (), {"PATH": ""}, False),
    ],
)
def test_uv_installs_only_what_pip_would_install_alike(tmp_path, python, text, indexes, settings, by_uv):
    """Where pip is set up in a way that uv does not know of, or has no tags for uv's glibc, it is pip's settings."""
    (tmp_path / "uv").write_text("", encoding="utf-8")
    (tmp_path / "uv").chmod(0o755)
    environment = {"PATH": str(tmp_path), "UV_INDEX": "x", "PIP_CONFIG_FILE": os.devnull, **settings}
    installer = WheelInstaller(target_for(python, "x86_64"), Processes(), environment)
    wanted = Requirements(tmp_path / "requirements.txt", (), (), (text,), indexes=indexes)
    assert ("UV_INDEX" in installer.settings(wanted)) is by_uv


def install(tree, name="alpha", **files):
    """Lay out an installed package by hand."""
    info = tree / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    for file, text in files.items():
        (info / file).write_text(text, encoding="utf-8")
    return info


def test_a_record_that_leads_outside_touches_nothing_there(tmp_path):
    """Paths with ``..`` in a wheel's RECORD are neither written to nor listed."""
    outside = tmp_path / "outside"
    outside.write_text("#!/opt/python\n", encoding="utf-8")
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    info = install(tree, RECORD=f"bin/../../outside,,\n../../../outside,,\n{outside},,\n", METADATA="", WHEEL="")
    installed.tidy(tree)
    assert outside.read_text(encoding="utf-8") == "#!/opt/python\n"
    assert (info / "RECORD").read_text(encoding="utf-8") == "alpha-1.0.dist-info/RECORD,,\n"


@pytest.mark.parametrize("name", ["..", ".", "a/b", ""])
def test_a_command_whose_name_is_a_path_is_not_written(tmp_path, name):
    """Commands that a package declares are plain names."""
    install(tmp_path / "tree", **{"METADATA": "", "entry_points.txt": f"[console_scripts]\n{name} = a:b\n"})
    installed.tidy(tmp_path / "tree")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"METADATA", "entry_points.txt", "RECORD"}


@pytest.mark.parametrize("value", ["alpha", "alpha:", "alpha; import os:main", ":main", "", "alpha:main(1)"])
def test_a_command_that_is_no_function_is_not_written(tmp_path, value):
    """What a package declares becomes code only where it names a module and something in it."""
    install(
        tmp_path, **{"METADATA": "", "entry_points.txt": f"[console_scripts]\none = {value}\ntwo = alpha:main [x]\n"}
    )
    installed.tidy(tmp_path)
    assert [path.name for path in (tmp_path / "bin").iterdir()] == ["two"]


@pytest.mark.parametrize("file", ["RECORD", "WHEEL", "entry_points.txt"])
def test_damaged_metadata_are_told_of(tmp_path, file):
    """What should be text in a package and is none is no fault of fleece's: the package is named."""
    info = install(tmp_path, METADATA="")
    (info / file).write_bytes(b"\xff\xfe")

    def look():
        installed.tidy(tmp_path)
        installed.unsuitable(tmp_path, target_for("3.12", "x86_64"))

    with pytest.raises(CommandError, match=r"^the metadata of alpha-1\.0 cannot be read: "):
        look()


def test_a_record_without_end_is_told_of(tmp_path):
    """A table that the ``csv`` module refuses is damage as well."""
    install(tmp_path, METADATA="", RECORD='"' + "x" * 200_000)
    with pytest.raises(CommandError, match=r"^the metadata of alpha-1\.0 cannot be read: field larger"):
        installed.tidy(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"dir_info": []}', '{"url": "\\"editable\\": true"}'])
def test_an_origin_that_is_none_is_passed_over(tmp_path, text):
    """Where a package came from matters only when it is editable."""
    info = install(tmp_path, **{"METADATA": "", "direct_url.json": text})
    installed.tidy(tmp_path)
    assert not (info / "direct_url.json").exists()


def test_traces_of_the_installer_go(tmp_path):
    """Who installed, from where, locks, bytecode and headers are not kept."""
    tree = tmp_path / "tree"
    info = install(tree, METADATA="", INSTALLER="uv", REQUESTED="", **{"direct_url.json": "{}", "uv_cache.json": "{}"})
    for path in (".lock", "__pycache__/x.pyc", "include/alpha/a.h"):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).touch()
    installed.tidy(tree)
    assert {path.name for path in info.iterdir()} == {"METADATA", "RECORD"}
    assert list(tree.iterdir()) == [info]


def test_an_editable_package_is_refused(tmp_path):
    """A link to a project's source would not be in the zip."""
    install(tmp_path, **{"METADATA": "", "direct_url.json": '{"url": "file:///x", "dir_info": {"editable": true}}'})
    with pytest.raises(CommandError, match="alpha is required as editable"):
        installed.tidy(tmp_path)


def test_unsuitable_packages_are_all_named(tmp_path):
    """Each package that does not run on the target is listed with its reason."""
    install(tmp_path, "alpha", WHEEL="Wheel-Version: 1.0\nTag: py3-none-any\n")
    install(tmp_path, "beta", WHEEL="Tag: cp312-cp312-win_amd64\n")
    install(tmp_path, "gamma", WHEEL="Tag: cp312-cp312-manylinux_2_39_x86_64\n")
    found = installed.unsuitable(tmp_path, target_for("3.12", "x86_64"))
    assert found == [
        "beta 1.0 (it is built for cp312-cp312-win_amd64)",
        "gamma 1.0 (it needs glibc 2.39, and Lambda's 3.12 has 2.34)",
    ]


def test_what_was_compiled_against_a_newer_c_library_is_named(tmp_path):
    """A package built here has no tag that says so: its symbols do; the tag of a wheel's author is believed."""
    for name, version, platform in (
        ("alpha", b"2.38", "linux"),
        ("beta", b"2.2.5", "linux"),
        ("gamma", b"2.38", "manylinux_2_34"),
    ):
        metadata = install(tmp_path, name, WHEEL=f"Tag: cp312-cp312-{platform}_x86_64\n", RECORD=f"{name}.so,,\n")
        (metadata.parent / f"{name}.so").write_bytes(b"\x7fELF GLIBC_2.17\0GLIBC_" + version + b"\0")
    found = installed.unsuitable(tmp_path, target_for("3.12", "x86_64"))
    assert found == ["alpha 1.0 (it needs glibc 2.38, and Lambda's 3.12 has 2.34)"]


def test_where_pip_itself_fails_its_exception_is_the_reason():
    """A traceback of pip's is announced as an error without words; they are at its end."""
    told = (
        "Looking in links: x",
        "ERROR: Exception:",
        "Traceback (most recent call last):",
        "  x",
        "OSError: no space",
    )
    assert reasons.of_installer(Finished(2, told)) == "OSError: no space"


CLONE = """\
  Running command git clone --quiet https://127.0.0.1/x.git /tmp/x
  fatal: unable to access 'https://127.0.0.1/x.git/': Failed to connect
  error: subprocess-exited-with-error

  \N{MULTIPLICATION SIGN} git clone --quiet https://127.0.0.1/x.git /tmp/x did not run successfully.
  \N{BOX DRAWINGS LIGHT VERTICAL} exit code: 128
  note: This error originates from a subprocess, and is likely not a problem with pip.
error: subprocess-exited-with-error
"""

BUILD_TOOLS = """\
  error: subprocess-exited-with-error

  \N{MULTIPLICATION SIGN} pip subprocess to install build dependencies did not run successfully.
      ERROR: Could not find a version that satisfies the requirement setuptools>=40 (from versions: none)
      ERROR: No matching distribution found for setuptools>=40
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
"""

PREPARATION = """\
  error: subprocess-exited-with-error

  \N{MULTIPLICATION SIGN} Preparing metadata (pyproject.toml) did not run successfully.
  \N{BOX DRAWINGS LIGHT VERTICAL} exit code: 1
  note: This error originates from a subprocess, and is likely not a problem with pip.
error: subprocess-exited-with-error

\N{MULTIPLICATION SIGN} Preparing metadata (pyproject.toml) did not run successfully.
\N{BOX DRAWINGS LIGHT VERTICAL} exit code: 1

note: This error originates from a subprocess, and is likely not a problem with pip.
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (CLONE, "fatal: unable to access 'https://127.0.0.1/x.git/': Failed to connect"),
        (
            BUILD_TOOLS,
            (
                "Could not find a version that satisfies the requirement setuptools>=40 (from versions: none) / "
                "No matching distribution found for setuptools>=40"
            ),
        ),
        (PREPARATION, "Preparing metadata (pyproject.toml) did not run successfully. exit code: 1"),
    ],
)
def test_the_reason_of_a_program_that_pip_runs_is_told_once(output, reason):
    """Of what git or a build says, its own words are the reason, and neither pip's frame around it nor its echo."""
    assert reasons.of_installer(Finished(1, tuple(output.splitlines()))) == reason


CONFLICT = """\
ERROR: Cannot install alpha and beta because these package versions have conflicting dependencies.
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/
"""


CONFLICTING = "Cannot install alpha and beta because these package versions have conflicting dependencies."


@pytest.mark.parametrize(
    ("code", "output", "reason"),
    [
        (1, CONFLICT, CONFLICTING),
        (1, CONFLICT.splitlines()[1], "ResolutionImpossible: for help visit https://pip.pypa.io/"),
        (137, "Building wheels", "it was killed (exit code 137): perhaps there was not enough memory"),
        (137, CONFLICT, CONFLICTING),
        (3, "", "it ended with exit code 3 and said nothing"),
    ],
)
def test_the_reason_is_what_helps_most(code, output, reason):
    """A conflict's own words come before where to read on; where nothing is said, the exit code has to tell."""
    assert reasons.of_installer(Finished(code, tuple(output.splitlines()))) == reason


def test_the_reason_of_a_package_manager():
    """Its errors, wherever they stand, else its last line; where it says nothing, the exit code."""
    assert reasons.of_package_manager(Finished(1, ("E: Unable to locate package x", "bye"))) == (
        "E: Unable to locate package x"
    )
    assert reasons.of_package_manager(Finished(1, ("Reading", "it broke", ""))) == "it broke"
    assert reasons.of_package_manager(Finished(4, ())) == "it ended with exit code 4 and said nothing"


def test_a_childs_output_comes_line_by_line_without_credentials():
    """Both streams are told as they come, URLs masked, and the exit code is the child's."""
    told = []
    code = "import sys; print('http://user:pw@host/x', flush=True); print('second', file=sys.stderr); sys.exit(3)"
    finished = Processes().run([sys.executable, "-c", code], os.environ, told.append)
    assert told == ["http://****@host/x", "second"]
    assert finished == Finished(3, ("http://****@host/x", "second"))


def test_after_a_stop_nothing_is_started():
    """A build that was interrupted starts no further child."""
    processes = Processes()
    processes.stop()
    with pytest.raises(CommandError, match="the build was stopped"):
        processes.run([sys.executable, "-c", ""], os.environ, print)
