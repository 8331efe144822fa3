"""The forms in which the values of a stage are handed on: YAML, JSON, ciphertexts, a Python module."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from fleece.cli.config import render
from fleece.cli.config.keys import MAX_PLAINTEXT, Item
from fleece.cli.config.output import to_json, to_yaml, tree_to_json

if TYPE_CHECKING:
    from fleece.cli.config.keys import KeyService
    from fleece.cli.config.render import Rendered
    from fleece.cli.config.workspace import Workspace


def written(workspace: Workspace, stage: str, environment: str | None = None, *, form: str = "yaml") -> bytes:
    """Return the values of a stage.

    Args:
        workspace: the configuration.
        stage: the name of the stage.
        environment: whose account to use; by default that of the stage.
        form: ``yaml``, ``json``, ``encrypt`` (a JSON list of ciphertexts) or ``python`` (a module).
    """
    values = render.render(workspace.document(), stage, workspace.keys, environment=environment)
    if form == "python":
        text = python_module(encrypted(values, workspace.keys))
    elif form == "encrypt":
        text = to_json(encrypted(values, workspace.keys)) + "\n"
    elif form == "json":
        text = tree_to_json(values.tree, values.value) + "\n"
    else:
        text = to_yaml(values.data())
    return text.encode()


def encrypted(rendered: Rendered, keys: KeyService) -> list[str]:
    """Return the values as base64 ciphertexts; decrypted and joined, they are the configuration as JSON.

    The JSON is ASCII, so that it may be cut anywhere, and each piece is a text by itself.
    """
    document = tree_to_json(rendered.tree, rendered.value, indent=None, ascii_only=True).encode("ascii")
    pieces = [document[start : start + MAX_PLAINTEXT] for start in range(0, len(document), MAX_PLAINTEXT)]
    items = [Item(f"the configuration of {rendered.stage.name}", rendered.stage, piece) for piece in pieces]
    return [base64.b64encode(ciphertext).decode() for ciphertext in keys.encrypt(items)]


_MODULE = '''\
"""The configuration of one stage, encrypted with KMS. Made by `fleece config render --python`; do not edit."""

import base64
import json

import boto3
from botocore.config import Config

ENCRYPTED_CONFIG = {pieces}


def load_config():
    """Decrypt the configuration; the role that this runs as needs kms:Decrypt."""
    config = Config(connect_timeout=3, read_timeout=5, retries={{"mode": "standard", "total_max_attempts": 4}})
    kms = boto3.client("kms", config=config)
    pieces = [kms.decrypt(CiphertextBlob=base64.b64decode(piece))["Plaintext"] for piece in ENCRYPTED_CONFIG]
    return json.loads(b"".join(pieces).decode("ascii"))


CONFIG = load_config()
'''


def python_module(pieces: list[str]) -> str:
    """Return a Python module that decrypts `encrypted` values when it is imported, with boto3 alone.

    ``from fleece_config import CONFIG`` has the values; ``load_config()`` fetches them anew.
    """
    return _MODULE.format(pieces=to_json(pieces))
