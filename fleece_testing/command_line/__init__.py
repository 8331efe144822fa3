"""The installed ``fleece`` command: as a child process, in this process or on a terminal; and environments for it."""

from __future__ import annotations

from fleece_testing._extras import require

require("The fleece command", "click", "yaml", extra="cli")

from fleece_testing.command_line._command import CommandLine  # noqa: E402 (after the hint)
from fleece_testing.command_line._environments import write_environments  # noqa: E402
from fleece_testing.command_line._result import Result  # noqa: E402
from fleece_testing.command_line._terminal import Terminal  # noqa: E402

__all__ = ["CommandLine", "Result", "Terminal", "write_environments"]
