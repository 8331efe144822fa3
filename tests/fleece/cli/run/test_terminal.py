"""``fleece run`` on a terminal: what it asks there, the keys that stop and interrupt, the window and its output."""

import functools
import sys

import pytest

from fleece_testing.command_line import Terminal, write_environments

RUN = ("run", "-e", "local", "--")
EXPORT = ("run", "-e", "dev", "--export", "json")
NOBODY = {"RS_USERNAME": None, "RS_API_KEY": None}


@pytest.fixture
def emulator(fleece_cli):
    """Write an environment ``local`` that needs no server, and return the command line."""
    write_environments(fleece_cli.folder, "http://127.0.0.1:1", {"local": {"provider": "static"}})
    return fleece_cli


@pytest.fixture
def asking(fleece_cli, fleece_rackspace, fleece_environments):
    """Have a user with a second factor and an environment ``dev``, and return the command line."""
    fleece_rackspace.user("me", "my-key", mfa="123456")
    fleece_environments(dev={})
    return fleece_cli


@pytest.fixture
def shell(asking):
    """Open an interactive shell, which knows jobs, on a terminal, with ``fleece`` in a variable."""
    write_environments(asking.folder, "http://127.0.0.1:1", {"local": {"provider": "static"}, "dev": {}})
    variables = {**NOBODY, "PS1": "ready> ", "ENV": None, "FLEECE": f"{sys.executable} -m fleece"}
    with Terminal(["sh", "-i"], folder=asking.folder, environment=asking.environment(variables)) as terminal:
        terminal.expect("ready> ")
        yield terminal


def press(terminal, key, seen):
    """Press a key that is a signal, and once more where nothing is seen of it; return what is seen.

    Python looks for signals before it reads, and when they interrupt that: one in the instant between waits for more.
    """
    terminal.send(key)
    try:
        return seen(timeout=5)
    except AssertionError:
        terminal.send(key)
        return seen()


# Questions


def test_questions(asking):
    """User name, API key and passcode are asked for on stderr; the secrets are not shown, and stdout has the data."""
    with asking.terminal(*EXPORT, env=NOBODY, pipes=["stdout"]) as terminal:
        terminal.expect("Rackspace user name: ")
        terminal.send("me\n")
        terminal.expect("Rackspace API key of me: ")
        terminal.send("my-key\n")
        terminal.expect("Passcode of me: ")
        terminal.send("123456\n")
        result = terminal.wait()
    assert result.exit_code == 0
    assert result.json["AWS_SESSION_TOKEN"]
    assert result.stderr == "Rackspace user name: me\r\nRackspace API key of me: \r\nPasscode of me: \r\n"


def test_questions_when_all_streams_are_data(asking):
    """Secrets are asked for on the terminal even when it is none of the three streams."""
    asking_for = {"RS_USERNAME": "me", "RS_API_KEY": None}
    arguments = ("run", "-e", "dev", "--", "sh", "-c", "cat; echo told >&2")
    with asking.terminal(*arguments, env=asking_for, stdin="data", pipes=["stdout", "stderr"]) as terminal:
        terminal.expect("Rackspace API key of me: ")
        terminal.send("my-key\n")
        terminal.expect("Passcode of me: ")
        terminal.send("123456\n")
        result = terminal.wait()
    assert (result.exit_code, result.stdout, result.stderr) == (0, "data", "told\n")


def test_a_user_name_is_not_read_from_data(asking):
    """Data on stdin is the command's: a missing user name is told, not taken from there."""
    with asking.terminal(*EXPORT, env=NOBODY, stdin="me\n") as terminal:
        result = terminal.wait()
    assert result.exit_code == 2
    assert result.terminal.startswith("Error: no credentials: the Rackspace user name is missing; give --username")


@pytest.mark.parametrize("known", [{}, {"RS_USERNAME": "me"}, {"RS_USERNAME": "me", "RS_API_KEY": "my-key"}])
def test_no_input(asking, known):
    """With ``--no-input``, nothing is asked, though there is a terminal: what is missing is named, exit 2."""
    missing = ["Rackspace user name", "Rackspace API key of me", "passcode of me"][len(known)]
    with asking.terminal(*EXPORT, "--no-input", env={**NOBODY, **known}) as terminal:
        result = terminal.wait()
    assert result.exit_code == 2
    assert result.terminal.startswith(f"Error: no credentials: the {missing} is missing; give ")
    assert result.terminal.count("\n") == 1


@pytest.mark.parametrize(
    ("known", "question"),
    [
        ({}, "Rackspace user name: "),
        ({"RS_USERNAME": "me"}, "Rackspace API key of me: "),
        ({"RS_USERNAME": "me", "RS_API_KEY": "my-key"}, "Passcode of me: "),
    ],
)
@pytest.mark.parametrize(
    ("key", "code", "told"),
    [
        (Terminal.CTRL_C, 130, "Error: interrupted\r\n"),
        (Terminal.CTRL_D, 125, "Error: the input ended where an answer was needed\r\n"),
    ],
)
def test_a_question_is_left(asking, known, question, key, code, told):
    """Ctrl-C at a question is exit 130, the end of input a failure: a line each, and the command is not run."""
    arguments = ("run", "-e", "dev", "--", "echo", "ran")
    with asking.terminal(*arguments, env={**NOBODY, **known}, pipes=["stdout"]) as terminal:
        terminal.expect(question)
        result = press(terminal, key, terminal.wait)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.endswith(told)
    assert result.stderr.count("Error") == 1


