"""The configuration file, and going from it to the open configuration and back; knows nothing of options."""

from __future__ import annotations

import logging
import shlex
from typing import TYPE_CHECKING

from fleece.cli import endings
from fleece.cli._files import locked, write_atomically
from fleece.cli._progress import track
from fleece.cli.config import closed, document, json_input, render
from fleece.cli.config.clients import Clients
from fleece.cli.config.keys import KMS
from fleece.cli.config.output import tree_to_json
from fleece.cli.config.source import ConfigError, Source
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fleece.cli.config.document import Document
    from fleece.cli.credentials import Resolver

_log = logging.getLogger(__name__)


class Workspace:
    """One configuration file, and the AWS accounts that its stages are in.

    Args:
        path: the file.
        environments: the file of the environments that its stages name.
        resolver: finds credentials.
        any_key: decrypt what another key than the stage's has encrypted, too.

    Attributes:
        path: the file.
        clients: AWS clients for the environments.
        keys: encrypts and decrypts.
    """

    def __init__(self, path: Path, environments: Path, resolver: Resolver, *, any_key: bool = False) -> None:
        self.path = path
        self.clients = Clients(environments, resolver)
        self.keys = KMS(self.clients.kms, any_key=any_key, track=track)

    def import_(
        self,
        given: bytes,
        before: bytes | None,
        *,
        name: str = "<stdin>",
        reencrypt: bool = False,
        stage: str | None = None,
    ) -> None:
        """Write an open configuration, YAML or JSON, with its secrets encrypted.

        Args:
            given: the configuration.
            before: the `content` of the file when somebody began to change it; that it differs now is an error.
            name: what messages call the configuration that is given.
            reencrypt: encrypt what has not changed anew, too.
            stage: of which stage, when `reencrypt`; by default of all.

        Raises:
            CommandError: anything is wrong; nothing is written then.
        """
        self._check_unchanged(before)
        there = self._there(before)
        opened = document.parse(_as_yaml(Source.decode(name, given), there))
        anew = _names(opened, stage) if reencrypt else ()
        content = closed.import_(opened, there, self.keys, reencrypt=anew).encode()
        with endings.in_order(), locked(self.path):
            self._check_unchanged(before)
            if content != before:
                write_atomically(self.path, content)

    def _there(self, before: bytes | None) -> Document | None:
        """Read what an import is to replace; None when there is nothing yet."""
        if before is None or not before.strip():
            return None
        try:
            return document.parse(Source.decode(str(self.path), before))
        except ConfigError as error:
            raise CommandError(f"{error} (in the file that is to be replaced: mend it, or remove it first)") from None

    def export(self, stage: str | None = None, *, as_json: bool = False) -> bytes:
        """Return the configuration with the secrets of one stage, or of all, in clear."""
        there = self.document()
        only = render.find_stage(there, stage) if stage is not None else None
        opened = closed.export(there, self.keys, only)
        if not as_json:
            return opened.encode()
        return f"{tree_to_json(document.parse(opened).root, lambda leaf: leaf.value)}\n".encode()

    def content(self) -> bytes | None:
        """Return what is in the configuration file; None when there is no such file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def _check_unchanged(self, before: bytes | None) -> None:
        if self.content() != before:
            raise CommandError(f"{self.path} has changed meanwhile, and is left as it is now; export and import again")

    def document(self) -> Document:
        """Read the configuration.

        Raises:
            UsageError: there is no such file.
            ConfigError: it breaks a rule of the format.
        """
        content = self.content()
        if content is None:
            name = shlex.quote(str(self.path))
            raise UsageError(f"{self.path}: no such file; make one with: fleece config -c {name} import < open.yml")
        return document.parse(Source.decode(str(self.path), content))


def _names(opened: Document, stage: str | None) -> Sequence[str]:
    """Return the name of the one stage that is meant; of all, when it is None."""
    return list(opened.stages) if stage is None else [render.find_stage(opened, stage).name]


def _as_yaml(given: Source, there: Document | None) -> Source:
    """Return the input as YAML; JSON takes the form of the file that is there if only values differ."""
    data = json_input.load(given)
    if data is None:
        return given
    new = json_input.as_yaml(given, data)
    if there is None:
        return new
    document.parse(new)  # what is wrong with the data is told before what becomes of comments
    in_place = json_input.in_place(given, data, there)
    if in_place is None and json_input.has_comments(there):
        _log.warning("the JSON differs from %s in more than values: the comments there are lost", there.source.name)
    return in_place or new
