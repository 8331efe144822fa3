"""``environments.yml``: what it means, and what is said about every mistake."""

import logging
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from fleece.cli.environments import Environment, EnvironmentsError, load, parse
from fleece.cli.errors import CommandError, UsageError

GOOD = """\
environments:
  - name: development
    account: '000000000001'
  - name: staging
    account: "123456789012"
    rs_username_var: MY_RS_USERNAME
    rs_apikey_var: MY_RS_APIKEY
  - name: production
    account: '123456789012'
    role: arn:aws:iam::123456789012:role/path/LambdaDeployRole
    role_session_name: me
    provider: profile
    profile: my-sso-profile
    region: us-gov-west-1
  - name: local
    account: '000000000000'
    provider: static
    endpoint_url: http://127.0.0.1:4566
stages:
  prod: {environment: production, key: alias/prod}
  /dev-.*/: {environment: development}
  lost: {environment: nowhere}
"""


def test_a_good_file():
    """Every key arrives as it was written, zeros of accounts included."""
    assert list(parse(GOOD).environments.values()) == [
        Environment("development", "000000000001"),
        Environment("staging", "123456789012", rs_username_var="MY_RS_USERNAME", rs_apikey_var="MY_RS_APIKEY"),
        Environment(
            "production",
            "123456789012",
            role="arn:aws:iam::123456789012:role/path/LambdaDeployRole",
            role_session_name="me",
            provider="profile",
            profile="my-sso-profile",
            region="us-gov-west-1",
        ),
        Environment("local", "000000000000", provider="static", endpoint_url="http://127.0.0.1:4566"),
    ]


def test_stages_lead_to_environments():
    """A stage is found by its name or expression, and leads to its environment."""
    known = parse(GOOD)
    assert known.of_stage("prod") == known["production"]
    assert known.of_stage("dev-7") == known["development"]


@pytest.mark.parametrize(
    ("find", "told"),
    [
        (lambda known: known["stagin"], "environments.yml: no environment 'stagin'; did you mean 'staging'?"),
        (
            lambda known: known["xyz"],
            "environments.yml: no environment 'xyz'; it has 'development', 'staging', 'production', 'local'",
        ),
        (lambda known: known.of_stage("prd"), "environments.yml: no stage 'prd'; did you mean 'prod'?"),
        (lambda known: known.of_stage("lost"), "environments.yml: no environment 'nowhere'; it has"),
    ],
)
def test_unknown_names(find, told):
    """A name that is not there is wrong usage, and the message has the nearest or all."""
    with pytest.raises(UsageError, match=re.escape(told)):
        find(parse(GOOD))


def entry(line):
    return f"environments:\n  - name: dev\n    account: '123456789012'\n    {line}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "environments.yml: is empty; it needs 'environments:'"),
        ("# nothing\n", "environments.yml: is empty; it needs 'environments:'"),
        ("[]", "environments.yml:1:1: the file must be a mapping of keys to values"),
        ("stages: {}", "environments.yml:1:1: 'environments:' is missing"),
        ("environments: {}", "environments.yml:1:15: 'environments' must be a list"),
        ("environments: [dev]", "environments.yml:1:16: an environment must be a mapping of keys to values"),
        ("environments: [{name: dev}]", "environments.yml:1:16: an environment has no 'account'"),
        ("environments:\n- account: '123456789012'", "environments.yml:2:3: an environment has no 'name'"),
        (
            "environments:\n- name: dev\n  account: 123456789012",
            "environments.yml:3:12: 'account' must be a string: put it in quotes",
        ),
        (
            "environments:\n- name: dev\n  account: 012345670123",
            "environments.yml:3:12: 'account' must be a string: put it in quotes",
        ),
        (
            "environments:\n- name: dev\n  account: '1234'",
            "environments.yml:3:12: 'account': '1234' must be the 12 digits",
        ),
        (
            "environments:\n- name: dev\n  account: '１２３４５６７８９０１２'",  # noqa: RUF001 (digits, but not AWS's)
            "environments.yml:3:12: 'account': '１２３４５６７８９０１２' must be the 12 digits",  # noqa: RUF001
        ),
        (entry("role: a b"), "environments.yml:4:11: 'role': 'a b' must be the name or the ARN of a role"),
        (entry("role: yes"), "environments.yml:4:11: 'role' must be a string: put it in quotes"),
        (entry("role:"), "'role' must be a string"),
        (entry("region: eu"), "environments.yml:4:13: 'region': 'eu' must be the name of an AWS region"),
        (entry("role_session_name: a b"), "must be 2 to 64 letters, digits and _+=,.@-"),
        (entry("rs_apikey_var: 1-2"), "'1-2' must be the name of an environment variable"),
        (
            entry("provider: aws"),
            "environments.yml:4:15: 'provider': 'aws' must be one of rackspace, profile, environment, static",
        ),
        (entry("provider: profile"), "environments.yml:2:5: 'provider: profile' needs the name of the profile"),
        (entry("provider: static"), "environments.yml:2:5: 'provider: static' is for emulators"),
        (
            entry("provider: static\n    endpoint_url: https://emulator.example"),
            "environments.yml:5:19: 'provider: static' is for emulators",
        ),
        (entry("endpoint_url: http://emulator.example"), "'http://emulator.example' must begin with https://"),
        (entry("endpoint_url: 'http://127.0.0.1:1\\@evil.example'"), "is not a plain URL"),
        (entry("endpoint_url: 'http://[::1'"), "is not a URL"),
        (entry("endpoint_url: 'ftp://127.0.0.1'"), "is not a URL of the form https://host"),
        (entry("endpoint_url: 'https://aws.example:http'"), "is not a URL"),
        (entry("name: other"), "environments.yml:4:5: the key 'name' is there twice"),
        (entry("<<: {}"), "environments.yml:4:5: merge keys (<<) are not supported"),
        (entry("secret_access_key: 12345"), "'secret_access_key' must be a string"),
        (entry("secret_access_key: ''"), "'secret_access_key': its value must be a string that is not empty"),
        (
            "environments:\n- &a {name: dev, account: '123456789012'}\n- *a\n",
            "environments.yml:2:3: the environment 'dev' is there twice",
        ),
        ("environments: [\n", "environments.yml:2:1: "),
        ("environments: []\n---\n", "environments.yml:2:1: "),
        ("environments: *nowhere", "environments.yml:1:15: "),
        ("environments: " + "[" * 200_000, "is nested too deeply"),
        (b"\xff\xfe\xff", "environments.yml: is not a text file in UTF-8"),
        ("environments: [\x07]", "environments.yml: is not a text file in UTF-8, or has a control character in it"),
        (b"a: \xff", "environments.yml: "),
        ("environments: []\nstages: []", "environments.yml:2:9: 'stages' must be a mapping"),
        ("environments: []\nstages: {a: {}}", "environments.yml:2:13: the stage 'a' has no 'environment'"),
        ("environments: []\nstages: {a: b}", "environments.yml:2:13: the stage 'a' must be a mapping"),
        ("environments: []\nstages: {1: {environment: a}}", "environments.yml:2:10: a key must be a string"),
    ],
)
def test_mistakes(text, told):
    """Each mistake is told with file, line and column, and fails with exit code 1."""
    with pytest.raises(EnvironmentsError, match=re.escape(told)) as caught:
        parse(text)
    assert caught.value.exit_code == 1
    assert "12345'" not in str(caught.value)


