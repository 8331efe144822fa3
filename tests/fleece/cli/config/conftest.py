"""What the tests of the configuration share: a key service without AWS, and configurations in a line."""

import itertools
import textwrap

import pytest

from fleece.cli.config import document
from fleece.cli.config.keys import Undecryptable
from fleece.cli.config.source import Source


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
