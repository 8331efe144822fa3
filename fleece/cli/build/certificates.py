"""The certificates with which an engine elsewhere is reached (TLS), as far as variables ask for them.

The ``docker`` package loads them; of one that is not there, it names neither the file nor the variable.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check(environment: Mapping[str, str]) -> None:
    """See that there are the files that ``DOCKER_CERT_PATH`` and ``DOCKER_TLS_VERIFY`` ask for.

    Raises:
        CommandError: one is not there.
    """
    folder, verify = environment.get("DOCKER_CERT_PATH"), environment.get("DOCKER_TLS_VERIFY")
    if not folder and not verify:
        return
    for name in ("cert.pem", "key.pem", *(["ca.pem"] if verify else [])):
        path = Path(folder or os.path.expanduser("~/.docker"), name)  # noqa: PTH111 (where nobody's home, it is no error)
        if not path.is_file():
            asking = "DOCKER_CERT_PATH" if folder else "DOCKER_TLS_VERIFY"
            raise CommandError(
                f"there is no file {path}, which {asking} asks for: name the folder of the engine's certificates with "
                "DOCKER_CERT_PATH, or unset both DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"
            )
