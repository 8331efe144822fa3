"""What differs between the values of a stage and Parameter Store: the plan of an upload that is only shown."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from fleece.cli.config import upload
from fleece.cli.config.output import to_json

if TYPE_CHECKING:
    from fleece.cli.config.upload import Plan, Target
    from fleece.cli.config.workspace import Workspace

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Difference:
    """How Parameter Store differs from the values of a stage.

    Attributes:
        target: what was compared.
        plan: what an upload would write.
        others: what is there below the prefix and not in the configuration, which an upload would leave there.
    """

    target: Target
    plan: Plan
    others: list[str]

    @property
    def is_none(self) -> bool:
        """Whether an upload would write nothing."""
        return not self.plan.writes

    def as_json(self) -> str:
        """Return it as a JSON document, without values."""
        data = {
            "stage": self.target.stage,
            "prefix": self.target.prefix,
            "differences": [{"name": write.name, "changes": write.changes} for write in self.plan.writes],
            "same": len(self.plan.wanted) - len(self.plan.writes),
            "others": self.others,
        }
        return to_json(data) + "\n"


def diff(workspace: Workspace, target: Target) -> Difference:
    """Compare the values of a stage with Parameter Store.

    Raises:
        UsageError: the prefix, stage, environment or credentials cannot be used.
        CommandError: a value cannot be a parameter, or something cannot be read; or the key is of no use.
    """
    plan = upload.plan(workspace, target)
    known = {parameter.name for parameter in plan.wanted}
    others = [name for name in plan.store.names_below(target.prefix) if name not in known]
    if others:
        _log.warning(
            "in Parameter Store but not in the configuration: %s; an upload does not delete them", ", ".join(others)
        )
    return Difference(target, plan, others)
