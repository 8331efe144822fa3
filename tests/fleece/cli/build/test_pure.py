"""The small pure parts: URLs, exclusions, the cache's key, sizes, words after ``-e``."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from fleece.cli.build.arguments import spread_excludes
from fleece.cli.build.exclusions import Exclusions, is_noise
from fleece.cli.build.fingerprints import fingerprints
from fleece.cli.build.plan import UNPACKED_LIMIT, cache_key, may_name_index, packages_left_out, reduced_key, refusal
from fleece.cli.build.requirements import Requirements
from fleece.cli.build.target import target_for
from fleece.cli.build.urls import has_credentials, mask, without_users

TARGET = target_for("3.12", "x86_64")

USER_PARTS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='/"<>'), min_size=1)


@given(user=USER_PARTS, scheme=st.sampled_from(["http", "https", "git+https", "HTTPS"]))
def test_no_user_part_of_a_url_survives_masking(user, scheme):
    """Whatever stands before the host, it is gone, and the text around it is not."""
    assert (
        mask(f"Looking in {scheme}://{user}@host.example/simple now")
        == f"Looking in {scheme}://****@host.example/simple now"
    )


@pytest.mark.parametrize(
    ("text", "shown", "compared"),
    [
        ("https://h/s?token=x&y='z now", "https://h/s?**** now", "https://h/s?token=x&y='z now"),
        ("https://u@h/a@1?b@2#egg=c", "https://****@h/a@1?****#egg=c", "https://****@h/a@1?b@2#egg=c"),
        ("a https://h/s?b,https://u:p@h/", "a https://h/s?****", "a https://h/s?b,https://u:p@h/"),
        ("https://h?x=a@b/c", "https://****@b/c", "https://****@b/c"),
        ("https://h/a.whl#sha256=00?", "https://h/a.whl#sha256=00?", "https://h/a.whl#sha256=00?"),
    ],
)
def test_a_query_is_not_shown_and_counts(text, shown, compared):
    """Tokens in queries are masked as users are; yet another query may lead to other packages."""
    assert mask(text) == shown
    assert without_users(text) == compared


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("--index-url https://user:pw@host/simple", True),
        ("x @ git+https://token@host/x.git", True),
        ("https://${USER}:${TOKEN}@host/simple", False),
        ("https://${USER}:pw@host/simple", True),
        ("https://user:it's@host/simple", True),
        ("index = 'https://host/simple' # me@example.com", False),
        ("x @ git+ssh://git@host/x.git", False),
        ("https://host/simple?token=hunter2", True),
        ("https://host/simple?hunter2", True),
        ("https://host/simple?a==${B}", True),
        ("https://host/simple?token=${TOKEN}&job=${JOB}", False),
        ("https://host/simple?#a=b", False),
        ("https://host/simple # me@example.com", False),
        ("", False),
    ],
)
def test_credentials_are_those_written_out(text, secret):
    """A reference to the environment is no secret, and the user of ssh is none either."""
    assert has_credentials(text) is secret


@pytest.mark.parametrize(
    ("pattern", "path", "match"),
    [
        ("*.md", "docs/readme.md", True),
        ("boto3*", "boto3/session.py", True),
        ("boto3*", "boto3-1.0.dist-info/METADATA", True),
        ("tests", "tests/a/b.py", True),
        ("tests/", "tests/a.py", True),
        ("./tests", "tests/a.py", True),
        ("tests", "alpha/tests/a.py", False),
        ("*/tests", "alpha/tests/a.py", True),
        ("*.PY", "a.py", False),
        ("a[12].py", "a1.py", True),
    ],
)
def test_patterns_are_for_paths_and_for_the_folders_they_are_in(pattern, path, match):
    """``*`` also matches ``/``, and a folder that matches takes with it what is in it."""
    assert Exclusions((pattern,)).match(path) is match


def test_noise_is_known_by_name_at_any_depth():
    """What no function needs is left out; what only looks like it is not."""
    noise = {".git", "a/.git", ".env", ".env.local", "a/__pycache__", "a.pyc", ".lambda_function.zip.1f"}
    assert {name for name in (*noise, "env.py", ".envrc", "git", "environment") if is_noise(name)} == noise


def test_bytecode_goes_with_its_source():
    """A module that stays out takes its bytecode along, and no other's."""
    names = ["a/x.py", "a/__pycache__/x.cpython-312.pyc", "a/__pycache__/xx.cpython-312.pyc", "x.py", "a/data.json"]
    gone = packages_left_out(names, {"a/x.py", "handler.py"}, Exclusions(("*.json",)))
    assert gone == {"a/x.py", "a/__pycache__/x.cpython-312.pyc", "a/data.json"}


def wanted(*contents):
    return Requirements(Path("requirements.txt"), (), (), contents)


