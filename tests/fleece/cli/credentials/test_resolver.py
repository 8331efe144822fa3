"""Credentials for environments, from the stub of Rackspace, the emulated AWS, profiles and variables."""

import dataclasses
import os
from datetime import datetime, timedelta, timezone

import pytest

from fleece.cli.credentials import AwsCredentials, CredentialsError, Login, MemoryStore, Resolver
from fleece.cli.errors import UsageError

ACCOUNT = "123456789012"


def identity(aws, credentials):
    """Ask the emulated AWS whose credentials these are."""
    with_them = {
        "aws_access_key_id": credentials.access_key_id,
        "aws_secret_access_key": credentials.secret_access_key,
        "aws_session_token": credentials.session_token,
    }
    client = aws.client("sts", **with_them)
    try:
        return client.get_caller_identity()
    finally:
        client.close()


def test_rackspace(fleece_aws, fleece_rackspace, environment):
    """Identity and FAWS give credentials that work in the account, for an hour."""
    before = datetime.now(timezone.utc)
    credentials = Resolver().resolve(environment)
    assert identity(fleece_aws, credentials)["Account"] == ACCOUNT
    assert timedelta(0) <= credentials.expiration - before - timedelta(minutes=59) <= timedelta(minutes=2)
    assert [(request.kind, request.status) for request in fleece_rackspace.requests] == [
        ("tokens", 200),
        ("credentials", 200),
    ]


def test_another_account(fleece_aws, fleece_rackspace, environment):
    """The credentials are of the environment's account, not of the user's only one."""
    fleece_rackspace.account("210987654321")
    credentials = Resolver().resolve(dataclasses.replace(environment, account="210987654321"))
    assert identity(fleece_aws, credentials)["Account"] == "210987654321"


@pytest.mark.parametrize(
    ("given", "in_environment", "in_option", "session"),
    [
        ("Deploy", None, None, "fleece_assumed_role"),
        ("arn:aws:iam::123456789012:role/Deploy", None, None, "fleece_assumed_role"),
        ("Deploy", "me", None, "me"),
        ("Deploy", "me", "it", "it"),
    ],
)
def test_roles(fleece_aws, fleece_rackspace, environment, given, in_environment, in_option, session):
    """A role, by name or ARN, is assumed in the account under the session's name."""
    arn = fleece_aws.role("Deploy")
    environment = dataclasses.replace(environment, role=given, role_session_name=in_environment)
    credentials = Resolver(role_session_name=in_option).resolve(environment)
    who = identity(fleece_aws, credentials)
    assert who["Arn"] == f"{arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{session}"
    assert credentials.expiration is not None


@pytest.mark.parametrize(("region", "where"), [("eu-west-1", "eu-west-1"), (None, "us-east-1")])
def test_where_a_role_is_assumed(fleece_aws, fleece_rackspace, environment, region, where):
    """A role is assumed in the environment's region, and where no region is known in the first of AWS's."""
    fleece_aws.role("Deploy")
    environ = {name: value for name, value in os.environ.items() if "REGION" not in name}
    Resolver(environ=environ).resolve(dataclasses.replace(environment, role="Deploy", region=region))
    assert [call.region for call in fleece_aws.calls("sts", "AssumeRole")] == [where]


def test_the_session_name_of_the_shell(fleece_aws, fleece_rackspace, environment, monkeypatch):
    """``AWS_ROLE_SESSION_NAME`` names the session where nothing else does; a bad name is wrong usage."""
    fleece_aws.role("Deploy")
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "somebody")
    who = identity(fleece_aws, Resolver().resolve(environment, role="Deploy"))
    assert who["Arn"].endswith("/Deploy/somebody")
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "some body")
    with pytest.raises(UsageError, match="'some body' must be 2 to 64 letters"):
        Resolver().resolve(environment, role="Deploy")


def test_a_role_that_cannot_be_assumed(fleece_rackspace, environment):
    """AWS's reason is told with the role's ARN, in one line."""
    with pytest.raises(
        CredentialsError, match=r"the role arn:aws:iam::123456789012:role/Nope cannot be assumed: .*Acc"
    ):
        Resolver().resolve(environment, role="Nope")


@pytest.mark.parametrize("profile", ["nowhere", None])
def test_the_shells_profile_and_endpoint_have_no_say(fleece_aws, fleece_rackspace, environment, monkeypatch, profile):
    """A stale ``AWS_PROFILE`` and a forgotten ``AWS_ENDPOINT_URL`` do not touch AssumeRole."""
    fleece_aws.role("Deploy")
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert Resolver().resolve(environment, role="Deploy").session_token


