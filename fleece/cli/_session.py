"""The one botocore session of the command line.

Importing this module imports botocore, 0.1 seconds that many commands do not need: `fleece.cli.aws` does when it makes
a client.
"""

from __future__ import annotations

from typing import Any

from botocore.loaders import Loader
from botocore.session import Session

SERVICES = ("kms", "ssm", "sts")
"""The services that fleece calls."""


def session() -> Session:
    """Return a session: it holds no credentials, only the descriptions of services that it has read.

    It is botocore's own: importing boto3 takes as long as twenty calls, and adds what no command uses.
    """
    # An AWS_PROFILE that does not exist would make it fail, even with the credentials given.
    no_profile: Any = {"profile": (None, None, None, None)}
    made = Session(no_profile)
    made.register_component("data_loader", _Loader())
    return made


class _Loader(Loader):
    """Finds the descriptions of services where botocore's own does, of those that fleece calls."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 (botocore's signature)
        """Return the services; botocore looks through the folders of all four hundred, twice for a client."""
        return list(SERVICES)
