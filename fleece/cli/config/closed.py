"""From the open format to the closed one, for source control, and back, for people.

Neither way is a text written anew: the spans of the secrets are replaced, and all else is copied. What comes out is
parsed again and compared with what was meant before anybody sees it.
"""

from __future__ import annotations

import base64
import bisect
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from fleece.cli.config import document, text
from fleece.cli.config.keys import Item, Undecryptable, key_id, size_problem
from fleece.cli.config.tree import CLOSED_MARK, OPEN_MARK, Leaf, Stage, as_data
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from fleece.cli.config.document import Document
    from fleece.cli.config.keys import KeyService
    from fleece.cli.config.source import Source
    from fleece.cli.config.text import Spelling, Spot
    from fleece.cli.config.tree import Path


def export(closed: Document, keys: KeyService, stage: Stage | None = None) -> Source:
    """Return the open text of a closed configuration; secrets that are open already stay so.

    Args:
        closed: the configuration.
        keys: decrypts.
        stage: the one stage whose secrets are opened; by default all are.

    Raises:
        CommandError: secrets cannot be decrypted; the message names them, each with its stage.
    """
    secrets = [leaf for leaf in closed.secrets() if leaf.ciphertext is not None and stage in {None, leaf.stage}]
    changes = []
    for leaf, plaintext in zip(secrets, decrypted(closed, secrets, keys), strict=True):
        spot, value = closed.spot(leaf), OPEN_MARK + plaintext
        changes.append(_Change(leaf, value, spot.edits(text.spell(value, spot))))
    return _replaced(closed, changes)


def decrypted(closed: Document, secrets: list[Leaf], keys: KeyService) -> list[str]:
    """Return the plaintext of each secret.

    Raises:
        CommandError: some cannot be decrypted, or are no text; the message names them, each with its stage.
    """
    plaintexts = [_as_text(answer) for answer in keys.decrypt([_item(closed, leaf) for leaf in secrets])]
    failed = _failed(secrets, plaintexts)
    if failed:
        leaf, reason = failed[0]
        others = f"; nor can {', '.join(leaf.title for leaf, _ in failed[1:])}" if len(failed) > 1 else ""
        raise closed.error(leaf, f"cannot be decrypted: {reason}{others}")
    return [plaintext for plaintext in plaintexts if isinstance(plaintext, str)]


def undecryptable(closed: Document, secrets: list[Leaf], keys: KeyService) -> list[tuple[Leaf, str]]:
    """Return the secrets that cannot be decrypted, or are no text, each with the reason."""
    return _failed(secrets, map(_as_text, keys.decrypt([_item(closed, leaf) for leaf in secrets])))


def _failed(secrets: Iterable[Leaf], plaintexts: Iterable[str | Undecryptable]) -> list[tuple[Leaf, str]]:
    answers = zip(secrets, plaintexts, strict=True)
    return [(leaf, answer.reason) for leaf, answer in answers if isinstance(answer, Undecryptable)]


def import_(opened: Document, closed: Document | None, keys: KeyService, *, reencrypt: Collection[str] = ()) -> Source:
    """Return the closed text of an open configuration; secrets that are encrypted already stay as they are.

    A secret whose plaintext, stage and key are those of one in the closed file keeps its ciphertext and its spelling.

    Args:
        opened: the configuration.
        closed: what the result will replace; None when there is nothing yet.
        keys: encrypts, and decrypts what is in `closed`.
        reencrypt: the names of the stages whose secrets are all encrypted anew.

    Raises:
        CommandError: a secret cannot be encrypted, or would be left in clear.
    """
    secrets = [leaf for leaf in opened.secrets() if leaf.plaintext is not None]
    for leaf in secrets:
        if problem := size_problem((leaf.plaintext or "").encode()):
            raise opened.error(leaf, problem)
    _check_marks(opened, secrets)
    kept = _kept(secrets, closed, keys, reencrypt) if closed is not None else {}
    fresh = [leaf for leaf in secrets if id(leaf.node) not in kept]
    ciphertexts = keys.encrypt([_item(opened, leaf) for leaf in fresh])
    values = {node: CLOSED_MARK + (old.ciphertext or "") for node, old in kept.items()} | {
        id(leaf.node): CLOSED_MARK + base64.b64encode(ciphertext).decode()
        for leaf, ciphertext in zip(fresh, ciphertexts, strict=True)
    }
    at_path = {leaf.path: leaf for leaf in _encrypted(closed)}
    changes = []
    for leaf in secrets:
        spot, value = opened.spot(leaf), values[id(leaf.node)]
        model = kept.get(id(leaf.node)) or at_path.get(leaf.path)
        spelling = _as_before(closed, model, value, spot) if closed and model else None
        changes.append(_Change(leaf, value, spot.edits(spelling or _in_place(value, spot))))
    return _replaced(opened, changes)


def _encrypted(closed: Document | None) -> list[Leaf]:
    return [leaf for leaf in closed.secrets() if leaf.ciphertext is not None] if closed is not None else []


