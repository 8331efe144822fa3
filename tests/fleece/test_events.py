"""`format_event`: the flat form of the template's events."""

from datetime import datetime, timedelta, timezone

import pytest

from fleece.events import CaseInsensitiveDict, format_event
from fleece_testing import events


def test_everything_is_where_it_belongs(fleece_context):
    """Each part of the template's event is under its flat name."""
    event = events.yoke(
        "POST", "/users/7", route="/users/{id}", query={"q": "1"}, headers={"X-Auth-Token": "t"}, body={"name": "ann"}
    )
    context = fleece_context(function_name="users")
    flat = format_event(event, context)
    assert flat["operation"] == event["operation"]
    assert flat["requestor"] == event["parameters"]["requestor"]
    assert flat["gateway"] == event["parameters"]["gateway"]
    assert (flat["body"], flat["path"], flat["querystring"]) == ({"name": "ann"}, {"id": "7"}, {"q": "1"})
    assert flat["context"]["function_name"] == "users"
    assert flat["context"]["aws_request_id"] == context.aws_request_id
    assert 0 < flat["context"]["get_remaining_time_in_millis"] <= 900_000


def test_headers_are_found_in_any_case(fleece_context):
    """Header names have no case."""
    header = format_event(events.yoke(headers={"X-Auth-Token": "t"}), fleece_context())["header"]
    assert header["x-auth-token"] == header["X-AUTH-TOKEN"] == "t"


def test_the_time_is_utc(fleece_context):
    """``requested-at`` is now, with its time zone."""
    moment = datetime.fromisoformat(format_event({}, fleece_context())["requested-at"])
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - moment) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"operation": None, "parameters": None},
        {"parameters": {}},
        {"parameters": {"request": None, "gateway": None, "requestor": None}},
        {"parameters": {"request": {"header": None, "body": None}}},
        {"parameters": {"request": {"header": "X-Auth-Token: t"}}},
        {"parameters": ["request"]},
        None,
        "event",
    ],
)
def test_what_is_missing_is_empty(event):
    """Nothing of an event must be there, and neither must the context."""
    flat = format_event(event, None)
    for name in ("requestor", "body", "path", "querystring", "header", "gateway"):
        assert dict(flat[name]) == {}
    assert flat["operation"] == ""
    assert set(flat["context"].values()) == {None}


def test_a_case_insensitive_dict_is_a_dict_otherwise():
    """Setting, deleting, listing; the last spelling stays."""
    headers = CaseInsensitiveDict({"A": 1, "B": 2})
    headers["a"] = 3
    del headers["b"]
    assert (list(headers), len(headers), "A" in headers, dict(headers)) == (["a"], 1, True, {"a": 3})
    assert repr(headers) == "CaseInsensitiveDict({'a': 3})"
    with pytest.raises(KeyError):
        headers["b"]


def test_case_insensitive_dicts_are_equal_in_any_case():
    """What is found by the same keys is the same, also beside an ordinary dict; a copy is another dict."""
    headers = CaseInsensitiveDict({"A": 1})
    clone = headers.copy()
    clone["b"] = 2
    assert headers == CaseInsensitiveDict({"a": 1}) == {"A": 1}
    assert headers != {"a": 2}
    assert headers != clone
    assert headers != [("A", 1)]
