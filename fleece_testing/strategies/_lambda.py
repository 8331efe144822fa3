"""What a function gets beside its event, and what it hands to fleece."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_ROOTS = st.from_regex(r"1-[0-9a-f]{8}-[0-9a-f]{24}", fullmatch=True).map("Root=".__add__)
_PARENTS = st.from_regex(r"[0-9a-f]{16}", fullmatch=True).map("Parent=".__add__)
_SAMPLED = st.sampled_from(["Sampled=1", "Sampled=0"])
_BROKEN = st.sampled_from(["Root=1-2-3", "Parent=", "Sampled=?", "", "=", "Root", "Lineage=a87bd80c:1|68fd508a:5"])
# What an environment variable can hold.
_ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


class _Unprintable:
    """An object that has no text."""

    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = __str__


def trace_headers(*, complete: bool = False) -> st.SearchStrategy[str]:
    """Values of ``_X_AMZN_TRACE_ID``: sound ones, broken ones, anything.

    Args:
        complete: only those with a root, a parent and a decision, in any order and with further fields.

    Examples:
        >>> from hypothesis import given
        >>> @given(trace_headers(complete=True))
        ... def test_it(header):
        ...     assert {"Root", "Parent", "Sampled"} <= {field.partition("=")[0] for field in header.split(";")}
        >>> test_it()
    """
    lineage = st.lists(st.just("Lineage=a87bd80c:1|68fd508a:5"), max_size=1)
    sound = st.tuples(_ROOTS, _PARENTS, _SAMPLED, lineage).flatmap(
        lambda parts: st.permutations([*parts[:3], *parts[3]]).map(";".join)
    )
    if complete:
        return sound
    fields = st.lists(_ROOTS | _PARENTS | _SAMPLED | _BROKEN | _ANYTHING, max_size=5).map(";".join)
    return sound | fields


def log_fields() -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a log line: any names, with values of every sort, those that cannot be written among them.

    Examples:
        >>> import json
        >>> from hypothesis import given
        >>> from fleece.log import get_logger
        >>> logger = get_logger("docs")
        >>> logger.propagate = False
        >>> @given(log_fields())
        ... def test_it(fields):
        ...     logger.bind(**fields).debug("no log call raises")
        >>> test_it()
    """
    names = st.text(max_size=12) | st.sampled_from(["password", "trace_id", "args", "msg", "name", "a b", "exc_infos"])
    return st.dictionaries(names.filter(_is_free), _values(), max_size=5)


def _is_free(name: str) -> bool:
    """Whether logging itself has no use for a field of this name."""
    return name not in ("event", "exc_info", "stack_info", "stacklevel", "extra", "self", "level")


def _values() -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(exclude_categories=[]), max_size=20),
        st.binary(max_size=10),
        st.datetimes(),
        st.builds(_Unprintable),
        st.builds(_circle),
        st.just("x" * 300_000),
    )
    keys = st.text(max_size=5) | st.integers() | st.tuples(st.integers())
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
    )


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append({"itself": circle})
    return circle
