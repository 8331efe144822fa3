"""Parameters: their names and texts, and what has to be written."""

import logging

import pytest

from fleece.cli.config import parameters, render
from fleece.cli.config.parameters import DEFAULT_KEY, Existing, Parameter
from fleece.cli.errors import CommandError, UsageError


@pytest.fixture
def flat(read, keys):
    """Return the parameters of a configuration below ``/p``, as a dictionary."""

    def parameters_of(text, prefix="/p", **options):
        rendered = render.render(read(text), "prod", keys)
        return {p.name: p.value for p in parameters.parameters(rendered, prefix, **options)}

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
        ("/aws/x", UsageError, "^the prefix '/aws/x' cannot be used: names that begin with aws"),
        ("/SSM-x", UsageError, "AWS's own"),
        ("//p", UsageError, "two slashes"),
        ("/a b", UsageError, "letters, digits"),
        ("/" + "p" * 1011, UsageError, "more than 1011 characters"),
        ("/p" * 16, UsageError, "more than 15 levels"),
        ("/p" * 15, CommandError, "^config.a cannot be the parameter (/p)+/a: .* more than 15 levels"),
    ],
)
def test_prefixes(flat, prefix, error, message):
    """A prefix that cannot begin a name is refused; with what is below it, a name may be too long all the same."""
    with pytest.raises(error, match=message):
        flat("a: 1", prefix)


@pytest.mark.parametrize("prefix", ["/", "//"])
def test_no_prefix(flat, prefix):
    """A slash alone puts the parameters at the top."""
    assert flat("a: 1", prefix) == {"/a": "1"}


def test_the_length_of_a_name_is_that_of_the_region(flat):
    """How long a name can be is for the caller to say, as its ARN counts."""
    assert len(flat(f"{'a' * 7}: 1", longest=10)) == 1
    with pytest.raises(CommandError, match="more than 10 characters"):
        flat(f"{'a' * 8}: 1", longest=10)


def test_what_makes_no_parameter_is_told(flat, caplog):
    """An empty dictionary has no leaves, and so no parameter: a warning says so."""
    assert flat("a: {}\nb: {c: {}}\nd: []\n") == {"/p/d": "[]"}
    assert caplog.messages == [
        "config.a is empty, and makes no parameter",
        "config.b.c is empty, and makes no parameter",
    ]


def test_a_whole_configuration_per_stage(flat):
    """The configuration may be one dictionary for each stage."""
    assert flat("+prod: {a: 1}\n+/.*/: {b: 1}\n") == {"/p/a": "1"}
    with pytest.raises(CommandError, match="no dictionary for the stage prod"):
        flat("+prod: 1\n+/.*/: 2\n")


@pytest.mark.parametrize(
    ("there", "changes", "tier"),
    [
        (None, ("new",), None),
        (Existing("v", "SecureString", "Standard", DEFAULT_KEY), None, None),
        (Existing("w", "SecureString", "Standard", DEFAULT_KEY), ("value",), None),
        (Existing("v", "SecureString", "Standard", "arn:x"), ("key",), None),
        (Existing("w", "SecureString", "Advanced", "arn:x"), ("value", "key"), "Advanced"),
        (Existing("w", "SecureString", "Intelligent-Tiering", DEFAULT_KEY), ("value",), "Intelligent-Tiering"),
        (Existing("v", "String", "Standard", ""), ("type",), None),
    ],
)
def test_only_what_differs_is_written(there, changes, tier):
    """A parameter is written when it is new or its value, type or key differs, and its tier never goes down."""
    existing = {} if there is None else {"/p/a": there}
    writes = parameters.plan([Parameter("/p/a", "v", ("config", "a"))], existing, DEFAULT_KEY)
    assert [(write.changes, write.tier) for write in writes] == ([] if changes is None else [(changes, tier)])


@pytest.mark.parametrize(("size", "tier"), [(2048, None), (2049, "Advanced")])
def test_a_long_value_is_advanced(size, tier):
    """A value over 4 KB, in bytes, is written in the advanced tier."""
    (write,) = parameters.plan([Parameter("/p/a", "é" * size, ("config", "a"))], {}, DEFAULT_KEY)
    assert write.tier == tier


def test_a_type_cannot_change():
    """Parameters that are there as plain text are an error that names all of them."""
    existing = {name: Existing("v", "String", "Standard", "") for name in ("/p/b", "/p/c")}
    wanted = [Parameter(name, "v", ()) for name in ("/p/a", "/p/b", "/p/c")]
    writes = parameters.plan(wanted, existing, DEFAULT_KEY)
    parameters.check_types(writes[:1])
    with pytest.raises(CommandError, match=r"^/p/b is a String, /p/c is a String, and a type cannot change: delete"):
        parameters.check_types(writes)


def test_a_plan_does_not_show_values():
    """The representations of parameters and writes, which may end in a log, have no value."""
    wanted = Parameter("/p/a", "hunter2", ())
    there = Existing("hunter1", "SecureString", "Standard", DEFAULT_KEY)
    (write,) = parameters.plan([wanted], {"/p/a": there}, DEFAULT_KEY)
    assert "hunter" not in f"{wanted!r} {there!r} {write!r} {write}"
    assert str(write) == "/p/a (value)"
