"""What is wrong in a configuration that can be read, or looks wrong."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Literal, NamedTuple

from fleece.cli import stages as stage_names
from fleece.cli.config import closed
from fleece.cli.config.examples import examples
from fleece.cli.config.suspicion import suspicion
from fleece.cli.config.tree import Leaf, PerStage, Visitor, place, walk
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fleece.cli.config.document import Document
    from fleece.cli.config.keys import KeyService
    from fleece.cli.config.rules import Rule
    from fleece.cli.config.tree import Path

Severity = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """Something to look at.

    Attributes:
        line: where, in the file.
        rule: the name of what was found: ``not-encrypted``, for instance.
        severity: an ``error`` breaks something, or shows a secret; a ``warning`` may be meant.
        message: what is wrong, with its place.
    """

    line: int
    rule: Rule
    severity: Severity
    message: str


class Result(NamedTuple):
    """What was found, in the order of the file; and why secrets could not be tried, one failure for each account."""

    findings: list[Finding]
    failures: list[CommandError]


def lint(document: Document, keys: KeyService | None = None, head: Document | None = None) -> Result:
    """Return what is wrong or looks wrong.

    Args:
        document: a closed configuration.
        keys: decrypts; None to leave that untried.
        head: the configuration as it was committed, if it was.
    """
    parts = _Parts()
    walk(document.config, parts)
    linter = _Linter(document, parts)
    found = [
        *linter.overlapping_stages(),
        *linter.unknown_expressions(),
        *linter.missing_values(),
        *linter.open_secrets(),
        *linter.clear_texts(),
        *linter.repeated_ciphertexts(),
        *(linter.moved_ciphertexts(head) if head is not None else ()),
    ]
    failures: list[CommandError] = []
    if keys is not None:
        for account in linter.accounts():
            try:
                found += linter.closed_for_us(account, keys)
            except CommandError as failure:
                failures.append(failure)
    return Result(sorted(found), failures)


class _Parts(Visitor[None]):
    """Collects what the rules look at."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.per_stage_values: list[PerStage] = []

    def leaf(self, leaf: Leaf) -> None:
        self.leaves.append(leaf)

    def list(self, items: Sequence[None]) -> None:
        pass

    def dict(self, items: Mapping[str, None]) -> None:
        pass

    def per_stage(self, tree: PerStage, visit: Callable[[str], None]) -> None:
        self.per_stage_values.append(tree)
        for name in tree.by_stage:
            visit(name)