@pytest.mark.parametrize(
    ("environment_keys", "variables", "login", "user"),
    [
        ({}, {}, Login(), "fleece"),
        (
            {"rs_username_var": "MY_USER", "rs_apikey_var": "MY_KEY"},
            {"MY_USER": "mine", "MY_KEY": "k2"},
            Login(),
            "mine",
        ),
        ({"rs_username_var": "MY_USER", "rs_apikey_var": "MY_KEY"}, {"MY_USER": "", "MY_KEY": ""}, Login(), "fleece"),
        (
            {"rs_username_var": "MY_USER", "rs_apikey_var": "MY_KEY"},
            {"MY_USER": "fleece", "MY_KEY": "bad"},
            Login("mine", "k2"),
            "mine",
        ),
    ],
)
def test_the_order_of_logins(fleece_rackspace, environment, monkeypatch, environment_keys, variables, login, user):
    """Options come first, then the environment's own variables, then ``RS_*``; an empty variable is none."""
    fleece_rackspace.user("mine", "k2")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Resolver(login).resolve(dataclasses.replace(environment, **environment_keys))
    assert fleece_rackspace.requests[0].user == user


def test_asking_for_the_login(fleece_rackspace, environment):
    """What is missing is asked for: the name, and hidden the key."""
    fleece_rackspace.user("mine", "k2")
    replies = iter(["mine", " k2\n"])
    asked = []

    def ask(question, *, hidden):
        asked.append((question, hidden))
        return next(replies)

    environ = {k: v for k, v in os.environ.items() if not k.startswith("RS_")}
    Resolver(ask=ask, environ=environ).resolve(environment)
    assert asked == [("Rackspace user name", False), ("Rackspace API key of mine", True)]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "no credentials: the Rackspace user name is missing; give --username, or set MY_USER or RS_USERNAME"),
        ({"RS_USERNAME": "me"}, "the Rackspace API key of me is missing; give --apikey-file, or set RS_API_KEY"),
    ],
)
def test_no_login(environment, environ, told):
    """Credentials that are not there are wrong usage, and the message has the variables that would do."""
    with pytest.raises(UsageError, match=told):
        Resolver(environ=environ).resolve(dataclasses.replace(environment, rs_username_var="MY_USER"))


def test_a_token_that_was_revoked(fleece_rackspace, environment):
    """A kept token that FAWS refuses is replaced once."""
    store = MemoryStore()
    Resolver(store=store).resolve(environment)
    fleece_rackspace.revoke_tokens()
    fleece_rackspace.account("210987654321")
    Resolver(store=store).resolve(dataclasses.replace(environment, account="210987654321"))
    assert [request.status for request in fleece_rackspace.requests] == [200, 200, 401, 200, 200]


def test_what_is_kept_is_used_while_it_is_fresh(fleece_aws, fleece_rackspace, environment):
    """Credentials are reused until five minutes before their end, a token likewise."""
    fleece_aws.role("Deploy")
    store = MemoryStore()
    start = datetime.now(timezone.utc)

    def resolve_after(minutes):
        resolver = Resolver(store=store, now=lambda: start + timedelta(minutes=minutes))
        credentials = resolver.resolve(environment, role="Deploy")
        kinds = [request.kind for request in fleece_rackspace.requests]
        fleece_rackspace.requests.clear()
        return credentials, kinds

    first, kinds = resolve_after(0)
    assert kinds == ["tokens", "credentials"]
    assert resolve_after(54) == (first, [])
    later, kinds = resolve_after(56)
    assert later != first
    assert kinds == ["credentials"]
    assert resolve_after(24 * 60)[1] == ["tokens", "credentials"]
    assert len(fleece_aws.calls("sts", "AssumeRole")) == 3


@pytest.mark.parametrize(
    "change",
    [{"account": "210987654321"}, {"role": "Other"}, {"role_session_name": "other"}, {"region": "eu-west-1"}],
)
def test_what_is_kept_is_not_mixed_up(fleece_aws, fleece_rackspace, environment, change):
    """Whatever the credentials depend on is part of what they are kept under."""
    fleece_rackspace.account("210987654321")
    for account in (ACCOUNT, "210987654321"):
        for role in ("Deploy", "Other"):
            fleece_aws.role(role, account)
    environment = dataclasses.replace(environment, role="Deploy")
    resolver = Resolver()
    first = resolver.resolve(environment)
    assert resolver.resolve(environment) == first
    assert resolver.resolve(dataclasses.replace(environment, **change)) != first


