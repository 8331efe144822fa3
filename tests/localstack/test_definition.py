"""The files of ``localstack/``, as far as they can be checked without what reads them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fleece.cli.environments import load
from fleece_testing.local.resources import read_resources

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "localstack"
COMPOSE = FOLDER / "compose.yml"


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(COMPOSE.read_text())["services"]


def test_compose_file_is_one_by_the_specification(tmp_path):
    """It is valid by the schema of the Compose Specification, and with a misspelled key it would not be."""
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    wrong = tmp_path / "compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("ports:", "prots:"))
    done = [subprocess.run([*check, path], capture_output=True, text=True, check=False) for path in (COMPOSE, wrong)]
    assert [one.returncode for one in done] == [0, 1], done
    assert "prots" in done[1].stdout


def test_every_port_is_on_loopback(services):
    """Nothing is published on another address than 127.0.0.1."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:4566:4566"]


def test_localstack_is_the_version_that_is_tested(services):
    """The image is of the version that the tests install, unless another one is named; the token is the shell's."""
    requirements = (ROOT / "tests/integration/localstack/requirements.txt").read_text()
    version = re.search(r"^localstack-core\[runtime\]==(.+)$", requirements, re.MULTILINE)[1]
    assert services["localstack"]["image"] == f"localstack/localstack:${{LOCALSTACK_VERSION:-{version}}}"
    assert services["localstack"]["environment"]["LOCALSTACK_AUTH_TOKEN"] is None


def test_what_is_mounted_is_there(services):
    """Each mounted file or folder is in the repository, and cannot be written to by a container."""
    for service in services.values():
        for volume in service["volumes"]:
            source, _, mode = volume.split(":")
            assert (FOLDER / source).resolve().exists()
            assert mode == "ro"


def test_hooks_are_executable():
    """LocalStack runs Python files itself; people run them by their name."""
    hooks = list((FOLDER / "init/ready.d").iterdir())
    assert hooks
    assert all(os.access(hook, os.X_OK) for hook in hooks)


def test_environments_lead_to_the_accounts_of_the_resources():
    """Each environment is at the published port, and of an account with the role that it assumes."""
    roles = {account.number: account.roles for account in read_resources(FOLDER / "resources.yml")}
    environments = load(FOLDER / "environments.yml")
    for environment in environments.environments.values():
        assert environment.endpoint_url == "http://127.0.0.1:4566"
        assert environment.role in roles[environment.account]
