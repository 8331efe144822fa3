"""The certificates with which an engine elsewhere is reached (TLS), as far as variables ask for them.

The ``docker`` package loads them; of one that is not there, it names neither the file nor the variable, and it verifies
the engine's own only when asked to.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping


def verified(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for the ``docker`` package, such that an engine's certificate is always verified.

    With ``DOCKER_CERT_PATH`` alone, the package would talk to whoever has the engine's address, passwords included.

    Raises:
        CommandError: a file that ``DOCKER_CERT_PATH`` or ``DOCKER_TLS_VERIFY`` asks for is not there.
    """
    folder, verify = environment.get("DOCKER_CERT_PATH"), environment.get("DOCKER_TLS_VERIFY")
    if not folder and not verify:
        return dict(environment)
    for name in ("cert.pem", "key.pem", "ca.pem"):
        path = Path(folder or os.path.expanduser("~/.docker"), name)  # noqa: PTH111 (where nobody's home, it is no error)
        if not path.is_file():
            asking = "DOCKER_CERT_PATH" if folder else "DOCKER_TLS_VERIFY"
            raise CommandError(
                f"there is no file {path}, which {asking} asks for: name the folder of the engine's certificates with "
                "DOCKER_CERT_PATH, or unset both DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"
            )
    return {**environment, "DOCKER_TLS_VERIFY": "1"}
