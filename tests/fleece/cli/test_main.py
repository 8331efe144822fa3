"""The outermost layer of the command line: help, exit codes, and what is said on stderr."""

import gc
import os
import subprocess
import sys
from types import ModuleType

import click
import pytest

from fleece import __version__
from fleece.cli.errors import CommandError, NotFoundError, UsageError
from fleece.cli.main import exit_code_of
from fleece_testing.command_line import write_environments


@pytest.fixture
def command_that(monkeypatch):
    """Put a command in the place of ``fleece run`` that does what it is given."""

    def install(does):
        module = ModuleType("fleece.cli.run.command")
        module.command = click.Command("run", callback=does)
        monkeypatch.setitem(sys.modules, "fleece.cli.run.command", module)

    return install


@pytest.fixture
def in_shell(fleece_cli):
    """Run the command from a shell, with a redirection, where an environment ``local`` needs no server."""
    write_environments(fleece_cli.folder, "http://127.0.0.1:1", {"local": {"provider": "static"}})

    def run(redirection, *arguments):
        line = f'exec "$@" {redirection}'
        return subprocess.run(
            ["/bin/sh", "-c", line, "sh", sys.executable, "-m", "fleece", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=fleece_cli.folder,
            env=fleece_cli.environment(),
        )

    return run


def raises(error):
    def callback():
        raise error

    return callback


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_the_commands(fleece_cli, option):
    """Help goes to stdout, leads with examples and names every command."""
    result = fleece_cli(option)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.index("fleece run -e staging -- aws s3 ls") < result.stdout.index("Options:")
    assert all(f"\n  {name} " in result.stdout for name in ("build", "config", "run"))


def test_help_shows_only_what_there_is(fleece_cli):
    """Each example in the group's help names a command, and a sub-command, that exist."""
    examples = [line.split() for line in fleece_cli("--help").stdout.splitlines() if line.startswith("  fleece ")]
    assert examples
    for _fleece, name, word, *_ in examples:
        names = [name, word] if name == "config" else [name]
        assert fleece_cli(*names, "--help").exit_code == 0


def test_sub_commands_are_listed_with_whole_sentences(fleece_cli):
    """No line of the list ends in the middle of its sentence."""
    assert "..." not in fleece_cli("config", "--help").stdout.partition("Commands:")[2]


def test_help_imports_no_command():
    """The group's help loads neither the commands nor what they stand on."""
    code = (
        "import sys; from fleece.cli.main import exit_code_of; exit_code_of(['--help']); "
        "print(sorted({'boto3', 'docker', 'yaml', 'requests', 'fleece.cli.run.command'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(fleece_cli):
    """``--version`` prints the name and the version."""
    assert fleece_cli("--version").stdout == f"fleece {__version__}\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rnu", "Did you mean 'run'?"),
        ("confg", "Did you mean 'config'?"),
        ("zzz", "The commands are build, config, run."),
    ],
)
def test_an_unknown_command_is_wrong_usage(fleece_cli, name, hint):
    """A command that is not there is exit 2, with the nearest name."""
    result = fleece_cli(name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: No such command {name!r}. {hint} See 'fleece --help'.\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("exprot", "Did you mean 'export'?"), ("zzz", "The commands are ")],
)
def test_an_unknown_sub_command_is_wrong_usage(fleece_cli, name, hint):
    """The same holds for the sub-commands, whatever click does about them."""
    result = fleece_cli("config", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: No such command {name!r}. {hint}")
    assert result.stderr.endswith(" See 'fleece config --help'.\n")


@pytest.mark.parametrize("option", [("-c", "other.yml"), ("--environments=e.yml",)])
def test_an_option_of_the_group_is_told_from_an_unknown_one(fleece_cli, option):
    """Options that all sub-commands share stand before the sub-command's name, and the message says so."""
    result = fleece_cli("config", "lint", *option)
    name = option[0].partition("=")[0]
    told = f"No such option {name!r}: it is one of 'fleece config', and stands before 'lint'."
    assert (result.exit_code, result.stderr) == (2, f"Error: {told} See 'fleece config --help'.\n")


def test_an_unknown_option_is_wrong_usage(fleece_cli):
    """An option that is not there is exit 2."""
    result = fleece_cli("--nope")
    assert result.exit_code == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize("package", ["click", "yaml"])
def test_a_missing_package_names_the_extra(package):
    """Without the extra's packages, one line says what to install."""
    code = f"import sys; sys.modules[{package!r}] = None; from fleece.cli.main import main; main(['config', 'export'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: the package {package!r} is missing, which the command line needs: pip install 'fleece[cli]'\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (CommandError("it is broken"), 1, "Error: it is broken\n"),
        (UsageError("no such thing"), 2, "Error: no such thing\n"),
        (NotFoundError("no such program"), 127, "Error: no such program\n"),
        (PermissionError(13, "Permission denied", "config.yml"), 1, "Error: config.yml: Permission denied\n"),
        (
            OSError(28, "No space left", "cached.zip", None, "new.zip"),
            1,
            "Error: cached.zip -> new.zip: No space left\n",
        ),
        (KeyboardInterrupt(), 130, "Error: interrupted\n"),
        (click.Abort(), 1, "Error: aborted\n"),
        (CommandError("bell \a, colour \x1b[31m, line\n2"), 1, "Error: bell \\x07, colour \\x1b[31m, line\\n2\n"),
    ],
)
def test_exceptions_become_exit_codes(command_that, capsys, error, code, told):
    """Each kind of failure has its exit code and one line on stderr that cannot move the cursor."""
    command_that(raises(error))
    assert exit_code_of(["run"]) == code
    assert capsys.readouterr() == ("", told)


