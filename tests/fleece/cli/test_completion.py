"""Completion, as somebody has it who presses Tab in a real shell."""

import os
import shutil
import subprocess
import sys

import pytest

from fleece_testing.command_line import Terminal, write_environments

# What a shell's configuration has, as the README says.
SOURCES = {
    "bash": 'eval "$(_FLEECE_COMPLETE=bash_source fleece)"',
    "zsh": 'autoload -Uz compinit; compinit -D; eval "$(_FLEECE_COMPLETE=zsh_source fleece)"',
    "fish": "_FLEECE_COMPLETE=fish_source fleece | source",
}
INTERACTIVE = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
# What it would offer for a line, without a terminal; zsh has no such way.
ASK = {
    "bash": 'COMP_WORDS=($1); [ "${1% }" = "$1" ] || COMP_WORDS+=(\'\'); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
    '_fleece_completion fleece; for one in "${COMPREPLY[@]}"; do echo "$one"; done',
    "fish": 'complete -C "$argv[1]"',
}
# bash is on every machine that runs these tests; the others are tried where somebody has them.
FOUND = ["bash", *(shell for shell in ("zsh", "fish") if shutil.which(shell))]


@pytest.fixture
def folder(tmp_path):
    """Write environments with stages, and a command ``fleece`` that is this checkout's."""
    names = ("local", "staging", "standby")
    path = write_environments(tmp_path, "http://127.0.0.1:1", {name: {"provider": "static"} for name in names})
    path.write_text(path.read_text() + "stages:\n  prod: {environment: local}\n  /p.*/: {environment: local}\n")
    (tmp_path / "other.yml").write_text("environments: [{name: elsewhere, account: '123456789012', colour: red}]\n")
    (tmp_path / "script.sh").write_text("")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "fleece"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m fleece "$@"\n')
    command.chmod(0o755)
    return tmp_path


@pytest.fixture
def variables(folder):
    """Return the variables of a shell that finds that command."""
    home = {"HOME": str(folder), "PS1": "ready> ", "ZDOTDIR": str(folder)}
    return {**os.environ, **home, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


@pytest.mark.parametrize("shell", [shell for shell in FOUND if shell in INTERACTIVE])
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("fleece ru\t-e loc\t-- printf '%s!' ok\n", "ok!"),
        ("fleece run --env\tloc\t-- sh -c 'echo $AWS_ACCESS_KEY_ID!'\n", "test!"),
        ("fleece run --stage pr\t-- printf '%s!' ok\n", "ok!"),
        ("fleece run --no-in\t-c oth\t-e els\t--export json 2>&1 | tr a-z A-Z\n", "GIVE --APIKEY-FILE"),
        ("fleece run -e local -- ls scr\t| tr t T\n", "scripT.sh"),
    ],
)
def test_tab(folder, variables, shell, typed, completed):
    """Commands, options, environments, stages and files are completed, and what is completed runs."""
    variables = {**variables, "RS_USERNAME": "me"}
    variables.pop("RS_API_KEY", None)
    with Terminal(INTERACTIVE[shell], folder=folder, environment=variables) as terminal:
        terminal.expect("ready> ")
        terminal.send(f"{SOURCES[shell]}; echo sour''ced\n")
        terminal.expect("sourced")
        terminal.send(typed)
        terminal.expect(completed)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("fleece r", ["run"]),
        ("fleece run -e sta", ["staging", "standby"]),
        ("fleece run -s p", ["prod"]),
        ("fleece run -c other.yml -e ", ["elsewhere"]),
        ("fleece run --export p", ["powershell"]),
        ("fleece run -c nowhere.yml -e ", []),
    ],
)
@pytest.mark.parametrize("shell", [shell for shell in FOUND if shell in ASK])
def test_what_is_offered(folder, variables, shell, line, offered):
    """Shells are offered what begins so, and hear nothing of problems with a file."""
    arguments = {"bash": ["--norc", "-c", f"{SOURCES[shell]}; {ASK[shell]}", "bash", line]}.get(
        shell, ["--no-config", "-c", f"{SOURCES[shell]}; {ASK[shell]}", line]
    )
    done = subprocess.run([shell, *arguments], capture_output=True, text=True, check=False, cwd=folder, env=variables)
    assert [one.partition("\t")[0] for one in done.stdout.splitlines() if one] == offered
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(fleece_cli, shell):
    """Shells get their script from ``_FLEECE_COMPLETE``."""
    result = fleece_cli(env={"_FLEECE_COMPLETE": f"{shell}_source"}, in_process=True)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_FLEECE_COMPLETE={shell}_complete" in result.stdout


@pytest.mark.parametrize("asked", ["", "bash_complete", "tcsh_source", "nonsense"])
def test_requests_that_no_shell_makes(fleece_cli, asked):
    """What cannot be answered fails without a word: nobody wants a traceback while typing."""
    result = fleece_cli("run", env={"_FLEECE_COMPLETE": asked, "COMP_WORDS": None}, in_process=True)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