def test_what_is_kept_of_an_emulator_is_not_for_aws(fleece_aws, fleece_rackspace, environment):
    """A role's credentials are used where they were given out, and not at another endpoint."""
    fleece_aws.role("Deploy")
    resolver = Resolver()
    first = resolver.resolve(environment, role="Deploy")
    elsewhere = dataclasses.replace(environment, endpoint_url=fleece_aws.url.replace("127.0.0.1", "localhost"))
    assert resolver.resolve(elsewhere, role="Deploy") != first
    assert resolver.resolve(environment, role="Deploy") == first


def test_another_key_of_the_same_user(fleece_rackspace, environment):
    """Who gives another API key does not get what was kept for the right one."""
    fleece_rackspace.user("mine", "k2")
    store = MemoryStore()
    Resolver(Login("mine", "k2"), store=store).resolve(environment)
    with pytest.raises(CredentialsError, match="refuses the API key of 'mine'"):
        Resolver(Login("mine", "k3"), store=store).resolve(environment)


@pytest.mark.parametrize("change", ["user", "identity", "faws", "key"])
def test_what_is_kept_for_others_is_not_theirs(fleece_rackspace, environment, change):
    """Another user, base URL or API key asks for itself."""
    key = fleece_rackspace.environment()["RS_API_KEY"]
    fleece_rackspace.user("other", key)
    store = MemoryStore()
    Resolver(store=store).resolve(environment)
    asked = len(fleece_rackspace.requests)
    url = fleece_rackspace.url.replace("127.0.0.1", "localhost")
    variables = {"identity": {"FLEECE_IDENTITY_URL": url}, "faws": {"FLEECE_FAWS_URL": url}}.get(change, {})
    if change == "key":
        fleece_rackspace.user("fleece", "new")
    login = {"user": Login("other"), "key": Login("fleece", "new")}.get(change, Login())
    Resolver(login, store=store, environ={**os.environ, **variables}).resolve(environment)
    assert [request.kind for request in fleece_rackspace.requests[asked:]] == ["tokens", "credentials"]


def test_static(environment):
    """An emulator's keys are fixed."""
    assert Resolver().resolve(dataclasses.replace(environment, provider="static")) == AwsCredentials("test", "test")


def test_the_variables(environment):
    """``provider: environment`` takes the variables as they are, and says which one is missing."""
    environment = dataclasses.replace(environment, provider="environment")
    environ = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z",
    }
    expiration = datetime(2030, 1, 1, tzinfo=timezone.utc)
    assert Resolver(environ=environ).resolve(environment) == AwsCredentials("AKIA", "secret", "token", expiration)
    del environ["AWS_SECRET_ACCESS_KEY"]
    with pytest.raises(UsageError, match=r"set AWS_SECRET_ACCESS_KEY$"):
        Resolver(environ=environ).resolve(environment)


def test_a_role_on_top_of_the_variables(fleece_aws, environment):
    """A role is assumed with the credentials of any provider."""
    fleece_aws.role("Deploy")
    credentials = Resolver().resolve(dataclasses.replace(environment, provider="environment", role="Deploy"))
    assert ":assumed-role/Deploy/" in identity(fleece_aws, credentials)["Arn"]


@pytest.mark.parametrize(("provider", "calls"), [("environment", 1), ("static", 2)])
def test_a_role_of_another_provider_is_kept(fleece_aws, environment, provider, calls):
    """A role's credentials are kept under the keys that got them; not those of an emulator, which forgets them."""
    fleece_aws.role("Deploy")
    keys = fleece_aws.credentials()
    emulators = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
    environment = dataclasses.replace(environment, provider=provider, role="Deploy", **emulators)
    store = MemoryStore()
    first, second = (Resolver(store=store).resolve(environment) for _ in range(2))
    assert len(fleece_aws.calls("sts", "AssumeRole")) == calls
    assert (first == second) is (calls == 1)
    if provider == "environment":
        other = {**os.environ, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
        with pytest.raises(CredentialsError, match="InvalidClientTokenId"):
            Resolver(store=store, environ=other).resolve(environment)


def test_secrets_are_not_shown(fleece_rackspace, environment):
    """The ``repr`` of credentials and logins has no secret in it."""
    credentials = Resolver().resolve(environment)
    assert credentials.secret_access_key not in repr(credentials)
    assert credentials.session_token not in repr(credentials)
    assert "hunter2" not in repr(Login("me", "hunter2"))
