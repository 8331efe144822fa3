"""What ``fleece config render`` does, from the configuration file to stdout or Parameter Store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fleece.cli.config import parameters, render
from fleece.cli.config.output import to_json, to_yaml
from fleece.cli.config.parameter_store import ParameterStore

if TYPE_CHECKING:
    from fleece.cli.config.workspace import Workspace

_log = logging.getLogger(__name__)


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
    else:
        text = to_json(values.data()) + "\n" if form == "json" else to_yaml(values.data())
    return text.encode()


def upload(
    workspace: Workspace, stage: str, environment: str | None, prefix: str, key: str | None, *, dry_run: bool
) -> bytes:
    """Write the values of a stage to Parameter Store, where they differ from what is there.

    Args:
        workspace: the configuration.
        stage: the name of the stage.
        environment: whose account to use; by default that of the stage.
        prefix: what the names of the parameters begin with.
        key: the KMS key for them; by default that of the service.
        dry_run: write nothing.

    Returns:
        The plan of a dry run, a line for each write; nothing otherwise.
    """
    values = render.render(workspace.document(), stage, workspace.keys, environment=environment)
    wanted = parameters.parameters(values, prefix)
    account = values.stage.environment
    store = ParameterStore(*(workspace.clients.client(name, account, values.stage.key) for name in ("ssm", "kms")))
    kms_key = store.key(key)
    writes = parameters.plan(wanted, store.read([parameter.name for parameter in wanted]), kms_key)
    if dry_run:
        return "".join(f"{write.name} ({write.why})\n" for write in writes).encode()
    store.write(writes, kms_key)
    others = "; the others were as they should be" if len(writes) < len(wanted) else ""
    _log.info("%d of %d parameters written%s", len(writes), len(wanted), others)
    return b""
