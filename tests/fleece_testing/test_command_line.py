"""The ``fleece`` command as a child, in process and on a terminal, and environments for it."""

import dataclasses
import fnmatch
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fleece._defaults import Timeouts, defaults
from fleece_testing.command_line import CommandLine, Terminal, write_environments

LOCAL = {"local": {"provider": "static", "region": "eu-west-1"}}


def test_a_result(fleece_cli, fleece_environments):
    """A result has the output, the errors, the exit code and the parsed JSON."""
    fleece_environments(**LOCAL)
    result = fleece_cli("run", "-e", "local", "--", "sh", "-c", "cat; echo told >&2; exit 3", stdin='{"a": 1}')
    assert (result.json, result.stdout, result.stderr, result.exit_code) == ({"a": 1}, '{"a": 1}', "told\n", 3)


def test_output_that_is_not_json(fleece_cli):
    """Output that is no JSON is an error that shows what the command said."""
    result = fleece_cli("nope")
    with pytest.raises(ValueError, match="No such command 'nope'"):
        _ = result.json


def test_the_environment_of_the_child(fleece_cli, fleece_environments, monkeypatch):
    """Variables are added and taken away for one call, and endpoints of this process stay behind."""
    fleece_environments(**LOCAL)
    monkeypatch.setenv("ONE", "1")
    show = ("run", "-e", "local", "echo $ONE $TWO")
    assert fleece_cli(*show, env={"ONE": None, "TWO": "2"}).stdout == "2\n"
    assert fleece_cli(*show).stdout == "1\n"
    assert "AWS_ENDPOINT_URL" in os.environ
    assert fleece_cli(*show).stderr == ""


def test_it_runs_in_its_folder(fleece_cli, fleece_environments, tmp_path):
    """The command runs in the folder, without a terminal, and keeps its cache there."""
    fleece_environments(dev={"region": "eu-west-1"})
    assert fleece_cli.folder == tmp_path
    assert (
        fleece_cli("run", "-e", "dev", "pwd; (: < /dev/tty) 2> /dev/null || echo none").stdout == f"{tmp_path}\nnone\n"
    )
    assert {path.name for path in tmp_path.iterdir()} == {".cache", "environments.yml"}


def test_a_command_that_takes_too_long(fleece_cli, fleece_environments, tmp_path):
    """A command that does not end is killed, and with it what it has started."""
    fleece_environments(**LOCAL)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    script = f"exec > {pipe}; echo started; (sleep 9; echo survived); true"
    with pytest.raises(subprocess.TimeoutExpired):
        fleece_cli("run", "-e", "local", "--", "sh", "-c", script, timeout=3)
    os.set_blocking(reading, True)
    with os.fdopen(reading) as output:
        assert "survived" not in output.read()


def test_environments(tmp_path):
    """Environments get an account and the endpoint unless they name their own, and a key that is None is left out."""
    path = write_environments(
        tmp_path,
        "http://127.0.0.1:4566",
        {"dev": {}, "other": {"account": "000000000008", "endpoint_url": None, "role": "Deploy"}},
    )
    assert yaml.safe_load(path.read_text())["environments"] == [
        {"name": "dev", "account": "123456789012", "endpoint_url": "http://127.0.0.1:4566"},
        {"name": "other", "account": "000000000008", "role": "Deploy"},
    ]
    assert CommandLine(tmp_path)("run", "-e", "dev", "-r", "x", "--", "true").exit_code == 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "123456789012",
            r"The environment 'dev' is a dictionary of its keys, such as {'account': '210987654321'}, not '1",
        ),
        ({"acount": "210987654321"}, "The environment 'dev' has no key 'acount'; did you mean 'account'?"),
        ({"url": "http://127.0.0.1:1"}, "The environment 'dev' has no key 'url'; it takes name, account, role, "),
    ],
)
def test_environments_that_are_none(fleece_cli, fleece_environments, keys, message):
    """What is no environment, or has a key that none has, is told where it was written, and nothing is written."""
    with pytest.raises(TypeError, match=f"^{re.escape(message)}") as caught:
        fleece_environments(dev=keys)
    assert caught.traceback.filter(caught)[-1].path == Path(__file__)
    assert not (fleece_cli.folder / "environments.yml").exists()


