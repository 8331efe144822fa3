"""Who can see what is secret while ``fleece run`` runs, and afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

READY = 'echo ready; exec sh -c "read line" --'
SHELL_WORD = "echo ready; read line"


def processes_of(session):
    """Return the arguments and the variables of every process of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(path.name)) == session:
                found.append(((path / "cmdline").read_bytes(), (path / "environ").read_bytes()))
        except OSError:  # it has ended
            continue
    return found


def start(fleece_cli, *arguments, env):
    return subprocess.Popen(
        [sys.executable, "-m", "fleece", *arguments],
        cwd=fleece_cli.folder,
        env=fleece_cli.environment(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def key_file(tmp_path):
    """Write the API key to a file."""
    path = tmp_path / "key"
    path.write_text(os.environ["RS_API_KEY"] + "\n")
    return path


def kept(fleece_cli):
    """Return what is in the cache: the documents in it, and all of its bytes."""
    files = [path for path in (fleece_cli.folder / ".cache").rglob("*") if path.is_file()]
    return [json.loads(path.read_text()) for path in files if path.suffix == ".json"], b"".join(
        path.name.encode() + path.read_bytes() for path in files
    )


@pytest.mark.parametrize("words", [["--", "sh", "-c", READY], [SHELL_WORD]])
@pytest.mark.parametrize("given", ["file", "variable"])
def test_what_ps_shows_during_the_run(fleece_cli, fleece_environments, fleece_aws, key_file, words, given):
    """No process has a secret among its arguments, and none the API key or what the parent had of AWS's variables."""
    fleece_aws.role("Deploy")
    fleece_environments(dev={"role": "Deploy", "region": "eu-west-1"})
    api_key = os.environ["RS_API_KEY"]
    stale = {"AWS_PROFILE": "stale-1", "AWS_SECURITY_TOKEN": "stale-2", "AWS_ROLE_ARN": "stale-3"}
    stale |= {"AWS_SESSION_TOKEN": "stale-4", "AWS_ENDPOINT_URL_KMS": "http://stale-5", "AWS_REGION": "stale-6"}
    options, variables = ([], {}) if given == "variable" else (["--apikey-file", key_file], {"RS_API_KEY": None})
    with start(fleece_cli, "run", *options, "-e", "dev", *words, env={**stale, **variables}) as child:
        assert child.stdout.readline() == "ready\n"
        seen = processes_of(child.pid)
        child.communicate("\n")
    documents, _ = kept(fleece_cli)
    secrets = [value for one in documents for name, value in one.items() if name not in {"Expiration", "Tenant"}]
    assert len(seen) > 0
    assert len(secrets) == 7  # the token, and three of FAWS and of the role each
    for arguments, environ in seen:
        assert not [secret for secret in (*secrets, api_key) if secret.encode() in arguments]
        assert api_key.encode() not in environ
        assert b"stale-" not in environ


def test_what_ps_shows_before_the_run(fleece_cli, fleece_rackspace, fleece_environments, key_file):
    """While Rackspace is asked, no process has the key, which came from a file, in its arguments or variables."""
    fleece_environments(dev={})
    fleece_rackspace.fail("credentials", None, delay=30)
    arguments = ["run", "--apikey-file", key_file, "-e", "dev", "--", "true"]
    with start(fleece_cli, *arguments, env={"RS_API_KEY": None}) as child:
        while not fleece_rackspace.requests:  # it has a token, and waits for credentials
            assert child.poll() is None
        seen = processes_of(child.pid)
        fleece_rackspace.clear()  # who waits is answered
        child.communicate()
    token = next(document["Token"] for document in kept(fleece_cli)[0] if "Token" in document)
    assert len(seen) == 1
    assert not [secret for secret in (os.environ["RS_API_KEY"], token) if secret.encode() in b"".join(seen[0])]


@pytest.mark.parametrize("fault", [None, {"status": 500}, {"status": 401}, {"status": 200, "cut": True}])
def test_debugging_shows_no_secret(fleece_cli, fleece_rackspace, fleece_environments, fault):
    """Neither messages nor tracebacks have the key, the token or a passcode in them."""
    fleece_environments(dev={})
    token = "token-to-look-for"
    body = f'{{"access": {{"token": {{"id": "{token}", "expires": "2090-01-01T00:00:00Z"}}}}}}'
    fleece_rackspace.fail("tokens", 200, body=body)
    if fault is not None:
        fleece_rackspace.fail("credentials", times=8, headers={"Retry-After": "0"}, body="hunter2" * 9, **fault)
    result = fleece_cli("run", "-e", "dev", "--", "true", env={"FLEECE_DEBUG": "1"})
    assert result.exit_code == 125
    assert "Traceback" in result.stderr
    assert not [secret for secret in (token, os.environ["RS_API_KEY"], "hunter2") if secret in result.stderr]


def test_the_cache_has_no_api_key(fleece_cli, fleece_environments):
    """The API key is in no file and no name of the cache; nor is anything else left in the folder."""
    fleece_environments(dev={})
    before = {path.name for path in fleece_cli.folder.iterdir()}
    assert fleece_cli("run", "-e", "dev", "--", "true").exit_code == 0
    documents, everything = kept(fleece_cli)
    assert len(documents) == 2
    assert os.environ["RS_API_KEY"].encode() not in everything
    assert {path.name for path in fleece_cli.folder.iterdir()} - before == {".cache"}
