"""From the values of a stage to Parameter Store: what would be written is planned first; then it is written, or shown.

``render --parameter-store`` writes the plan, its ``--dry-run`` and ``diff`` show it.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from fleece.cli import endings
from fleece.cli.config import parameters, render
from fleece.cli.config.parameter_store import ParameterStore

if TYPE_CHECKING:
    from fleece.cli.config.parameters import Parameter, Write
    from fleece.cli.config.workspace import Workspace

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Target:
    """Which values go where.

    Attributes:
        stage: the name of the stage.
        prefix: what the names of the parameters begin with.
        environment: whose account to use; None for that of the stage.
        key: the KMS key for the parameters, by id, ARN or alias; None for that of the service.
    """

    stage: str
    prefix: str
    environment: str | None = None
    key: str | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """What there is to write.

    Attributes:
        wanted: all parameters, as they should be.
        writes: those that are not as they should be.
        store: where they are.
        key: the KMS key for them, as `ParameterStore.write` takes it.
    """

    wanted: list[Parameter]
    writes: list[Write]
    store: ParameterStore
    key: str

    def lines(self) -> str:
        """Return a line for each write, without values."""
        return "".join(f"{write}\n" for write in self.writes)


def plan(workspace: Workspace, target: Target) -> Plan:
    """Read what is there, and find out what has to be written.

    Raises:
        UsageError: the prefix, stage, environment or credentials cannot be used.
        CommandError: a value cannot be a parameter, or something cannot be read; or the key is of no use.
    """
    parameters.check_prefix(target.prefix)
    values = render.render(workspace.document(), target.stage, workspace.keys, environment=target.environment)
    environment, stage_key = values.stage.environment, values.stage.key
    store = ParameterStore(*(workspace.clients.client(name, environment, stage_key) for name in ("ssm", "kms")))
    wanted = parameters.parameters(values, target.prefix, store.longest_name)
    key = store.key(target.key)
    there = store.read([parameter.name for parameter in wanted])
    return Plan(wanted, parameters.plan(wanted, there, key), store, key)


def upload(workspace: Workspace, target: Target, *, dry_run: bool) -> str:
    """Write the values of a stage to Parameter Store, where they differ from what is there.

    Args:
        workspace: the configuration.
        target: which values go where.
        dry_run: write nothing.

    Returns:
        The plan of a dry run, a line for each write; nothing otherwise.

    Raises:
        CommandError: as `plan`; or a type would change; or some could not be written.
    """
    planned = plan(workspace, target)
    parameters.check_types(planned.writes)
    if dry_run:
        return planned.lines()
    with endings.in_order():
        planned.store.write(planned.writes, planned.key)
    others = "; the others were as they should be" if len(planned.writes) < len(planned.wanted) else ""
    _log.info("%d of %d parameters written%s", len(planned.writes), len(planned.wanted), others)
    return ""