# In this process


@pytest.mark.parametrize(
    ("arguments", "stdin", "env"),
    [
        (["--version"], "", {}),
        (["run", "--help"], "", {}),
        (["build", "--help"], "", {"COLUMNS": "60"}),
        (["nope"], "", {}),
        (["config", "render", "prod"], "", {}),
        (["config", "export", b"\xff"], "", {}),
        (["run", "-e", "local", "--export", "json"], "", {}),
        (["run", "-e", "local", "--export", "json"], "", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        (["run", "-e", "asking", "--export", "json"], "me\nkey\n", {"RS_USERNAME": None, "RS_API_KEY": None}),
        (["run", "-e", "local", "--", "no-such-program"], "", {}),
        (["config", "import", "-c", "out.yml"], "config: {a: é}\nstages: {}\n", {"FLEECE_DEBUG": "1"}),
    ],
)
def test_in_process_is_as_in_a_child(fleece_cli, fleece_environments, tmp_path, arguments, stdin, env):
    """In process, output, errors, exit code and files are those of a child."""
    fleece_environments(**LOCAL, asking={})
    seen = []
    for in_process in (False, True):
        result = fleece_cli(*arguments, stdin=stdin, env=env, in_process=in_process)
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        seen.append((dataclasses.astuple(result), files))
        (tmp_path / "out.yml").unlink(missing_ok=True)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("fleece_cli", [{"in_process": True}], indirect=True)
def test_in_process_for_all_calls(fleece_cli, fleece_environments):
    """Indirect parametrisation has every call of a test in process, and a call may still say otherwise."""
    fleece_environments(**LOCAL)
    assert fleece_cli.in_process
    assert fleece_cli("run", "-e", "local", "--export", "json").json["AWS_ACCESS_KEY_ID"] == "test"
    assert fleece_cli("run", "-e", "local", "--", "echo", "a", in_process=False).stdout == "a\n"


def test_in_process_needs_a_child_to_become_another_program(fleece_cli, fleece_environments):
    """What would replace the process of the tests is an error that says what to do."""
    fleece_environments(**LOCAL)
    with pytest.raises(
        RuntimeError, match=r"would become the program '.*true', and the tests with it: run it as a child"
    ):
        fleece_cli("run", "-e", "local", "--", "true", in_process=True)
    assert fleece_cli("run", "-e", "local", "--", "true").exit_code == 0


def test_in_process_asks_nothing(fleece_cli, tmp_path):
    """In process, the terminal of whoever runs the tests is not asked."""
    (tmp_path / "environments.yml").write_text("environments:\n- {name: dev, account: '123456789012'}\n")
    script = (
        "from fleece_testing.command_line import CommandLine\n"
        "run = CommandLine('.')('run', '-e', 'dev', '-u', 'me', '--export', 'env', in_process=True)\n"
        "print(run.exit_code, run.stderr)\n"
    )
    environment = fleece_cli.environment({"RS_API_KEY": None})
    with Terminal([sys.executable, "-c", script], folder=tmp_path, environment=environment) as terminal:
        assert terminal.wait().terminal.startswith("2 Error: no credentials: the Rackspace API key of me is missing")


def state():
    """Return what a process has one of."""
    root = logging.getLogger()
    return {
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "root": (root.level, root.handlers[:]),
        "levels": {name: logging.getLogger(name).level for name in ("fleece.cli", "botocore", "urllib3")},
        "handlers": logging.getLogger("fleece.cli").handlers[:],
        "exec": (os.execv, os.execve),
        "settings": defaults.settings,
        "umask": os.umask(os.umask(0o022)),
    }


@pytest.mark.parametrize("how", ["done", "wrong", "another program"])
def test_in_process_leaves_no_trace(fleece_cli, fleece_environments, fleece_aws, how):
    """However a command ends, the process is left as it was."""
    fleece_aws.role("Deploy")
    fleece_environments(**LOCAL, dev={"role": "Deploy"})
    defaults.configure(boto3_timeouts=Timeouts(timeout=3))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has it; another test may have left it otherwise
    before = state()
    if how == "another program":
        with pytest.raises(RuntimeError):
            fleece_cli("run", "-e", "local", "--", "true", in_process=True)
    else:
        arguments = ("run", "-e", "dev" if how == "done" else "nope", "--export", "json")
        result = fleece_cli(*arguments, env={"FLEECE_DEBUG": "1", "PATH": "/"}, in_process=True)
        assert result.exit_code == (0 if how == "done" else 2)
    assert state() == before


def test_in_process_sees_its_own_variables_alone(fleece_cli, fleece_environments, fleece_aws, tmp_path):
    """What a command has read from the environment and from AWS's files, the next one does not inherit."""
    fleece_aws.role("Deploy")
    fleece_environments(local={"provider": "environment", "role": "Deploy"})
    (tmp_path / "broken").write_text("[broken\n")
    run = ("run", "-e", "local", "--no-cache", "--export", "json")
    assert fleece_cli(*run, in_process=True).exit_code == 0
    assert fleece_cli(*run, env={"AWS_CONFIG_FILE": "broken"}, in_process=True).exit_code == 2
    assert fleece_cli(*run, in_process=True).exit_code == 0


# On a terminal


def test_a_terminal_is_one(tmp_path):
    """The program has a terminal that controls it, of the size asked for, and its own group in the foreground."""
    script = (
        "import os, sys; fd = os.open('/dev/tty', os.O_RDWR);"
        "print(os.ttyname(0) == os.ttyname(1) == os.ttyname(2), *os.get_terminal_size(fd), os.getcwd(),"
        " os.tcgetpgrp(fd) == os.getpgrp() == os.getsid(0), os.environ['TERM'], 'COLUMNS' in os.environ)"
    )
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "7"}
    arguments = [sys.executable, "-c", script]
    with Terminal(arguments, folder=tmp_path, environment=environment, rows=5, columns=50) as terminal:
        result = terminal.wait()
    assert result.terminal == f"True 50 5 {tmp_path} True xterm False\r\n"
    assert result.stdout == result.stderr == result.terminal


