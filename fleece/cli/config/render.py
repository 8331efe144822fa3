"""What a configuration says for one stage: its values, decrypted."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from fleece.cli import stages as stage_names
from fleece.cli.config.closed import decrypted
from fleece.cli.config.tree import Dict, Leaf, Tree, as_data, for_stage, leaves, place
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from fleece.cli.config.document import Document
    from fleece.cli.config.keys import KeyService
    from fleece.cli.config.tree import Stage


@dataclasses.dataclass(frozen=True)
class Rendered:
    """The values of one stage.

    Attributes:
        stage: the stage as the configuration defines it.
        tree: its leaves, secrets still encrypted.
        plaintexts: what is in the secrets, by the ``id`` of the leaf's node.
    """

    stage: Stage
    tree: Tree
    plaintexts: dict[int, str]

    def value(self, leaf: Leaf) -> Any:
        """Return the value of a leaf, in clear."""
        return self.plaintexts.get(id(leaf.node), leaf.value)

    def by_name(self) -> Dict:
        """Return the dictionary that the values are in.

        Raises:
            CommandError: ``config`` is something else for this stage.
        """
        if not isinstance(self.tree, Dict):
            raise CommandError(f"config is no dictionary for the stage {self.stage.name}, so its values have no names")
        return self.tree

    def data(self) -> Any:
        """Return the values as dictionaries and lists."""
        return as_data(self.tree, self.value)


def find_stage(document: Document, name: str) -> Stage:
    """Return the stage that a name means.

    Raises:
        UsageError: it means none of the configuration's.
    """
    if not name:
        # An expression such as /.*/ would match it, and what was meant is a variable that is not set.
        raise UsageError(f"{document.source.name}: the name of the stage is empty")
    found = stage_names.match(name, document.stages)
    if found is None:
        known = ", ".join(document.stages) or "none"
        raise UsageError(f"{document.source.name}: there is no stage {name!r}; the stages are {known}")
    return document.stages[found]


def render(document: Document, name: str, keys: KeyService, *, environment: str | None = None) -> Rendered:
    """Choose and decrypt the values of the stage of that name, and no others.

    Args:
        document: a closed configuration.
        name: the stage.
        keys: decrypts.
        environment: whose account to use, in place of the stage's own.

    Raises:
        UsageError: there is no such stage.
        CommandError: a value has nothing for the stage, is not encrypted, or cannot be decrypted.
    """
    stage = find_stage(document, name)
    try:
        tree = for_stage(document.config, name)
    except LookupError as error:
        (values,) = error.args
        raise document.source.error(
            f"{place(values.path)} has no value for the stage {name!r}; give it one", values.start
        ) from None
    secrets = {id(leaf.node): leaf for leaf in leaves(tree) if leaf.is_secret}
    for leaf in secrets.values():
        if leaf.ciphertext is None:
            raise document.error(leaf, f"is not encrypted; run: {document.closing_command}")
    chosen = [_in_environment(leaf, environment) for leaf in secrets.values()]
    plaintexts = decrypted(document, chosen, keys)
    return Rendered(_moved(stage, environment), tree, dict(zip(secrets, plaintexts, strict=True)))


def _in_environment(leaf: Leaf, environment: str | None) -> Leaf:
    return dataclasses.replace(leaf, stage=_moved(leaf.stage, environment)) if leaf.stage else leaf


def _moved(stage: Stage, environment: str | None) -> Stage:
    return stage if environment is None else dataclasses.replace(stage, environment=environment)
