"""What the tests of the configuration share: keys without AWS, configurations in a line, the command on AWS."""

import io
import itertools
import sys
import textwrap

import pytest

from fleece.cli.config import closed, document
from fleece.cli.config.keys import KMS, Undecryptable
from fleece.cli.config.source import Source
from fleece.cli.main import exit_code_of
from fleece_testing.command_line import Result


class MemoryKeys:
    """Encrypts like KMS in what matters here: never twice to the same bytes, and only the same key decrypts."""

    def __init__(self):
        self.encrypted = []
        self.decrypted = []
        self._serial = itertools.count()

    def encrypt(self, items):
        self.encrypted += items
        return [f"{next(self._serial)}|{self._key(item)}|".encode() + item.content for item in items]

    def decrypt(self, items):
        self.decrypted += items
        parts = [item.content.split(b"|", 2) for item in items]
        return [
            part[2] if part[1].decode() == self._key(item) else Undecryptable("AccessDenied: wrong key")
            for part, item in zip(parts, items, strict=True)
        ]

    def _key(self, item):
        return f"{item.stage.environment}:{item.stage.key}"


@pytest.fixture(autouse=True)
def _no_progress():
    """Have no work of this process tell how far it is: on a busy machine, making clients takes over two seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fleece.cli._progress.PATIENCE", 3600)
        yield


@pytest.fixture(scope="session")
def memory_keys():
    """Make key services: ``memory_keys()``."""
    return MemoryKeys


@pytest.fixture(scope="session")
def keys():
    """Hold one key service, whose counts a test must not look at."""
    return MemoryKeys()


STAGES = """\
stages:
  prod: {environment: production, key: alias/p}
  /.*/: {environment: development, key: d}
"""


@pytest.fixture(scope="session")
def read():
    """Read a configuration from the text below ``config:``, with the stages ``prod`` and ``/.*/``."""

    def parse(text, name="config.yml", stages=STAGES):
        return document.parse(Source(name, f"{stages}config:\n{textwrap.indent(textwrap.dedent(text), '  ')}"))

    return parse


OPEN = """\
# open
stages:
  prod: {environment: production, key: p}
  /.*/: {environment: development, key: alias/d}
config:
  foo: bar            # the same for all
  password:
    +prod: :encrypt:prod-secret
    +/.*/: :encrypt:dev-secret
  nested: {numbers: [1, 2], on: yes}
"""


@pytest.fixture(scope="session")
def open_text():
    """The open configuration that `imported` has closed."""
    return OPEN


class Run:
    """Runs ``fleece config`` in this process, which takes a tenth of the time of a child."""

    def __init__(self, cli, monkeypatch, capsys):
        self.cli = cli
        self.path = cli.folder / "config.yml"
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments, stdin=""):
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        self._capsys.readouterr()
        code = exit_code_of(["config", *arguments])
        return Result(arguments, *self._capsys.readouterr(), code)


@pytest.fixture
def config(fleece_cli, fleece_environments, fleece_aws, monkeypatch, capsys):
    """Run ``fleece config`` in a folder with two environments on the emulator, whose keys are there."""
    fleece_environments(production={"provider": "environment"}, development={"provider": "environment"})
    fleece_aws.kms_key("p")
    fleece_aws.kms_key("d")
    monkeypatch.chdir(fleece_cli.folder)
    monkeypatch.delenv("AWS_ENDPOINT_URL")  # the command takes endpoints from environments.yml alone
    return Run(fleece_cli, monkeypatch, capsys)


@pytest.fixture
def imported(config, fleece_aws, open_text):
    """Close `open_text` into the folder, without the command, whose clients take a while to make."""
    keys = KMS(lambda _environment, _key: fleece_aws.client("kms"))
    config.path.write_bytes(closed.import_(document.parse(Source("open.yml", open_text)), None, keys).encode())
    return config