def _kept(secrets: list[Leaf], closed: Document, keys: KeyService, reencrypt: Collection[str]) -> dict[int, Leaf]:
    """Find the secret of the closed file that each secret is, by the ``id`` of the node.

    It is the one with the same plaintext, stage and key, by preference at the same path; an item that was added to a
    list moves the others on. Each is taken once. What cannot be decrypted is not found.
    """
    wanted = {_owner(leaf) for leaf in secrets if leaf.stage and leaf.stage.name not in reencrypt}
    candidates = [leaf for leaf in _encrypted(closed) if _owner(leaf) in wanted]
    plaintexts = map(_as_text, keys.decrypt([_item(closed, leaf) for leaf in candidates]))
    known: dict[Any, dict[Path, Leaf]] = defaultdict(dict)
    for leaf, plaintext in zip(candidates, plaintexts, strict=True):
        known[_owner(leaf), plaintext][leaf.path] = leaf
    kept: dict[int, Leaf] = {}
    for leaf in secrets:
        if (old := known[_owner(leaf), leaf.plaintext].pop(leaf.path, None)) is not None:
            kept[id(leaf.node)] = old
    for leaf in secrets:
        others = known[_owner(leaf), leaf.plaintext]
        if others and id(leaf.node) not in kept:
            kept[id(leaf.node)] = others.pop(next(iter(others)))
    return kept


def _owner(leaf: Leaf) -> tuple[str, str, str] | None:
    """Return what decides which key a secret is encrypted with."""
    return (leaf.stage.name, leaf.stage.environment, key_id(leaf.stage.key)) if leaf.stage else None


def _as_before(closed: Document, old: Leaf, value: str, spot: Spot) -> Spelling | None:
    """Write an encrypted secret as one of the closed file is written, if that is possible at `spot`."""
    model = closed.spot(old)
    spelling = model.spelling
    written = str(old.value).strip()
    if value != CLOSED_MARK + (old.ciphertext or ""):
        if "".join(spelling).count(written) != 1:
            return None
        spelling = type(spelling)(*(part.replace(written, value) for part in spelling))
    if model.context == spot.context:
        return spelling if not spelling.body or spelling.body_indent >= spot.least_indent else None
    is_quoted = spelling.inline.startswith(("'", '"'))
    one_line = "\n" not in spelling.inline and not spelling.body
    return spelling if one_line and (is_quoted or not spot.context.flow) else None


def _in_place(value: str, spot: Spot) -> Spelling:
    """Write an encrypted secret in the manner of the open one that it replaces."""
    if not spot.spelling.is_block:
        return text.spell(value, spot)
    margin = " " * spot.spelling.body_indent
    return spot.spelling._replace(body=f"{spot.line_break}{margin}{value}")


def _item(document: Document, leaf: Leaf) -> Item:
    if leaf.stage is None:
        raise AssertionError(f"{leaf.title} has no stage")  # the document would not have been read
    if leaf.ciphertext is not None:
        return Item(document.title(leaf), leaf.stage, base64.b64decode(leaf.ciphertext))
    return Item(document.title(leaf), leaf.stage, (leaf.plaintext or "").encode())


def _as_text(answer: bytes | Undecryptable) -> str | Undecryptable:
    if isinstance(answer, Undecryptable):
        return answer
    try:
        return answer.decode()
    except UnicodeDecodeError:
        return Undecryptable("what was encrypted is not UTF-8 text")


def _check_marks(opened: Document, secrets: list[Leaf]) -> None:
    """Refuse a mark that would stay in the text, in a comment for instance, and what comes after it with it."""
    index = opened.blanked(secrets).find(OPEN_MARK)
    if index >= 0:
        raise opened.source.error(
            f"{OPEN_MARK!r} is outside of a value and would be written in clear; take it out", index
        )


class _Change(NamedTuple):
    """A secret, its new text with the mark, and what to replace so that it has that."""

    leaf: Leaf
    value: str
    edits: list[text.Edit]


def _replaced(before: Document, changes: Sequence[_Change]) -> Source:
    """Replace the secrets, and make sure that nothing but their values has changed."""
    source = _attempt(before, changes)
    if source is None:

        def fails(last: int) -> bool:
            return _attempt(before, changes[: last + 1]) is None

        first = bisect.bisect_left(range(len(changes)), x=True, key=fails)
        raise before.error(
            changes[first].leaf,
            "cannot be replaced in the way it is written; write it in quotes, after a space, beside its key",
        )
    return source


def _attempt(before: Document, changes: Sequence[_Change]) -> Source | None:
    """Replace the secrets; return None if the text does not say then what it should."""
    edits = [edit for change in changes for edit in change.edits]
    values = {id(change.leaf.node): change.value for change in changes}
    source = before.source.with_text(text.substitute(before.source.text, edits))
    meant = as_data(before.root, lambda leaf: values.get(id(leaf.node), _comparable(leaf)))
    try:
        made = as_data(document.parse(source).root, _comparable)
    except CommandError:
        return None
    return source if made == meant else None


def _comparable(leaf: Leaf) -> Any:
    if leaf.ciphertext is not None:
        return CLOSED_MARK + leaf.ciphertext
    # Not-a-number is not equal to itself, and 1 is equal to true.
    return leaf.value if isinstance(leaf.value, str) else (leaf.written,)