def test_the_key_changes_with_everything_that_decides_what_is_installed():
    """Other requirements, settings, files, Python, architecture or bytecode: another key."""
    others = [
        cache_key(TARGET, wanted("b"), {}, [], {}, compiled=True),
        cache_key(TARGET, wanted("a", "b"), {}, [], {}, compiled=True),
        cache_key(TARGET, wanted("a"), {"pre": "1"}, [], {}, compiled=True),
        cache_key(TARGET, wanted("a"), {"index-url": "https://host/s?channel=a"}, [], {}, compiled=True),
        cache_key(TARGET, wanted("a"), {"index-url": "https://host/s?channel=b"}, [], {}, compiled=True),
        cache_key(TARGET, wanted("a"), {}, ["x 1 1"], {}, compiled=True),
        cache_key(TARGET, wanted("a"), {}, [], {}, compiled=False),
        cache_key(target_for("3.12", "arm64"), wanted("a"), {}, [], {}, compiled=True),
        cache_key(target_for("3.13", "x86_64"), wanted("a"), {}, [], {}, compiled=True),
        cache_key(TARGET, dataclasses.replace(wanted("a"), origin=Path("Pipfile.lock")), {}, [], {}, compiled=True),
    ]
    key = cache_key(TARGET, wanted("a"), {}, [], {}, compiled=True)
    assert len({key, *others}) == len(others) + 1
    assert key == cache_key(TARGET, wanted("a"), {}, [], {}, compiled=True)
    assert len({key, reduced_key(key, ["a"]), reduced_key(key, ["a", "b"])}) == 3


def test_local_files_count_by_size_and_time(tmp_path):
    """A file that is longer or newer is another one; what a project's package is not made from does not count."""
    for name in ("setup.py", "build/lib.py", ".git/index"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    script = tmp_path / "setup.py"
    os.utime(script, (1, 1))
    (line,) = fingerprints([tmp_path, tmp_path])
    os.utime(script, (2, 2))
    assert fingerprints([tmp_path]) != [line]
    script.write_text("xx", encoding="utf-8")
    os.utime(script, (1, 1))
    assert fingerprints([tmp_path]) != [line]


def test_the_key_is_the_same_with_another_token():
    """Credentials in requirements and settings are no part of the key."""
    urls = ("https://old@host/s", "https://new@host/s")
    one, two = (cache_key(TARGET, wanted(f"-i {url}"), {"index-url": url}, [], {}, compiled=True) for url in urls)
    assert one == two


def test_the_key_is_that_of_what_variables_stand_for():
    """Another value of ``${NAME}`` asks for other packages; another user or token in a URL does not."""

    def key(text, **environment):
        return cache_key(TARGET, wanted(text), {}, [], environment, compiled=True)

    assert key("${NAME}==1", NAME="alpha") == key("alpha==1") != key("${NAME}==1", NAME="beta")
    assert key("-i https://${T}@host/s", T="old") == key("-i https://${T}@host/s", T="new")


def test_too_large_names_the_largest_parts():
    """One byte over the limit is too large, and the parts that take most are named first."""
    assert refusal({"a/x": UNPACKED_LIMIT - 1, "b": 1}) is None
    text = refusal(
        {"a/x": 1024**2, "a/y": UNPACKED_LIMIT, **{f"p{number}/x": number * 1024 for number in range(1, 11)}}
    )
    named = ", ".join(f"p{number} {number}.0 KB" for number in range(10, 1, -1))
    assert f"MB unpacked, and Lambda takes 250.0 MB; the largest parts: a 251.0 MB, {named}; --exclude" in text


@pytest.mark.parametrize(
    "name", ["requirements.txt", "a/dev-requirements.in", "Pipfile", "pylock.dev.toml", "pip.conf"]
)
def test_files_that_may_name_an_index(name):
    """Requirements, locks and pip's configuration are looked through for credentials; other files are not."""
    assert may_name_index(name)
    assert not may_name_index(f"{name}.py")


WORDS = st.sampled_from(["-e", "--exclude", "--rebuild", "-t", "out", "a", "*.md", "--", "b"])


@given(st.lists(WORDS, max_size=8))
def test_words_after_exclude_are_taken_as_argparse_took_them(words):
    """Spread out, a command line excludes the words that argparse's ``nargs="*"`` would have taken."""
    oracle = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    oracle.add_argument("-e", "--exclude", nargs="*", action="extend", default=[])
    oracle.add_argument("--rebuild", action="store_true")
    before = words[: words.index("--")] if "--" in words else words
    expected, _ = oracle.parse_known_args([word for word in before if word != "-t"])
    spread = spread_excludes([word for word in words if word != "-t"])
    options = spread[: spread.index("--")] if "--" in spread else spread
    taken = [options[number + 1] for number, word in enumerate(options) if word == "-e"]
    assert taken == expected.exclude
    if "--" in words:
        assert spread[spread.index("--") :] == [word for word in words[words.index("--") :] if word != "-t"]
