"""``provider: profile``: what boto3 finds for a profile of ``~/.aws/config``."""

import dataclasses
import socket
import threading
from datetime import datetime, timezone

import pytest

from fleece.cli import aws
from fleece.cli.credentials import AwsCredentials, CredentialsError, DiskStore, MemoryStore, Resolver
from fleece.cli.errors import UsageError


def test_a_profile_that_expires(environment, tmp_path, monkeypatch):
    """When a profile's credentials end is known, so that who gets them asks again in time."""
    document = tmp_path / "document"
    document.write_text(
        '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", '
        '"Expiration": "2090-01-01T00:00:00Z"}'
    )
    (tmp_path / "config").write_text(f"[profile mine]\ncredential_process = cat {document}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    environment = dataclasses.replace(environment, provider="profile", profile="mine")
    expiration = datetime(2090, 1, 1, tzinfo=timezone.utc)
    assert Resolver().resolve(environment) == AwsCredentials("A", "s", "t", expiration)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("echo hello", "what its credential_process prints is no such document"),
        ("echo []", "what its credential_process prints is no such document"),
        ("true", "what its credential_process prints is no such document"),
        ("echo {}", "Unsupported version"),
        ("sh -c 'echo sorry >&2; echo and more >&2; exit 3'", "custom-process: sorry and more"),
        ("/nowhere/program", "/nowhere/program: No such file or directory"),
    ],
)
def test_a_profile_whose_process_fails(environment, tmp_path, monkeypatch, program, told):
    """What goes wrong in a profile's own program is told with the profile's name, in one line."""
    (tmp_path / "config").write_text(f"[profile mine]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(CredentialsError, match="the AWS profile 'mine' gives no credentials: ") as caught:
        Resolver().resolve(dataclasses.replace(environment, provider="profile", profile="mine"))
    assert told in str(caught.value)


def test_a_profile(environment, tmp_path, monkeypatch):
    """``provider: profile`` takes what boto3 finds for that profile, not the shell's variables."""
    config = tmp_path / "config"
    config.write_text("[profile mine]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n[profile empty]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    environment = dataclasses.replace(environment, provider="profile", profile="mine")
    assert Resolver().resolve(environment) == AwsCredentials("AKIAPROFILE", "s")
    with pytest.raises(CredentialsError, match="the AWS profile 'empty' has no credentials"):
        Resolver().resolve(dataclasses.replace(environment, profile="empty"))
    with pytest.raises(UsageError, match="there is no AWS profile 'nope'"):
        Resolver().resolve(dataclasses.replace(environment, profile="nope"))


def test_a_role_of_a_profile_is_not_assumed_at_an_endpoint_of_the_shell(fleece_aws, environment, tmp_path, monkeypatch):
    """The call for a profile's role goes to AWS, here to a proxy that refuses, not where AWS_ENDPOINT_URL says."""
    fleece_aws.role("Deploy")
    keys = fleece_aws.credentials()
    config = tmp_path / "config"
    config.write_text(
        "[profile keys]\n"
        f"aws_access_key_id = {keys.access_key_id}\naws_secret_access_key = {keys.secret_access_key}\n"
        "[profile mine]\nsource_profile = keys\nrole_arn = arn:aws:iam::123456789012:role/Deploy\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", fleece_aws.url)
    monkeypatch.setattr(aws, "_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(30)
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        asked = threading.Thread(target=_refuse, args=(proxy,))
        asked.start()
        with pytest.raises(CredentialsError, match="the AWS profile 'mine' gives no credentials"):
            Resolver().resolve(dataclasses.replace(environment, provider="profile", profile="mine"))
        asked.join()
    assert fleece_aws.calls("sts") == []


def _refuse(proxy):
    connection, _ = proxy.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


DOCUMENT = '{"Version": 1, "AccessKeyId": "A%s", "SecretAccessKey": "s", "SessionToken": "t"%s}'
AN_END = ', "Expiration": "2090-01-01T00:00:00Z"'


@pytest.fixture
def counting(environment, tmp_path, monkeypatch):
    """Return a function that writes a profile ``mine``, each of whose credentials have the number of the call."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    program = tmp_path / "program"

    def write(end, settings=""):
        document = DOCUMENT % ("'$(($(wc -l < calls)))'", end)
        program.write_text(f"#!/bin/sh\ncd '{tmp_path}' && echo >> calls && echo '{document}'\n")
        program.chmod(0o700)
        (tmp_path / "config").write_text(f"[profile mine]\ncredential_process = {program}\n{settings}")
        return dataclasses.replace(environment, provider="profile", profile="mine")

    return write


def numbers(store, environment, **options):
    """Return the numbers of the credentials that two resolvers with the same store find."""
    return [Resolver(store=store, **options).resolve(environment).access_key_id for _ in range(2)]


@pytest.mark.parametrize(("end", "found"), [(AN_END, ["A1", "A1"]), ("", ["A1", "A2"])])
def test_what_is_kept_of_a_profile(counting, tmp_path, end, found):
    """Credentials that expire are kept until then; those that do not are nobody's to keep but the profile's."""
    environment = counting(end)
    store = DiskStore(tmp_path / "kept")
    assert numbers(store, environment) == found
    assert len(list((tmp_path / "kept").glob("*.json"))) == (1 if end else 0)


def test_a_profile_that_was_changed(counting, tmp_path, monkeypatch):
    """What was kept is not used once the profile, a variable of AWS's or a login that it may depend on is another."""
    store = MemoryStore()
    assert numbers(store, counting(AN_END)) == ["A1", "A1"]
    assert numbers(store, counting(AN_END, "duration_seconds = 900\n")) == ["A2", "A2"]
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "other")
    assert numbers(store, counting(AN_END, "duration_seconds = 900\n")) == ["A3", "A3"]
    monkeypatch.setenv("HOME", str(tmp_path))
    login = tmp_path / ".aws" / "sso" / "cache" / "x.json"
    login.parent.mkdir(parents=True)
    login.write_text("{}")
    assert numbers(store, counting(AN_END, "duration_seconds = 900\n")) == ["A4", "A4"]


@pytest.fixture
def with_a_second_factor(environment, tmp_path, monkeypatch):
    """Return an environment whose profile assumes a role with a code."""
    (tmp_path / "config").write_text(
        "[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n"
        "[profile mine]\nsource_profile = keys\nrole_arn = arn:aws:iam::123456789012:role/Deploy\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/me\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return dataclasses.replace(environment, provider="profile", profile="mine")


def test_a_second_factor_where_nobody_can_be_asked(with_a_second_factor):
    """A profile that wants a code is wrong usage where nobody can be asked; nothing is read from stdin for it."""
    told = "no credentials: the MFA code of the profile 'mine' is missing; give it in a terminal, without --no-input"
    with pytest.raises(UsageError, match=told):
        Resolver().resolve(with_a_second_factor)


def test_a_second_factor(with_a_second_factor, fleece_aws, answers, monkeypatch):
    """A profile that wants a code is asked for it as everything is: hidden, in fleece's own words."""
    monkeypatch.setattr(aws, "_ATTEMPTS", 1)
    answers["MFA"] = "123456"
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(CredentialsError, match="the AWS profile 'mine' gives no credentials") as caught:
        Resolver(ask=answers).resolve(with_a_second_factor)
    assert answers.asked == [("MFA code of the profile 'mine'", True)]
    assert "123456" not in str(caught.value).replace("123456789012", "")
