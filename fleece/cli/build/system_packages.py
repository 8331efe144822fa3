"""``--dependencies``: packages of the image's own distribution, kept as an image that later builds start from. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleece.cli.build.target import Target

REPOSITORY = "fleece-build"
"""Of the images that hold the packages; their tags are made from what is in them."""

_NAME = re.compile(r"[A-Za-z0-9@/][^\s,;'\"\\]*")

_SCRIPT = """\
for tool in dnf microdnf yum apt-get; do
  if command -v "$tool" >/dev/null 2>&1; then
    if [ "$tool" = apt-get ]; then
      export DEBIAN_FRONTEND=noninteractive
      apt-get update && exec apt-get install -y --no-install-recommends -- "$@"
      exit 1
    fi
    exec "$tool" install -y "$@"
  fi
done
echo "Error: the image has none of dnf, microdnf, yum and apt-get" >&2
exit 1
"""


def parse(text: str | None) -> tuple[str, ...]:
    """Return the packages that the option names, each once and in order, as the order decides nothing.

    Raises:
        UsageError: one of them is no name.
    """
    names = sorted({word for word in re.split(r"[,\s]+", text or "") if word})
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(f"--dependencies takes names of system packages, separated by commas; {name!r} is not one")
    return tuple(names)


def command(packages: Sequence[str]) -> list[str]:
    """Return what installs the packages in a container, with whichever package manager that has."""
    return ["sh", "-c", _SCRIPT, "sh", *packages]


def tag(image: str, target: Target, packages: Sequence[str]) -> str:
    """Return the tag of what has the packages on top of `image`; the one for a newer `image` takes its place."""
    return hashlib.sha256(json.dumps([image, str(target), list(packages)]).encode()).hexdigest()[:32]