def test_unknown_keys_are_warnings(caplog):
    """A key that fleece does not know is a warning with its place and the nearest known one."""
    with caplog.at_level(logging.WARNING, logger="fleece.cli"):
        known = parse(entry("rol: Deploy"))
    assert known["dev"].role is None
    assert caplog.messages == ["environments.yml:4:5: unknown key 'rol'; did you mean 'role'?"]


def test_a_file_that_is_not_there(tmp_path):
    """A missing file is wrong usage, and the message names the option."""
    with pytest.raises(UsageError, match=r"nope\.yml: no such file; name one with --config"):
        load(tmp_path / "nope.yml")


def test_a_file(tmp_path):
    """A file is read as UTF-8, with or without a byte-order mark, and messages call it by its path."""
    path = tmp_path / "my.yml"
    path.write_text("environments:\n- {name: ünï, account: '123456789012'}\n", encoding="utf-8-sig")
    assert load(path)["ünï"].account == "123456789012"
    with pytest.raises(UsageError, match=re.escape(f"{path}: no environment 'x'")):
        load(str(path))["x"]


def test_secrets_are_not_shown():
    """The ``repr`` of an environment has no secret in it."""
    known = parse(entry("provider: static\n    endpoint_url: http://127.0.0.1:1\n    secret_access_key: hunter2"))
    assert known["dev"].secret_access_key == "hunter2"
    assert "hunter2" not in repr(known)


names = st.text(min_size=1)
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)
roles = st.none() | st.from_regex(r"[A-Za-z][A-Za-z0-9+=,.@_-]{0,20}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, st.tuples(accounts, roles), max_size=4))
def test_what_is_written_is_read(environments):
    """Any names, accounts and roles that a YAML library writes are read back as they were."""
    entries = [
        {"name": name, "account": account, **({"role": role} if role else {})}
        for name, (account, role) in environments.items()
    ]
    read = parse(yaml.safe_dump({"environments": entries}))
    assert {e.name: (e.account, e.role) for e in read.environments.values()} == environments


structure = st.sampled_from([*"{}[]:-?|'\"*&,# \n\t\x00\ufeff"])
fragments = structure | st.sampled_from(
    ["environments: ", "stages: ", "name: a", "account: '123456789012'", "!!int ", "---"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(fragments).map("".join) | st.text() | st.binary())
def test_any_text_is_read_or_told(text):
    """Whatever is in the file, it is read or it is a mistake that begins with the file's name."""
    try:
        parse(text, Path("e.yml"))
    except CommandError as error:
        assert str(error).startswith("e.yml:")  # noqa: PT017 (only when there is an error)
