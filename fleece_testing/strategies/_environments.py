"""Environments, as an ``environments.yml`` has them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def environments() -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """Environments by their names: the keys of each, as `fleece_environments` takes them.

    Examples:
        >>> from hypothesis import given
        >>> @given(environments())
        ... def test_it(found):
        ...     assert all(len(keys["account"]) == 12 for keys in found.values())
        >>> test_it()
    """
    names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
    keys = st.fixed_dictionaries(
        {"account": st.from_regex(r"[0-9]{12}", fullmatch=True)},
        optional={
            "role": st.from_regex(r"[A-Za-z][A-Za-z0-9+=,.@_-]{0,20}", fullmatch=True),
            "role_session_name": st.from_regex(r"[A-Za-z0-9+=,.@_-]{2,20}", fullmatch=True),
            "region": st.sampled_from(["us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1"]),
        },
    )
    return st.dictionaries(names, keys, max_size=4)