class _Linter:
    """The rules, each a method that yields what it finds."""

    def __init__(self, document: Document, parts: _Parts) -> None:
        self._document = document
        self._parts = parts
        self._ciphertexts = [leaf for leaf in document.secrets() if leaf.ciphertext is not None]
        self._names = {name: examples(name) for name in document.stages if stage_names.is_expression(name)}

    def overlapping_stages(self) -> Iterator[Finding]:
        """Find expressions that match the same name: the order of the file decides between them."""
        for one, other in itertools.combinations(self._names, 2):
            ours, theirs = self._names[one], self._names[other]
            mixed = (begin + end for begin, end in itertools.product([*ours, *theirs], repeat=2))
            both = [stage_names.compiled(stage) for stage in (one, other)]
            names = (name for name in itertools.chain(ours, theirs, mixed) if len(name) <= stage_names.MAX_NAME)
            name = next((name for name in names if all(pattern.fullmatch(name) for pattern in both)), None)
            if name is not None:
                yield self._finding(
                    self._document.stages[other].start,
                    "overlapping-stages",
                    "warning",
                    f"the stages {one} and {other} both match {name!r}, which means the first of them",
                )

    def unknown_expressions(self) -> Iterator[Finding]:
        """Find ``+/expression/`` keys that are no stage's expression: what they mean is a guess."""
        for values in self._parts.per_stage_values:
            for name in values.by_stage:
                if stage_names.is_expression(name) and name not in self._document.stages:
                    yield self._finding(
                        values.start,
                        "unknown-expression",
                        "warning",
                        f"{place(values.path)}: '+{name}' is the expression of no stage, and is taken for one by its "
                        "text; write it as the stage does",
                    )

    def missing_values(self) -> Iterator[Finding]:
        """Find values that a stage lacks, so that it cannot be rendered."""
        for values in self._parts.per_stage_values:
            for stage in self._document.stages:
                lacking = self._lacks(values, stage)
                if lacking is not None:
                    yield self._finding(
                        values.start,
                        "missing-value",
                        "warning" if stage_names.is_expression(stage) else "error",
                        f"{place(values.path)} has no value for the stage {lacking!r}",
                    )

    def _lacks(self, values: PerStage, stage: str) -> str | None:
        """Return a name of `stage` for which there is no value."""
        if stage in values.by_stage:
            return None
        names = self._names.get(stage, [stage])
        meant = (name for name in names if stage_names.match(name, self._document.stages) == stage)
        return next((name for name in meant if stage_names.match(name, values.by_stage) is None), None)

    def open_secrets(self) -> Iterator[Finding]:
        """Find secrets that are not encrypted."""
        for leaf in self._document.secrets():
            if leaf.plaintext is not None:
                yield self._at(
                    leaf, "not-encrypted", "error", f"is in plain text; run: {self._document.closing_command}"
                )

    def clear_texts(self) -> Iterator[Finding]:
        """Find values in clear that look like secrets."""
        for leaf in self._parts.leaves:
            what = None if leaf.is_secret else suspicion(leaf.path, leaf.value)
            if what is not None:
                yield self._at(leaf, "looks-secret", "warning", f"looks like {what}, and is in clear")

    def repeated_ciphertexts(self) -> Iterator[Finding]:
        """Find ciphertexts that were copied: each import makes another, even of the same text."""
        first: dict[str | None, Leaf] = {}
        for leaf in self._ciphertexts:
            other = first.setdefault(leaf.ciphertext, leaf)
            if other is not leaf:
                yield self._at(leaf, "repeated-ciphertext", "warning", f"has the ciphertext of {other.title}")

    def moved_ciphertexts(self, head: Document) -> Iterator[Finding]:
        """Find ciphertexts that were somewhere else when the file was committed; a list's items may move in it."""
        before = {leaf.ciphertext: leaf for leaf in head.secrets()}
        for leaf in self._ciphertexts:
            old = before.get(leaf.ciphertext)
            if old is not None and _without_indexes(old.path) != _without_indexes(leaf.path):
                yield self._at(leaf, "moved-ciphertext", "warning", f"has the ciphertext that {old.title} has in git")

    def accounts(self) -> list[list[Leaf]]:
        """Return the encrypted secrets, those of an environment together: they are decrypted, or not, by the same."""
        by_environment: dict[str, list[Leaf]] = {}
        for leaf in self._ciphertexts:
            by_environment.setdefault(leaf.stage.environment if leaf.stage else "", []).append(leaf)
        return list(by_environment.values())

    def closed_for_us(self, secrets: list[Leaf], keys: KeyService) -> Iterator[Finding]:
        """Find secrets that the credentials at hand cannot decrypt.

        Raises:
            CommandError: there are no credentials, or KMS could not be asked.
        """
        for leaf, reason in closed.undecryptable(self._document, secrets, keys):
            yield self._at(leaf, "cannot-decrypt", "error", f"cannot be decrypted: {reason}")

    def _at(self, leaf: Leaf, rule: Rule, severity: Severity, message: str) -> Finding:
        return self._finding(leaf.node.start_mark.index, rule, severity, f"{leaf.title}: {message}")

    def _finding(self, start: int, rule: Rule, severity: Severity, message: str) -> Finding:
        return Finding(self._document.source.line(start), rule, severity, message)


def _without_indexes(path: Path) -> tuple[str, ...]:
    return tuple(step for step in path if isinstance(step, str))