def test_a_question_that_is_left_leaves_the_terminal_in_order(shell):
    """After Ctrl-C at a question for a secret, the shell shows again what is typed."""
    shell.send("$FLEECE run -e dev -u me -- true\n")
    shell.expect("Rackspace API key of me: ")
    press(shell, shell.CTRL_C, functools.partial(shell.expect, "ready> "))
    shell.send("echo code $?\n")
    shell.expect("echo code")
    shell.expect("code 130\r\n")


def test_stopped_at_a_question(shell):
    """Ctrl-Z at a question for a secret leads back to the shell, and the answer is taken after ``fg``, unseen."""
    shell.send("$FLEECE run -e dev -u me --no-cache -- true\n")
    shell.expect("Rackspace API key of me: ")
    shell.send(shell.CTRL_Z)
    shell.expect("ready> ")
    shell.send("fg\n")
    shell.expect("-u me --no-cache")
    shell.send("my-key\n")
    shell.expect("Passcode of me: ")
    shell.send("123456\n")
    shell.expect("ready> ")
    shell.send("echo code $?\n")
    shell.expect("code 0\r\n")
    assert "my-key" not in shell.text
    assert "123456" not in shell.text


# The command's own terminal


def test_ctrl_c_reaches_the_command_once(emulator):
    """Ctrl-C is the command's alone, which takes fleece's place: one signal, and what it does then is its own."""
    script = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "print('ready', flush=True)\n"
        "signal.sigwait([signal.SIGINT])\n"
        "print('interrupted', flush=True)\n"
        "code = int(input())\n"
        "print('again' if signal.sigpending() else 'once')\n"
        "raise SystemExit(code)\n"
    )
    with emulator.terminal(*RUN, sys.executable, "-c", script) as terminal:
        terminal.expect("ready")
        terminal.send(terminal.CTRL_C)
        terminal.expect("interrupted")
        terminal.send("7\n")
        result = terminal.wait()
    assert result.exit_code == 7
    assert result.terminal.endswith("once\r\n")
    assert "Error" not in result.terminal


def test_ctrl_c_ends_the_command(emulator):
    """A command that does nothing about Ctrl-C ends by that signal, and fleece adds no word."""
    with emulator.terminal(*RUN, "sh", "-c", "echo ready; cat") as terminal:
        terminal.expect("ready")
        terminal.send(terminal.CTRL_C)
        result = terminal.wait()
    assert (result.exit_code, result.terminal) == (-2, "ready\r\n^C")


def test_job_control(shell):
    """Ctrl-Z stops the command, ``fg`` goes on with it, and ``bg`` and ``kill`` reach it as a job."""
    shell.send("$FLEECE run -e local -- cat\none\n")
    shell.expect("one\r\none\r\n")
    shell.send(shell.CTRL_Z)
    shell.expect("ready> ")
    shell.send("jobs\n")
    shell.expect("Stopped")
    shell.expect("ready> ")
    shell.send("fg\n")
    shell.expect("cat\r\n")
    shell.send("two\n")
    shell.expect("two\r\ntwo\r\n")
    shell.send(shell.CTRL_D)
    shell.expect("ready> ")
    shell.send("echo code $?\n")
    shell.expect("code 0\r\n")


def test_window_size(emulator):
    """The command has the size of the window, and is told when that changes."""
    script = (
        "import os, signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])\n"
        "print(*os.get_terminal_size(), flush=True)\n"
        "signal.sigwait([signal.SIGWINCH])\n"
        "print(*os.get_terminal_size(), flush=True)\n"
    )
    with emulator.terminal(*RUN, sys.executable, "-c", script, rows=10, columns=60) as terminal:
        terminal.expect("60 10\r\n")
        terminal.resize(30, 100)
        terminal.expect("100 30\r\n")
        assert terminal.wait().exit_code == 0


def test_the_window_is_closed(emulator):
    """When the window is closed, the command is told, and has the time to end in order."""
    script = "trap 'echo saved > note; exit' HUP; echo ready; while :; do sleep 0.02; done"
    with emulator.terminal(*RUN, "sh", "-c", script) as terminal:
        terminal.expect("ready")
    assert (emulator.folder / "note").read_text() == "saved\n"


@pytest.mark.parametrize("pipes", [[], ["stdout"], ["stderr"], ["stdout", "stderr"]])
@pytest.mark.parametrize("stdin", [None, "data"])
def test_streams_are_the_commands_own(emulator, pipes, stdin):
    """Each stream is to the command what it was to fleece: a terminal or not."""
    show = "import os; open('seen', 'w').write(repr([os.isatty(stream) for stream in range(3)]))"
    with emulator.terminal(*RUN, sys.executable, "-c", show, pipes=pipes, stdin=stdin) as terminal:
        assert terminal.wait().exit_code == 0
    expected = [stdin is None, "stdout" not in pipes, "stderr" not in pipes]
    assert (emulator.folder / "seen").read_text() == repr(expected)


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_are_the_commands_business(emulator, variables):
    """What says whether to use colours reaches the command as it is; fleece's own words are plain on every terminal."""
    script = 'echo "<$NO_COLOR $FORCE_COLOR $TERM>"'
    names = ("NO_COLOR", "FORCE_COLOR", "TERM")
    given = {**dict.fromkeys(names), **variables}
    with emulator.terminal(*RUN, "sh", "-c", script, env=given) as terminal:
        assert terminal.wait().exit_code == 0
    shown = {**dict.fromkeys(names, ""), "TERM": "xterm", **variables}
    assert terminal.text == f"<{shown['NO_COLOR']} {shown['FORCE_COLOR']} {shown['TERM']}>\r\n"
    for arguments in (("--help",), ("run", "--help"), ("run", "-e", "nope", "--", "true")):
        with emulator.terminal(*arguments, env=given) as terminal:
            assert "\x1b" not in terminal.wait().terminal
