"""The LocalStack that ``with_localstack.py`` runs, the stubs beside it, and fleece's command led to both."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from fleece_testing._environment import NO_OTHER_SOURCES, past_proxies, to_scrub
from fleece_testing.command_line import CommandLine
from fleece_testing.local.localstack import LocalStack
from fleece_testing.rackspace import Rackspace

DEFINITION = Path(__file__).parents[3] / "localstack"
REGION = "eu-west-1"


@pytest.fixture
def definition():
    """Return the folder ``localstack/`` of the repository."""
    return DEFINITION


@pytest.fixture(scope="session")
def address():
    """Return LocalStack's address."""
    url = os.environ.get("FLEECE_TEST_LOCALSTACK")
    assert url, "There is no FLEECE_TEST_LOCALSTACK: run this suite by tox run -e localstack"
    return url


@pytest.fixture(scope="session")
def aws(address):
    """Have the LocalStack as `fleece_testing` has it: clients on it, keys and roles in it."""
    with LocalStack(urlsplit(address).port, region=REGION, account="111111111111") as localstack:
        assert localstack.url == address
        yield localstack


@pytest.fixture(scope="session")
def rackspace(aws):
    """Have Rackspace's stub beside it, whose credentials work in any account there."""
    with Rackspace(aws) as stub:
        yield stub


@pytest.fixture
def account(rackspace):
    """Return an account that has nothing in it, known to Rackspace."""
    return new_account(rackspace)


@pytest.fixture
def other_account(rackspace):
    """Return another one."""
    return new_account(rackspace)


def new_account(rackspace):
    number = f"3{secrets.randbelow(10**11):011}"
    rackspace.account(number)
    return number


class Fleece(CommandLine):
    """Fleece's command in a folder of its own, with the name and key of a Rackspace user, and nothing else of AWS."""

    def __init__(self, folder, address, variables):
        super().__init__(folder)
        self._address = address
        self._variables = variables

    def environment(self, changes=None):
        away = dict.fromkeys(to_scrub(os.environ))
        return super().environment(
            {**away, **NO_OTHER_SOURCES, **past_proxies(os.environ), **self._variables, **(changes or {})}
        )

    def environments(self, text=None, **given):
        """Write ``environments.yml``: a text in which 4566 stands for LocalStack's port, or the keys of each."""
        if text is None:
            common = {"region": REGION, "endpoint_url": "http://127.0.0.1:4566"}
            text = yaml.safe_dump({"environments": [{"name": name, **common, **keys} for name, keys in given.items()]})
        path = self.folder / "environments.yml"
        path.write_text(text.replace("http://127.0.0.1:4566", self._address))
        return path


@pytest.fixture
def fleece(tmp_path, address, rackspace):
    return Fleece(tmp_path, address, rackspace.environment())
