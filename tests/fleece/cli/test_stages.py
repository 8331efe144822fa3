"""Which stage a name means, and which expressions are refused."""

import re
import sys

import pytest
from hypothesis import given, settings, strategies as st

from fleece.cli.errors import UsageError
from fleece.cli.stages import StageError, compiled, match, repeats_a_repeat

if sys.version_info >= (3, 11):
    from re import _constants as constants, _parser as parser
else:
    import sre_constants as constants
    import sre_parse as parser


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
        ("/(a+)+b/", "repeats a repeat"),
        ("/((a|b)*c){2,}/", "repeats a repeat"),
        ("/(?:x(?:y*)z)+/", "repeats a repeat"),
        ("/(a+)(?#a comment)+/", "repeats a repeat"),
    ],
)
def test_refused_expressions(stage, told):
    """An expression that is broken, too long, or could match for ever is an error that names it."""
    with pytest.raises(StageError, match=re.escape(told)):
        compiled(stage)


@pytest.mark.parametrize(
    "stage", ["/" + "a" * 200 + "/", "/(dev|test)+/", "/(a+){2,3}/", "/[(+]+/", r"/\(a+\)+/", "/a+b+/"]
)
def test_accepted_expressions(stage):
    """What only looks like a repeated repeat is taken."""
    assert compiled(stage).pattern == stage[1:-1]


def test_a_name_that_is_too_long():
    """A stage's name has 64 characters at most."""
    assert match("x" * 64, ["/x*/"]) == "/x*/"
    with pytest.raises(UsageError, match="has 65 characters, 64 at most"):
        match("x" * 65, ["/x*/"])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "(", ")", "(?:", "(?=", "*", "+", "?", "{2,}", "{1,2}", "|", "[a+(]", r"\(", r"\*"]))
)
def test_repeated_repeats_are_what_the_parser_of_re_sees(tokens):
    """The scan of the text and Python's own parse tree agree about every expression that compiles."""
    expression = "".join(tokens)
    try:
        re.compile(expression)
    except re.error:
        return
    assert repeats_a_repeat(expression) == _nested(parser.parse(expression), within=False)


def _nested(tree, *, within):
    names = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")  # the last from Python 3.11 on
    repeats = {getattr(constants, name) for name in names if hasattr(constants, name)}
    if isinstance(tree, parser.SubPattern):
        return any(_nested(item, within=within) for item in tree)
    if isinstance(tree, tuple) and tree and tree[0] in repeats:
        _low, high, inner = tree[1]
        unbounded = high is constants.MAXREPEAT
        return (unbounded and within) or _nested(inner, within=within or unbounded)
    if isinstance(tree, (tuple, list)):
        return any(_nested(item, within=within) for item in tree)
    return False
