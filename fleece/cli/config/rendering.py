"""The values of a stage, in the forms that ``fleece config render`` writes to stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleece.cli.config import render
from fleece.cli.config.output import to_json, to_yaml, tree_to_json

if TYPE_CHECKING:
    from fleece.cli.config.workspace import Workspace


def rendered(workspace: Workspace, stage: str, environment: str | None = None, *, form: str = "yaml") -> bytes:
    """Return the values of a stage.

    Args:
        workspace: the configuration.
        stage: the name of the stage.
        environment: whose account to use; by default that of the stage.
        form: ``yaml``, ``json``, ``encrypt`` (a JSON list of ciphertexts) or ``python`` (a module).
    """
    values = render.render(workspace.document(), stage, workspace.keys, environment=environment)
    if form == "python":
        text = render.python_module(render.encrypted(values, workspace.keys))
    elif form == "encrypt":
        text = to_json(render.encrypted(values, workspace.keys)) + "\n"
    elif form == "json":
        text = tree_to_json(values.tree, values.value) + "\n"
    else:
        text = to_yaml(values.data())
    return text.encode()