def test_nothing_more_is_inherited_on_a_terminal():
    """The program has the three streams open and no other file, and ignores no signal that others do not."""
    script = (
        "import os\n"
        "def is_open(number):\n"
        "    try:\n"
        "        os.fstat(number)\n"
        "    except OSError:\n"
        "        return False\n"
        "    return True\n"
        "print(*filter(is_open, range(200)))\n"
    )
    with Terminal([sys.executable, "-c", script]) as terminal:
        assert terminal.wait().terminal == "0 1 2\r\n"
    with Terminal(["sh", "-c", "kill -PIPE $$"]) as terminal:
        assert terminal.wait().exit_code == -signal.SIGPIPE


def test_ctrl_c_on_a_terminal_of_tests_in_the_background():
    """Keys that are signals work also where the tests ignore these, as what a script runs in its background does."""
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        with Terminal(["sh", "-c", "echo ready; sleep 60"]) as terminal:
            terminal.expect("ready")
            terminal.send(terminal.CTRL_BACKSLASH)
            assert terminal.wait().exit_code == -signal.SIGQUIT
    finally:
        signal.signal(signal.SIGQUIT, before)


def test_text_that_is_not_shown():
    """A text that does not come is an error with what the terminal and the pipes show, and why no more will come."""
    with Terminal(["sh", "-c", "echo seen; echo piped >&2; read line"], pipes=["stderr"]) as terminal:
        terminal.expect("seen")
        terminal.expect("\n")
        with pytest.raises(
            AssertionError, match=r"'missing' was not shown: the program still runs; .* showed ''; stderr"
        ):
            terminal.expect("missing", timeout=0.1)
        with pytest.raises(AssertionError, match="the program was to end: the program still runs"):
            terminal.wait(timeout=0.1)
        terminal.send("\n")
        with pytest.raises(
            AssertionError, match=r"'seen' was not shown: the program has ended with 0; .*stderr: 'piped"
        ):
            terminal.expect("seen")
        with pytest.raises(AssertionError, match=r"'x' cannot be typed: the program has ended with 0"):
            terminal.send("x")
        assert terminal.wait().exit_code == 0


