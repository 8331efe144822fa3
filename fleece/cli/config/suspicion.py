"""Whether a value in clear looks like a secret, by its name or by its own form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleece.cli.config.tree import Path

_NAME = re.compile(
    r"(?:^|[^a-z])(?:pass(?:words?|wd|phrase)?|pwd|secrets?|credentials?|tokens?"
    r"|(?:api|access|private|secret|encryption)[-_. ]?keys?)[^a-z]*$",
    re.IGNORECASE,
)
_WORD_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FORMS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,})\b"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"),
    "an address with a password": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:(?![$<{])[^\s/@]+@", re.IGNORECASE),
    "settings with a password": re.compile(r"\b(?:password|passwd|pwd)=(?![$<{])[^\s;&]", re.IGNORECASE),
}
# Where a secret is, rather than the secret: a reference, a path, a name in capitals, an ARN.
_REFERENCE = re.compile(r"\$\{.*|\{\{.*|\$[A-Z_]+|/[\w./-]+|[A-Z][A-Z0-9_]*|arn:.*|https?://[^@]*|alias/.*")


def suspicion(path: Path, value: object) -> str | None:
    """Return what a value in clear looks like, ``a GitHub token`` for instance; None when it looks harmless."""
    if not isinstance(value, str):
        return None
    form = next((what for what, pattern in _FORMS.items() if pattern.search(value)), None)
    if form is not None:
        return form
    names = [step for step in path if isinstance(step, str) and not step.startswith("+")]
    named = bool(names) and _NAME.search(_WORD_BOUNDARY.sub("_", names[-1])) is not None
    return "a secret by its name" if named and len(value) > 1 and not _REFERENCE.fullmatch(value) else None
