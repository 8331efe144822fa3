"""Which stage a name means, and which expressions are refused."""

import re

import pytest
from hypothesis import given, settings, strategies as st

from fleece.cli.errors import UsageError
from fleece.cli.stages import StageError, compiled, match


@pytest.mark.parametrize(
    ("name", "stages", "expected"),
    [
        ("prod", ["/.*/", "prod"], "prod"),
        ("dev-1", ["prod", "/dev-.*/", "/.*/"], "/dev-.*/"),
        ("dev-1", ["/.*/", "/dev-.*/"], "/.*/"),
        ("xdev", ["/dev/"], None),
        ("devx", ["/dev/"], None),
        ("a/b", ["/a/b/"], "/a/b/"),
        ("/x.z/", ["/x.z/"], "/x.z/"),
        ("dev\n", ["/dev/"], None),
        ("", ["/.*/"], "/.*/"),
        ("prod", [], None),
        ("/", ["/"], "/"),
    ],
)
def test_match(name, stages, expected):
    """Equality comes first, then the first expression of the file that matches all of the name."""
    assert match(name, stages) == expected


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("/(/", "is not a regular expression"),
        ("/" + "a" * 201 + "/", "has 201 characters, 200 at most"),
        ("/(a+)+b/", "for ever"),
        ("/(a+){1,60}/", "for ever"),
        ("/(a|a)*/", "for ever"),
        ("/(a|aa)*/", "for ever"),
        ("/(?:a?){64}/", "for ever"),
        ("/((a|b)*c){2,}/", "for ever"),
        ("/(?:x(?:y*)z)+/", "for ever"),
        ("/(a+)(?#a comment)+/", "for ever"),
        ("/(?x)(a+) +/", "for ever"),
        ("/a*a*a*a*a*a*a*a*b/", "for ever"),
        ("/(?=(a+)+b)a/", "for ever"),
        ("/(a)(?:\\1\\1?)*b/", "for ever"),
        ("/(a)(?(1)(a+)+b)/", "for ever"),
    ],
)
def test_refused_expressions(stage, told):
    """An expression that is broken, too long, or could match for ever is an error that names it."""
    with pytest.raises(StageError, match=re.escape(told)):
        compiled(stage)


@pytest.mark.parametrize(
    "stage",
    [
        "/" + "a" * 200 + "/",
        "/.*/",
        "/dev-.*/",
        r"/(dev|test)-\d+/",
        "/(dev|test)+/",
        "/.*-.*-.*-.*-.*/",
        "/(feature|bugfix)/[A-Z]+-[0-9]+(-.*)?/",
        r"/(\d{1,3}\.){3}\d{1,3}/",
        "/(a|b)*/",
        "/(?:(?:){9999}){9999}/",
        "/(a+){2,3}/",
        "/[(+]+/",
        r"/\(a+\)+/",
        "/a+b+/",
    ],
)
def test_accepted_expressions(stage):
    """What only looks like a repeated repeat is taken."""
    assert compiled(stage).pattern == stage[1:-1]


def test_a_name_that_is_too_long():
    """A stage's name has 64 characters at most."""
    assert match("x" * 64, ["/x*/"]) == "/x*/"
    with pytest.raises(UsageError, match="has 65 characters, 64 at most"):
        match("x" * 65, ["/x*/"])


TOKENS = [
    "a",
    "b",
    "(",
    ")",
    "(?:",
    "(?=",
    "(?!",
    "*",
    "+",
    "?",
    "{2,}",
    "{1,60}",
    "|",
    "[ab]",
    r"\1",
    "(?x)",
    " ",
    ".*",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=20))
def test_no_expression_that_is_taken_hangs(tokens):
    """Whatever compiles is refused, or has soon answered for the names that are the worst for it."""
    try:
        pattern = compiled(f"/{''.join(tokens)}/")
    except StageError:
        return
    for name in ("a" * 64, "a" * 63 + "-", "ab" * 32, "a" * 31 + "b" + "a" * 32):
        pattern.fullmatch(name)
