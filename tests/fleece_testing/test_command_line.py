"""The ``fleece`` command as a child process, and environments for it."""

import os
import subprocess

import pytest
import yaml

from fleece_testing.command_line import CommandLine, write_environments

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
