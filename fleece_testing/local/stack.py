"""The local stack: emulated AWS, Rackspace stub and X-Ray daemon, in this process, on loopback."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from fleece_testing._lifecycle import Startable
from fleece_testing.aws import AWS
from fleece_testing.local.resources import seed
from fleece_testing.rackspace import Rackspace
from fleece_testing.xray_daemon import XRayDaemon

if TYPE_CHECKING:
    from typing_extensions import Self

    from fleece_testing.local.resources import Account

REGION = "eu-west-1"
"""The region of all resources, where no other is asked for."""


class Stack(Startable):
    """Everything that a service talks to, seeded and started.

    Args:
        accounts: what to seed; the first account is the one of the default credentials.
        aws: another AWS than moto's server on a free port, such as a `fleece_testing.local.localstack.LocalStack`.
    """

    def __init__(self, accounts: tuple[Account, ...], *, aws: AWS | None = None) -> None:
        self.accounts = accounts
        self.aws = aws or AWS(region=REGION, account=accounts[0].number)
        self.rackspace = Rackspace(self.aws)
        self.xray = XRayDaemon()
        self.resources: list[str] = []
        """The ARNs of what was seeded."""
        self._running = contextlib.ExitStack()

    def start(self) -> Self:
        """Start the servers and seed the accounts.

        Raises:
            OSError: the port is taken; what had started by then is stopped.
            ResourcesError: a resource cannot be made.
        """
        with contextlib.ExitStack() as starting:
            for server in (self.aws, self.rackspace, self.xray):
                starting.enter_context(server)
            self.resources = list(seed(self.aws, self.accounts))
            for account in self.accounts:
                self.rackspace.account(account.number)
            self._running = starting.pop_all()
        return self

    def stop(self) -> None:
        """Stop every server; stopping twice does nothing."""
        self._running.close()

    def _shown(self) -> str:
        return f"of {self.aws!r}, {self.rackspace!r} and {self.xray!r}"

    def environment(self) -> dict[str, str]:
        """Return what leads a program to the stack: endpoints, and the name and API key of a Rackspace user.

        Those of AWS are left out: with them, a program needs no Identity, and the ``fleece`` command warns of them.
        """
        return {**self.rackspace.environment(), "AWS_XRAY_DAEMON_ADDRESS": self.xray.address}

    def hand_on_traces(self) -> None:
        """Let the emulated X-Ray service have what its daemon has received since the last time.

        Raises:
            AssertionError: the service does not take it.
        """
        if self.xray.documents:  # the first client costs what importing boto3 costs
            self.xray.forward(self.aws.client("xray"))
