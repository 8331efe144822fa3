"""Configurations, as people write them."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Draw = Callable[[st.SearchStrategy[Any]], Any]

ENVIRONMENTS = ("development", "production")
"""The names of the environments that the stages of `open_configurations` lead to."""

KEYS = ("alias/first", "second")
"""The KMS keys of those stages."""

_STAGES = ("dev", "prod", "/.*/", "/feature-.*/", "/(qa|it)[0-9]?/")
_COMMON = ("the same for several", 8080)  # values to write aliases of
_PLAIN = re.compile(r"(?::encrypt:)?[A-Za-z][A-Za-z0-9 /._?,\[\]'\"é☃😀-]*(?<! )")
_WORDS = re.compile(r"(?i:null|true|false)")
_INDENTED = re.compile(r"^[ \t]|\n[ \t]")  # a folded block keeps the line breaks around such lines
_UNPRINTABLE = re.compile("[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclasses.dataclass(frozen=True)
class OpenConfiguration:
    r"""A configuration in the open format of ``fleece config``.

    Attributes:
        text: the YAML, with comments, in any mixture of styles.
        data: what it says: ``{"stages": ..., "config": ...}``, in which values by stage have keys with a ``+``.
        marked: whether its file begins with a byte-order mark.

    Examples:
        >>> configuration = OpenConfiguration("config: {a: é}\n", {"config": {"a": "é"}}, marked=True)
        >>> configuration.data["config"]
        {'a': 'é'}
        >>> configuration.content
        b'\xef\xbb\xbfconfig: {a: \xc3\xa9}\n'
    """

    text: str
    data: dict[str, Any]
    marked: bool = False

    @property
    def content(self) -> bytes:
        """The bytes of its file."""
        return self.text.encode("utf-8-sig" if self.marked else "utf-8")


def secret_texts() -> st.SearchStrategy[str]:
    """Texts that can be secrets: passwords, keys of several lines, anything in Unicode; never empty.

    Examples:
        >>> from hypothesis import given
        >>> @given(secret_texts())
        ... def test_it(text):
        ...     assert text
        >>> test_it()
    """
    return st.one_of(
        st.text("abcXYZ019 :#'\"\\{}[],&*!|>%@`/-?=é☃😀", min_size=1, max_size=20),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
        st.lists(st.text("abc: #-\t", max_size=6), min_size=2, max_size=4).map("\n".join).filter(bool),
        st.sampled_from(["-----BEGIN KEY-----\nMIIB\n\nAAAA==\n-----END KEY-----\n", "yes", "0777", "~", "x\n\n\n"]),
    ).filter(lambda text: ":encrypt:" not in text and ":decrypt:" not in text)


@st.composite
def open_configurations(draw: Draw, *, has_secret: bool = False) -> OpenConfiguration:  # noqa: D417 (draw is given)
    """Open configurations: any shape that the format allows, however a person may have formatted it.

    Args:
        has_secret: whether there must be a secret in it.

    Examples:
        >>> from hypothesis import given
        >>> @given(open_configurations(has_secret=True))
        ... def test_it(configuration):
        ...     assert "stages" in configuration.text
        ...     assert "password" in configuration.data["config"]
        ...     assert {stage["key"] for stage in configuration.data["stages"].values()} <= set(KEYS)
        ...     assert {stage["environment"] for stage in configuration.data["stages"].values()} <= set(ENVIRONMENTS)
        >>> test_it()
    """
    names = draw(st.lists(st.sampled_from(_STAGES), min_size=1, max_size=4, unique=True))
    stages = {
        name: {"environment": draw(st.sampled_from(ENVIRONMENTS)), "key": draw(st.sampled_from(KEYS))} for name in names
    }
    config = draw(st.dictionaries(_keys(), _values(names), max_size=4))
    if has_secret:
        config["password"] = {f"+{names[0]}": ":encrypt:" + draw(secret_texts())}
    data = {"stages": stages, "config": config}
    text = _Writer(draw).document(data)
    # Without a last line break, the text of a block would end without one as well.
    if not re.search(r"[|>](?!-)", text) and draw(st.booleans()):
        text = text.removesuffix("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return OpenConfiguration(text, data, draw(st.booleans()))


def _keys() -> st.SearchStrategy[str]:
    return st.one_of(
        st.from_regex(r"[a-z][a-z_0-9]{0,7}", fullmatch=True).filter(lambda key: not _WORDS.fullmatch(key)),
        st.sampled_from(["with space", "a.b", "é☃", "0", "true", "x: y", "#", "-", "?", "a/b", "[0]"]),
    )


def _leaves() -> st.SearchStrategy[Any]:
    text = secret_texts() | st.just("")
    return st.one_of(
        st.sampled_from(_COMMON),
        text,
        text,
        st.integers(-(10**6), 10**6),
        st.booleans(),
        st.none(),
        st.floats(-9, 9, width=16),
    )


def _values(stages: Sequence[str]) -> st.SearchStrategy[Any]:
    secret = secret_texts().map(":encrypt:".__add__)

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(inner, max_size=3) | st.dictionaries(_keys(), inner, max_size=3)

    in_a_stage = st.recursive(secret | secret | _leaves(), nested, max_leaves=4)
    ways = st.dictionaries(st.sampled_from(stages).map("+".__add__), in_a_stage, min_size=1, max_size=3)
    return st.recursive(_leaves() | ways | ways, nested, max_leaves=6)


class _Writer:
    """Writes data as YAML, and leaves to `draw` what YAML leaves to the writer."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._anchors = itertools.count()
        self._anchored: dict[tuple[type, Any], str] = {}

    def document(self, data: dict[str, Any]) -> str:
        start: str = self._pick("", "# secrets of the service\n", "\n", "---\n", "--- # one\t\n")
        return start + self._mapping(data, 0)

    def _pick(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def _mapping(self, data: dict[str, Any], indent: int) -> str:
        return "".join(
            f"{self._between(indent)}{' ' * indent}{self._key(key)}:{self._below(value, indent)}"
            for key, value in data.items()
        )

    def _sequence(self, data: list[Any], indent: int) -> str:
        return "".join(f"{self._between(indent)}{' ' * indent}-{self._below(item, indent)}" for item in data)

    def _between(self, indent: int) -> str:
        """Write a comment line, or nothing; a blank line would belong to a block that keeps its line breaks."""
        comment = self._pick("", "", "", "# a comment: with 'quotes' {and} more", "# é:\t[☃\t")
        return f"{' ' * indent}{comment}\n" if comment else ""

    def _below(self, value: Any, indent: int) -> str:
        """Write what comes after a colon or a dash, and the rest of the line and of the value."""
        if isinstance(value, (dict, list)):
            if not value or self._pick(False, False, True):
                return f" {self._anchor()}{self._flow(value)}{self._line_end()}"
            anchor = f" {self._anchor()}".rstrip()
            deeper = indent + self._pick(2, 3, 4)
            below = self._mapping(value, deeper) if isinstance(value, dict) else self._sequence(value, deeper)
            return f"{anchor}{self._line_end()}{below}"
        if isinstance(value, str) and self._pick(False, True) and (block := self._block(value, indent)):
            return block
        return f"{self._pick(' ', '  ')}{self._alias(value) or self._anchored_scalar(value)}{self._line_end()}"

    def _anchor(self) -> str:
        return f"&a{next(self._anchors)} " if self._pick(False, False, False, True) else ""

    def _anchored_scalar(self, value: Any) -> str:
        anchor = f"&a{next(self._anchors)} " if value in _COMMON else self._anchor()
        if anchor:
            self._anchored[type(value), value] = anchor.strip(" &")
        return f"{anchor}{self._scalar(value, in_flow=False)}"

    def _alias(self, value: Any) -> str:
        """Write an alias of an equal value before, if there is one; a secret belongs to one stage, and has none."""
        name = self._anchored.get((type(value), value))
        is_secret = isinstance(value, str) and value.startswith(":")
        return f"*{name}" if name and not is_secret and self._pick(False, True) else ""

    def _line_end(self) -> str:
        return str(self._pick("\n", "\n", "  # why\n", " #\ttabs\t\n"))

    def _block(self, text: str, indent: int) -> str | None:
        """Write a literal or a folded block, where the text can be one."""
        body = text.rstrip("\n")
        if not body or _UNPRINTABLE.search(body.replace("\n", "").replace("\t", "")) or body[0] in " \t\n":
            return None
        if any(line.strip() == "" and line for line in body.split("\n")):
            return None
        style = self._pick("|", ">") if not _INDENTED.search(body) else "|"
        margin = " " * (indent + self._pick(1, 2, 5))
        chomp = {0: "-", 1: ""}.get(len(text) - len(body), "+")
        lines = (self._folded(body) if style == ">" else body).split("\n")
        block = "\n".join(margin + line if line else "" for line in lines)
        return f" {style}{chomp}{self._line_end()}{block}" + "\n" * max(1, len(text) - len(body))

    def _folded(self, body: str) -> str:
        """Write the lines of a folded block, which a line break alone would join: a space may be one."""
        doubled = re.sub("\n+", lambda breaks: breaks[0] + "\n", body)
        return re.sub(r"(?<=[^ \t\n]) (?=[^ \t\n])", lambda _: str(self._pick(" ", " ", "\n")), doubled)

    def _flow(self, value: Any) -> str:
        between = self._pick(", ", ", ", " , ", ",\n      # among brackets\n      ")
        if isinstance(value, list):
            return f"[{between.join(map(self._flow, value))}]"
        if isinstance(value, dict):
            return f"{{{between.join(f'{self._key(key)}: {self._flow(item)}' for key, item in value.items())}}}"
        return self._scalar(value, in_flow=True)

    def _key(self, key: str) -> str:
        if re.fullmatch(r"\+?[a-z/][\w./*()|\[\]-]*", key, re.ASCII) and not _WORDS.fullmatch(key):
            # Brackets would end a plain key in a flow collection.
            return key if not set(key) & set("[]") and self._pick(True, False) else f'"{key}"'
        return self._quoted(key)

    def _scalar(self, value: Any, *, in_flow: bool) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        plain = _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value)
        # 1.2.1 wrote secrets without quotes in flow collections as well.
        if plain and not (in_flow and set(value) & set("[],?")) and self._pick(True, False):
            return value
        return self._quoted(value)

    def _quoted(self, text: str) -> str:
        if not _UNPRINTABLE.search(text) and self._pick(True, False):
            return "'" + text.replace("'", "''") + "'"
        quoted = json.dumps(text, ensure_ascii=False)
        return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", quoted)
