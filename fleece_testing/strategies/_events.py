"""HTTP requests, and events of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fleece_testing import events as builders

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[st.SearchStrategy[Any]], Any]

_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_ITEMS = st.dictionaries(_TEXT.filter(bool), _TEXT | st.integers() | st.booleans() | st.none(), max_size=3).map(
    lambda item: {**item, "id": "1"}
)
_HEADER_NAMES = st.sampled_from(["Accept", "Authorization", "X-Request-Id", "x-custom", "User-Agent", "Cookie"])
_HEADER_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip)

_OTHERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sqs": st.lists(_TEXT | _JSON, max_size=3).map(lambda messages: builders.sqs(*messages)),
    "sns": st.lists(_TEXT | _JSON, min_size=1, max_size=2).map(lambda messages: builders.sns(*messages)),
    "s3": st.lists(_TEXT.filter(bool), min_size=1, max_size=3).map(lambda keys: builders.s3(*keys)),
    "dynamodb_stream": st.lists(
        st.tuples(_ITEMS, st.none()) | st.tuples(st.none(), _ITEMS) | st.tuples(_ITEMS, _ITEMS), max_size=2
    ).map(lambda changes: builders.dynamodb_stream(*changes)),
    "kinesis": st.lists(_TEXT | st.binary(max_size=20), max_size=3).map(lambda data: builders.kinesis(*data)),
    "eventbridge": st.builds(builders.eventbridge, _TEXT, st.dictionaries(_TEXT, _JSON, max_size=3)),
    "cloudwatch_logs": st.lists(_TEXT, max_size=3).map(lambda lines: builders.cloudwatch_logs(*lines)),
    "cognito": st.builds(builders.cognito, user=_TEXT, attributes=st.dictionaries(_TEXT, _TEXT, max_size=3)),
    "token_authorizer": st.builds(builders.token_authorizer, _HEADER_VALUES),
    "request_authorizer": st.builds(builders.request_authorizer),
    "http_authorizer": st.builds(builders.http_authorizer),
}


@st.composite
def http_requests(draw: Draw) -> dict[str, Any]:
    """HTTP requests: the keyword arguments of `fleece_testing.events.request`, all but ``kind``.

    Examples:
        >>> from hypothesis import given
        >>> from fleece_testing.events import request
        >>> @given(http_requests())
        ... def test_it(sent):
        ...     assert request(**sent, kind="rest")["httpMethod"] == sent["method"]
        >>> test_it()
    """
    return {
        "method": draw(st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])),
        "path": "/" + "/".join(draw(st.lists(_TEXT.filter(_is_part), max_size=4))),
        "query": draw(st.lists(st.tuples(_TEXT.filter(bool), _TEXT), max_size=3)),
        "headers": draw(st.dictionaries(_HEADER_NAMES, _HEADER_VALUES, max_size=3)),
        "body": draw(st.none() | _TEXT | st.binary(max_size=20) | st.dictionaries(_TEXT, _JSON, max_size=3)),
    }


def events(*kinds: str) -> st.SearchStrategy[dict[str, Any]]:
    """Events of the kinds named, by the names of the builders in `fleece_testing.events`; of any kind without names.

    Raises:
        ValueError: there is no such kind.

    Examples:
        >>> from hypothesis import given
        >>> @given(events("sqs"))
        ... def test_it(event):
        ...     assert isinstance(event["Records"], list)
        >>> test_it()
    """
    known = (*builders.KINDS, *_OTHERS)
    for kind in kinds:
        if kind not in known:
            raise ValueError(f"There is no kind {kind!r} of event; the kinds are {', '.join(known)}")
    return st.sampled_from(kinds or known).flatmap(_of_kind)


def _of_kind(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    if kind in _OTHERS:
        return _OTHERS[kind]
    requests = http_requests()
    if kind == "yoke":  # whose template passes on what JSON can say
        requests = requests.filter(lambda sent: not isinstance(sent["body"], bytes))
    return requests.map(lambda sent: builders.request(**sent, kind=kind))


def _is_part(text: str) -> bool:
    """Whether a text can be one part of a path as a URL has it: what must be escaped is, and nothing else is there."""
    return bool(text) and text not in (".", "..") and not any(sign in text for sign in "/?#%\\")
