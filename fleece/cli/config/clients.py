"""AWS clients for the environments that a configuration's stages name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece.cli import aws, environments

if TYPE_CHECKING:
    from pathlib import Path

    from fleece.cli.credentials import Resolver


class Clients:
    """Makes each client once; ``environments.yml`` is read when the first is made, as nothing may need one.

    Args:
        path: of ``environments.yml``.
        resolver: finds credentials.
    """

    def __init__(self, path: Path, resolver: Resolver) -> None:
        self._path = path
        self._resolver = resolver
        self._known: environments.Environments | None = None
        self._made: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, environment: str, key: str | None = None) -> Any:
        """Return an AWS client for an environment by its name; the region may come from the ARN of a key.

        Raises:
            UsageError: there is no such environment or file, no region, or credentials are missing.
            CommandError: the credentials do not work.
        """
        if self._known is None:
            self._known = environments.load(self._path, "--environments")
        target = self._known[environment]
        region = aws.needed_region(target, key)
        what = (service, environment, region)
        if what not in self._made:
            self._made[what] = aws.client(service, target, self._resolver.resolve(target, region=region), region)
        return self._made[what]

    def kms(self, environment: str, key: str) -> Any:
        """Return a KMS client, as `fleece.cli.config.keys.KMS` wants it."""
        return self.client("kms", environment, key)
