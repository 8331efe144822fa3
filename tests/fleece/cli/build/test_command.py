"""The options of ``fleece build``, as far as no package is built."""

from __future__ import annotations

import re

import pytest

from fleece.cli.main import exit_code_of


@pytest.fixture
def run(offline, capfd):
    """Run ``fleece build`` in this process; gives the exit code and the last line on stderr."""

    def call(*arguments):
        code = exit_code_of(["build", *map(str, arguments)])
        captured = capfd.readouterr()
        assert captured.out == ""
        return code, captured.err.strip().splitlines()[-1]

    return call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-r", "a", "-p", "b"], "--requirements and --pipfile are two sources of the same"),
        (["--python", "3.12", "-3"], "--python36 and --python say two things"),
        (["-py", "3.99"], "Lambda has no Python '3.99': choose one of"),
        (["--architecture", "arm64", "-3"], "Lambda never had Python 3.6 on arm64"),
        (["-d", "gcc,make"], "--dependencies is about the image to build in, which needs Docker"),
        (["--image", "x"], "--image is about the image to build in, which needs Docker"),
        (["--pull"], "--pull is about the image to build in, which needs Docker"),
        (["-r", "nope.txt"], "there is no requirements file nope.txt; name it with --requirements"),
        (["--python", ""], "there is an empty word after --python: is a variable not set?"),
        (["-e", "", "-d", "", "-t", ""], "there is an empty word after -t"),
        (["--", ""], "there is an empty word after --"),
        (["nowhere"], "there is no folder nowhere; name it with SERVICE_DIR"),
        (["-s", "nowhere"], "there is no folder nowhere; name it with --source"),
        (["full"], "there is no folder full/src; name it with SERVICE_DIR or --source"),
        (["full", "-e", "*.md", "."], "there is no folder full/src; name it with -- SERVICE_DIR or --source"),
        (["-t", "file/dist"], "file is no folder: --target names another one for the zip"),
        (["-t", "loop"], "loop is no folder: --target names another one for the zip"),
        (["-t", "full"], "full/lambda_function.zip is a folder, where the zip should be"),
        (["-t", "file"], "Directory 'file' is a file."),
        (["-r", "src"], "File 'src' is a directory."),
        (["-p", "nowhere"], "no Pipfile.lock in nowhere"),
        ([".", "."], "several services would write the same zip"),
        (["--architecture", "mips"], "'mips' is not one of 'x86_64', 'arm64'"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_do(run, tmp_path, arguments, message):
    """Each mistake has its own message; nothing is created."""
    (tmp_path / "src").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "full" / "lambda_function.zip").mkdir(parents=True)
    (tmp_path / "src" / "requirements.txt").touch()
    code, last = run("--no-docker", *arguments)
    assert code == 2
    assert message in last
    assert not (tmp_path / "dist").exists()
    assert not (tmp_path / "cache").exists()


def test_system_packages_are_names(run, tmp_path):
    """What a package manager would take for an option is refused, before an engine is asked."""
    (tmp_path / "src").mkdir()
    code, last = run("-d", "gcc,--nogpgcheck")
    assert code == 2
    assert "'--nogpgcheck' is not one" in last


def test_no_requirements_ends_with_1_before_anything_is_created(run, tmp_path):
    """A service without requirements is told what was looked for."""
    (tmp_path / "src").mkdir()
    code, last = run("--no-docker")
    assert code == 1
    assert "no requirements in ." in last
    assert {path.name for path in tmp_path.iterdir()} == {"src", "wheels"}


def test_retired_runtimes_build_with_a_warning(build, service):
    """``-3`` still builds for Python 3.6, and says that Lambda creates no functions for it."""
    outcome = build(service("users"), "-3", python=None)
    assert outcome.exit_code == 0
    assert "Warning: Lambda no longer creates functions for python3.6" in outcome.stderr


def test_help_shows_the_options(offline, capfd):
    """``--help`` leads with examples and lists every option."""
    assert exit_code_of(["build", "--help"]) == 0
    text = capfd.readouterr().out
    assert text.index("fleece build --no-docker") < text.index("Options:")
    for option in (
        *("--python", "--python36", "--rebuild", "--requirements", "--pipfile", "--dependencies", "--target"),
        *("--source", "--exclude", "--inject-build-info", "--architecture", "--image", "--pull", "--no-compile"),
        *("--no-docker", "--debug", "--help"),
    ):
        assert re.search(rf"[ ,]{option}\b", text), option
