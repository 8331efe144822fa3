"""The examples in the commands' help: each command has one, and each runs as it stands."""

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fleece_testing.local.commands import group

EXAMPLE = re.compile(r"^ *((?:echo .* \| )?fleece-local (\w+)(?: \S+)*)", re.MULTILINE)
HELP = "\n".join([group.help, *(command.help for command in group.commands.values())])
EXAMPLES = dict(EXAMPLE.findall(HELP))
ONCE = [line for line, command in EXAMPLES.items() if command in {"invoke", "traces"}]


def test_every_command_has_an_example():
    """The help of each command shows it in use, and the help of all shows each."""
    in_group = {command for _, command in EXAMPLE.findall(group.help)}
    in_their_own = {command for one in group.commands.values() for _, command in EXAMPLE.findall(one.help)}
    assert in_group == in_their_own == set(group.commands)


@pytest.mark.parametrize("line", ONCE)
def test_what_asks_the_stack(line, place, running):
    """An example runs in a shell, in a folder with the files that it names, while a stack is running."""
    code = "def main(event, context): return event['id']"
    (place.folder / "src").mkdir()
    (place.folder / "src" / "handler.py").write_text(code)
    (place.folder / "dist").mkdir()
    with zipfile.ZipFile(place.folder / "dist" / "lambda_function.zip", "w") as package:
        package.writestr("handler.py", code)
    (place.folder / "event.json").write_text('{"id": 1}')
    place.environment["FLEECE_LOCAL_STACK"] = str(running.folder / "ready.json")
    done = in_shell(line, place)
    assert done.returncode == 0, done.stderr
    if "invoke" in line:
        assert done.stdout == "1\n"
    elif "> traces.json" in line:
        assert "traces" in json.loads((place.folder / "traces.json").read_text())


def test_up_and_the_second_terminal(place):
    """The stack starts, and the line for the second terminal leads its programs there."""
    up, second = group.commands["up"].help.partition("\b\n")[2].strip().splitlines()
    _, _, *arguments = shlex.split(up)
    with place.up(*arguments) as process:  # at any port: the default one may be taken
        environment = process.stack["environment"]
        done = in_shell(f'{second}\necho "$AWS_ENDPOINT_URL"', place)
    assert done.stdout.strip() == environment["AWS_ENDPOINT_URL"]


def test_the_demo():
    """The demo takes what its example gives it; ``tox run -e demo`` runs it."""
    (line,) = [line for line, command in EXAMPLES.items() if command == "demo"]
    arguments = shlex.split(line, comments=True)[2:]
    assert group.commands["demo"].make_context("demo", arguments).params["folder"] == Path("localstack")


def in_shell(line, place):
    """Run a line with the ``fleece-local`` of this Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), place.environment["PATH"]])
    return subprocess.run(
        ["sh", "-c", line],
        cwd=place.folder,
        env={**place.environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
