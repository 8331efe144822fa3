"""``fleece config exec``: a stage's values as the variables of a command, which fleece becomes."""

import json
import sys

import pytest

from fleece.cli.config import closed, document
from fleece.cli.config.render import render
from fleece.cli.config.variables import variables
from fleece.cli.errors import CommandError

SHOW = [sys.executable, "-c", "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"]


def variables_of(read, keys, text):
    there = document.parse(closed.import_(read(text), None, keys))
    return variables(render(there, "prod", keys))


def test_names_and_texts(read, keys):
    """Nested names are joined by underscores, in capitals; values are texts as they were written, lists JSON."""
    text = """
    a: 1.50
    nested: {inner: yes, on: true, deep-er: {x.y: é}}
    secret: {+prod: ':encrypt:line 1', +/.*/: no}
    list: [1, {b: ':x'}]
    empty: ''
    nothing: {}
    """
    assert variables_of(read, keys, text) == {
        "A": "1.50",
        "NESTED_INNER": "yes",
        "NESTED_ON": "true",
        "NESTED_DEEP_ER_X_Y": "é",
        "SECRET": "line 1",
        "LIST": '[1, {"b": ":x"}]',
        "EMPTY": "",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: {b: 1}\na_b: 2", "config.a_b and config.a.b are both the variable A_B"),
        ("a-b: 1\nA_B: 2", "config.A_B and config.a-b are both the variable A_B"),
        ("0a: 1", "config.0a cannot be the variable '0A': a name begins with a letter or _"),
        ("+prod: 1\n+/.*/: 2", "config is no dictionary for the stage prod, so its values have no names"),
        (
            "list: [1, {+prod: .inf, +/.*/: 1}]",
            "config.list[1].+prod (stage prod) is .inf, and JSON has no such number",
        ),
        ("'': 1", "cannot be the variable ''"),
        ('a: {+prod: ":encrypt:x\\0y"}', "config.a cannot be the variable A: it has a null character"),
    ],
)
def test_what_cannot_be_a_variable(read, keys, text, told):
    """Two values of one name, and what the system takes for no variable, are errors that name the values."""
    with pytest.raises(CommandError) as caught:
        variables_of(read, keys, text)
    assert told in str(caught.value)


def test_the_command_has_the_values(imported):
    """The command is run as it is, with its own arguments and the values beside the variables that were there."""
    result = imported.cli("config", "exec", "prod", "--", *SHOW, "-e", "--any-key", "$A b'", env={"MINE": "1"})
    assert result.exit_code == 0, result
    environment, arguments = json.loads(result.stdout)
    assert arguments == ["-e", "--any-key", "$A b'"]
    given = {name: environment.get(name) for name in ("FOO", "PASSWORD", "NESTED_NUMBERS", "NESTED_ON", "MINE")}
    assert given == {
        "FOO": "bar",
        "PASSWORD": "prod-secret",
        "NESTED_NUMBERS": "[1, 2]",
        "NESTED_ON": "yes",
        "MINE": "1",
    }


def test_the_command_gets_no_variable_of_pythons_own(imported):
    """Where there is no locale, what Python sets for itself (``LC_CTYPE``) is not for the command."""
    nothing = dict.fromkeys(("LANG", "LC_ALL", "LC_CTYPE"))
    result = imported.cli("config", "exec", "prod", "--", "env", env=nothing)
    assert "PASSWORD=prod-secret" in result.stdout.splitlines()
    assert "LC_CTYPE" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("prod", "--", "sh", "-c", "exit 3"), 3, ""),
        (("prod", "--", "sh", "-c", "kill -9 $$"), -9, ""),
        (("prod", "--", "no-such-program"), 127, "no-such-program: command not found"),
        (("prod", "--", "/"), 126, "cannot be executed"),
        (("prod",), 2, "Give the command to run after --"),
        (("prod", "--"), 2, "Give the command to run after --"),
        (("prod", "sh"), 2, "Unexpected 'sh': the command to run stands after --"),
        (("a" * 65, "--", "true"), 2, "65 characters"),
    ],
)
def test_exit_codes(imported, arguments, code, told):
    """The codes are those of ``fleece run``: the command's own, 126 and 127 without one, 2 for wrong usage."""
    result = imported.cli("config", "exec", *arguments)
    assert result.exit_code == code
    assert told in result.stderr


def test_a_failure_of_fleece_is_125(imported, fleece_aws):
    """What fleece itself cannot do is no exit code that the command could have."""
    fleece_aws.deny("kms:Decrypt")
    result = imported("exec", "prod", "--", "true")
    assert result.exit_code == 125
    assert "config.password.+prod (stage prod): cannot be decrypted" in result.stderr


def test_a_value_that_is_too_long_for_the_system_is_named(config):
    """Where the system takes no such long variable, the message has its name and size, and none of its text."""
    config.path.write_text(
        f"stages: {{prod: {{environment: production, key: p}}}}\nconfig: {{short: x, long: {{pem: {'é' * 2**20}}}}}\n"
    )
    result = config.cli("config", "exec", "prod", "--", "true")
    assert result.exit_code == 126
    assert result.stderr == (
        "Error: true: cannot be executed: Argument list too long; the longest value is that of LONG_PEM, "
        "2097152 bytes: render it to a file, or make it shorter\n"
    )
