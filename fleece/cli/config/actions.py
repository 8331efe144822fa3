"""What the sub-commands of ``fleece config`` do, from files and stdin to files and stdout; knows nothing of options."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fleece.cli._files import write_atomically
from fleece.cli.config import closed, document, json_input, parameters, render
from fleece.cli.config.clients import Clients
from fleece.cli.config.keys import KMS
from fleece.cli.config.output import to_json, to_yaml
from fleece.cli.config.parameter_store import ParameterStore
from fleece.cli.config.source import Source
from fleece.cli.config.tree import as_data
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from fleece.cli.config.document import Document
    from fleece.cli.config.render import Rendered
    from fleece.cli.credentials import Resolver

_log = logging.getLogger(__name__)


class Actions:
    """The sub-commands of ``fleece config`` on one configuration file.

    Args:
        path: the file.
        environments: the file of the environments that its stages name.
        resolver: finds credentials.
        any_key: decrypt what another key than the stage's has encrypted, too.
    """

    def __init__(self, path: Path, environments: Path, resolver: Resolver, *, any_key: bool = False) -> None:
        self._path = path
        self._clients = Clients(environments, resolver)
        self._keys = KMS(self._clients.kms, any_key=any_key)

    def import_(self, stdin: bytes, *, reencrypt: bool = False, stage: str | None = None) -> None:
        """Write the open configuration that `stdin` is, YAML or JSON, with its secrets encrypted.

        Args:
            stdin: the configuration.
            reencrypt: encrypt what has not changed anew, too.
            stage: of which stage; by default of all.

        Raises:
            CommandError: anything is wrong; nothing is written then.
        """
        given = Source.decode("<stdin>", stdin)
        before = self._content()
        there = document.parse(Source.decode(str(self._path), before)) if before and before.strip() else None
        opened = document.parse(_as_yaml(given, there))
        anew = [render.find_stage(opened, stage).name] if stage else list(opened.stages) if reencrypt else []
        content = closed.import_(opened, there, self._keys, reencrypt=anew).encode()
        if self._content() != before:
            raise CommandError(f"{self._path} has changed meanwhile, and is left as it is now; export and import again")
        if content != before:
            write_atomically(self._path, content)

    def export(self, stage: str | None = None, *, as_json: bool = False) -> bytes:
        """Return the configuration with the secrets of one stage, or of all, in clear."""
        there = self._document()
        only = render.find_stage(there, stage) if stage is not None else None
        opened = closed.export(there, self._keys, only)
        if not as_json:
            return opened.encode()
        return f"{to_json(as_data(document.parse(opened).root, lambda leaf: leaf.value))}\n".encode()

    def render(self, stage: str, environment: str | None = None, *, form: str = "yaml") -> bytes:
        """Return the values of a stage.

        Args:
            stage: the name of the stage.
            environment: whose account to use; by default that of the stage.
            form: ``yaml``, ``json``, ``encrypt`` (a JSON list of ciphertexts) or ``python`` (a module).
        """
        rendered = self._rendered(stage, environment)
        if form == "python":
            text = render.python_module(render.encrypted(rendered, self._keys))
        elif form == "encrypt":
            text = to_json(render.encrypted(rendered, self._keys)) + "\n"
        else:
            text = to_json(rendered.data()) + "\n" if form == "json" else to_yaml(rendered.data())
        return text.encode()

    def upload(self, stage: str, environment: str | None, prefix: str, key: str | None, *, dry_run: bool) -> bytes:
        """Write the values of a stage to Parameter Store, where they differ from what is there.

        Args:
            stage: the name of the stage.
            environment: whose account to use; by default that of the stage.
            prefix: what the names of the parameters begin with.
            key: the KMS key for them; by default that of the service.
            dry_run: write nothing.

        Returns:
            The plan of a dry run, a line for each write; nothing otherwise.
        """
        rendered = self._rendered(stage, environment)
        wanted = parameters.parameters(rendered, prefix)
        account = rendered.stage.environment
        store = ParameterStore(*(self._clients.client(name, account, rendered.stage.key) for name in ("ssm", "kms")))
        kms_key = store.key(key)
        writes = parameters.plan(wanted, store.read([parameter.name for parameter in wanted]), kms_key)
        if dry_run:
            return "".join(f"{write.name} ({write.why})\n" for write in writes).encode()
        store.write(writes, kms_key)
        others = "; the others were as they should be" if len(writes) < len(wanted) else ""
        _log.info("%d of %d parameters written%s", len(writes), len(wanted), others)
        return b""

    def _rendered(self, stage: str, environment: str | None) -> Rendered:
        return render.render(self._document(), stage, self._keys, environment=environment)

    def _content(self) -> bytes | None:
        """Return what is in the configuration file; None when there is no such file."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _document(self) -> Document:
        content = self._content()
        if content is None:
            raise UsageError(f"{self._path}: no such file; make one with: fleece config import < open.yml")
        return document.parse(Source.decode(str(self._path), content))


def _as_yaml(given: Source, there: Document | None) -> Source:
    """Return the input as YAML; JSON takes the form of the file that is there if only values differ."""
    data = json_input.load(given)
    if data is None:
        return given
    in_place = json_input.in_place(given, data, there) if there is not None else None
    if in_place is None and there is not None and json_input.has_comments(there):
        _log.warning("the JSON differs from %s in more than values: the comments there are lost", there.source.name)
    return in_place or json_input.as_yaml(given, data)