def test_a_pattern_is_expected():
    """A pattern is looked for after what was expected last, and its match is returned."""
    with Terminal(["sh", "-c", "echo one 1 two 2"]) as terminal:
        digit = re.compile(r"(\w+) (\d)")
        assert [terminal.expect(digit).groups() for _ in range(2)] == [("one", "1"), ("two", "2")]


def test_a_terminal_that_is_left(tmp_path):
    """A program that does not mind the end of its terminal is killed at the end of the block."""
    script = f"trap '' HUP TERM; echo $$ > {tmp_path}/pid; echo ready; while :; do sleep 0.02; done"
    terminal = Terminal(["sh", "-c", script])
    with terminal:
        terminal.expect("ready")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    for use in (terminal.wait, lambda: terminal.send("x"), lambda: terminal.resize(1, 1), lambda: terminal.expect("x")):
        with pytest.raises(RuntimeError, match="the terminal is not open: use it within its with block"):
            use()
    assert terminal.text == "ready\r\n"


@pytest.mark.parametrize("pipes", ["stdout", ["stdin"]])
def test_pipes_that_there_are_not(pipes):
    """A wrong name of a pipe is told with the right ones."""
    with pytest.raises(ValueError, match=r"any of 'stdout' and 'stderr', as in pipes=\['stdout'\], not"):
        Terminal(["true"], pipes=pipes)


def test_a_program_that_there_is_not():
    """A program that is not there is told by name."""
    with pytest.raises(FileNotFoundError, match="no program 'no-such-program' on the PATH"):
        Terminal(["no-such-program"]).start()


def test_much_is_written_and_typed():
    """Neither side waits for the other for ever, however much there is to write and to type."""
    lines = "".join(f"{number:0999}\n" for number in range(200))
    with Terminal(["cat"], pipes=["stdout"]) as terminal:
        terminal.send(lines)
        terminal.send(terminal.CTRL_D)
        assert terminal.wait().stdout == lines


def test_bytes_that_are_no_text():
    """A character that comes in pieces is whole in the end, and bytes that are no text are kept as surrogates."""
    with Terminal(["sh", "-c", r"printf '\303'; sleep 0.1; printf '\251 \377'"]) as terminal:
        assert terminal.wait().terminal == "é \udcff"


@pytest.mark.parametrize("in_process", [True, False])
@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ([["config", "export"]], None, "Each argument of the command is text or a path, *: ['config', 'export'] was *"),
        ([5], None, "Each argument of the command is text or a path, as on a command line: 5 was given"),
        ([], {"A": 1}, "env['A'] must be text: 1 was given"),
        ([], ["A=1"], "env must be a dictionary: ['A=1'] was given"),
    ],
)
def test_what_no_program_can_be_given(fleece_cli, arguments, env, said, in_process):
    """A list of arguments in the place of arguments, or a number as a variable, is named before anything is run."""
    with pytest.raises(TypeError) as caught:
        fleece_cli(*arguments, env=env, in_process=in_process)
    assert fnmatch.fnmatchcase(str(caught.value), said.replace("[", "[[]"))
