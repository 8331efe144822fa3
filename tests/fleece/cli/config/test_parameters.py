"""Parameters: their names and texts, and what has to be written."""

import logging

import pytest

from fleece.cli.config import parameters, render
from fleece.cli.config.parameters import DEFAULT_KEY, Existing, Parameter
from fleece.cli.errors import CommandError, UsageError


@pytest.fixture
def flat(read, keys):
    """Return the parameters of a configuration below ``/p``, as a dictionary."""

    def parameters_of(text, prefix="/p"):
        rendered = render.render(read(text), "prod", keys)
        return {p.name: p.value for p in parameters.parameters(rendered, prefix)}

    return parameters_of


def test_every_value_is_a_text(flat, caplog):
    """Nested dictionaries are levels; numbers are as they were written, lists are JSON, null warns."""
    text = "a: {b: {c: x}, d: true}\ne: 0777\nf: 1.50\ng: [1, é, {h: ~}]\ni: {+prod: 'no', +dev: 1}\nj: ~\n"
    with caplog.at_level(logging.WARNING):
        assert flat(text, "/p/") == {
            "/p/a/b/c": "x",
            "/p/a/d": "true",
            "/p/e": "0777",
            "/p/f": "1.50",
            "/p/g": '[1, "é", {"h": null}]',
            "/p/i": "no",
            "/p/j": "null",
        }
    assert caplog.messages == ["config.j is null, and is written as the text 'null'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: ''", "config.a cannot be the parameter /p/a: Parameter Store takes no empty values"),
        ("a: '{{ssm:x}}'", "takes no {{"),
        ("a: {'b c': 1}", "config.a.b c cannot be the parameter /p/a/b c: a name can have letters"),
        ("a/b: 1", "config.a/b cannot be a parameter: a key must have characters, and no slash"),
        (f"a: {'é' * 4097}", "the value has 8194 bytes"),
        (f"{'a' * 1011}: 1", "more than 1011 characters"),
        ("".join("  " * i + f"a{i}:\n" for i in range(14)) + "  " * 14 + "b: 1", "more than 15 levels"),
    ],
)
def test_what_cannot_be_a_parameter(flat, text, message):
    """A value that Parameter Store would refuse is named before anything is written."""
    with pytest.raises(CommandError) as caught:
        flat(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("prefix", "error", "message"),
    [
        ("p", UsageError, "must begin with a slash"),
        ("/aws/x", CommandError, "AWS's own"),
        ("/SSM-x", CommandError, "AWS's own"),
        ("//p", CommandError, "two slashes"),
    ],
)
def test_prefixes(flat, prefix, error, message):
    """A prefix that cannot begin a name is refused."""
    with pytest.raises(error, match=message):
        flat("a: 1", prefix)


@pytest.mark.parametrize(
    ("there", "why", "advanced"),
    [
        (None, "new", False),
        (Existing("v", "SecureString", "Standard", DEFAULT_KEY), None, False),
        (Existing("w", "SecureString", "Standard", DEFAULT_KEY), "value", False),
        (Existing("v", "SecureString", "Standard", "arn:x"), "key", False),
        (Existing("w", "SecureString", "Advanced", "arn:x"), "value and key", True),
    ],
)
def test_only_what_differs_is_written(there, why, advanced):
    """A parameter is written when it is new or its value or key differs, and stays in the advanced tier."""
    existing = {} if there is None else {"/p/a": there}
    writes = parameters.plan([Parameter("/p/a", "v", ("config", "a"))], existing, DEFAULT_KEY)
    assert [(write.why, write.advanced) for write in writes] == ([] if why is None else [(why, advanced)])


def test_a_long_value_is_advanced():
    """A value over 4 KB is written in the advanced tier."""
    (write,) = parameters.plan([Parameter("/p/a", "é" * 2049, ("config", "a"))], {}, DEFAULT_KEY)
    assert write.advanced


def test_a_type_cannot_change():
    """A parameter that is there as plain text is an error before anything is written."""
    existing = {"/p/b": Existing("v", "String", "Standard", "")}
    wanted = [Parameter("/p/a", "v", ()), Parameter("/p/b", "v", ())]
    with pytest.raises(CommandError, match="/p/b is a String"):
        parameters.plan(wanted, existing, DEFAULT_KEY)


def test_a_plan_does_not_show_values():
    """The representation of a write, which may end in a log, has no value."""
    (write,) = parameters.plan([Parameter("/p/a", "hunter2", ())], {}, DEFAULT_KEY)
    assert "hunter2" not in repr(write)