def test_a_fault_is_told_without_its_text(command_that, capsys, monkeypatch):
    """An exception that nobody expected is exit 1 without traceback, and what it says is not repeated."""
    monkeypatch.delenv("FLEECE_DEBUG", raising=False)
    command_that(raises(ValueError("the key is hunter2")))
    assert exit_code_of(["run"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Error: unexpected ValueError")
    assert "hunter2" not in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "variable"), [(["--debug", "run"], ""), (["run", "--debug"], ""), (["run"], "1")]
)
def test_debugging_shows_the_traceback(command_that, capsys, monkeypatch, arguments, variable):
    """``--debug`` and ``FLEECE_DEBUG`` show where a failure came from, before the line that tells it."""
    monkeypatch.setenv("FLEECE_DEBUG", variable)
    command_that(raises(CommandError("it is broken")))
    assert exit_code_of(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "Traceback (most recent call last):" in lines
    assert lines[-1] == "Error: it is broken"


def test_debugging_is_an_option_of_each_sub_command(fleece_cli):
    """It can stand after the name of a group, and of a command in it."""
    for arguments in (("config", "--debug", "render", "prod"), ("config", "render", "--debug", "prod")):
        result = fleece_cli(*arguments, in_process=True)
        assert result.exit_code == 2
        assert "Traceback (most recent call last):" in result.stderr.splitlines()


def test_the_garbage_collector_is_left_as_it_was(command_that):
    """A command collects garbage less often; a program that calls it in process gets its own thresholds back."""
    before, within = gc.get_threshold(), []

    def look() -> None:
        within.append(gc.get_threshold())
        raise CommandError("no")

    command_that(look)
    exit_code_of(["run"])
    assert within[0][0] > before[0]
    assert gc.get_threshold() == before


def test_a_command_can_return_its_exit_code(command_that):
    """What a command returns is the exit code if it is a number, else 0."""
    command_that(lambda: 7)
    assert exit_code_of(["run"]) == 7
    command_that(lambda: None)
    assert exit_code_of(["run"]) == 0


@pytest.mark.parametrize(
    ("variables", "colour"),
    [({}, None), ({"NO_COLOR": "1"}, False), ({"FORCE_COLOR": "1"}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_follow_the_environment(command_that, monkeypatch, variables, colour):
    """``NO_COLOR``, ``FORCE_COLOR`` and ``TERM=dumb`` decide; otherwise the terminal does."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    seen = []
    command_that(lambda: seen.append(click.get_current_context().color))
    exit_code_of(["run"])
    assert seen == [colour]


def test_a_reader_that_has_gone_is_no_traceback():
    """``fleece ... | head -0`` ends quietly."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fleece", "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("redirection", "arguments", "told"),
    [
        (">/dev/full", ["--help"], "Error: No space left on device\n"),
        (">/dev/full", ["run", "-e", "local", "--export", "env"], "Error: <stdout>: No space left on device\n"),
        (">&-", ["--help"], "Error: Bad file descriptor\n"),
        (">&-", ["run", "-e", "local", "--export", "env"], "Error: <stdout>: Bad file descriptor\n"),
        ("<&-", ["config", "import"], "Error: <stdin>: Bad file descriptor\n"),
        ("2>&-", ["config", "export"], ""),
        ("2>/dev/full", ["config", "export"], ""),
    ],
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110 (a device)
def test_streams_that_are_closed_or_full(in_shell, redirection, arguments, told):
    """What cannot be written or read is one line and an exit code of fleece's own."""
    done = in_shell(redirection, *arguments)
    assert (done.stdout, done.stderr) == ("", told)
    assert done.returncode == {"config": 2 if "export" in arguments else 1, "run": 1, "--help": 1}[arguments[0]]


def test_a_child_can_do_without_stdout(in_shell):
    """A command that is run with stdout closed finds it closed, and fleece does not mind."""
    code = "import sys; sys.exit(7 if sys.stdout is None else 8)"
    done = in_shell(">&-", "run", "-e", "local", "--", sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (7, "")
