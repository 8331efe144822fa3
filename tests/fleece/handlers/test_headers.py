"""The headers of a request, as all handlers read them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from fleece.handlers._events import kind_of, read_request
from fleece.handlers._headers import NO_HEADERS, RequestHeaders
from fleece.handlers.wsgi import build_wsgi_environ_from_event
from fleece_testing import events

FIELDS = st.lists(st.tuples(st.sampled_from(["Accept", "accept", "ACCEPT", "x-name", "X-Name", "Host"]), st.text()))


def grouped(fields):
    """Return the values of each name, in the plainest way there is."""
    return {name.lower(): [value for each, value in fields if each.lower() == name.lower()] for name, _ in fields}


class TestRequestHeaders:
    """A mapping of lower-case names to all values."""

    @settings(deadline=None)
    @given(FIELDS)
    def test_no_value_is_lost_or_moved(self, fields):
        """Every name has all its values, in order, whatever its case, and every field is there once."""
        headers = RequestHeaders.of(fields)
        assert dict(headers) == dict(headers.items()) == grouped(fields)
        assert list(headers.fields()) == [(name.lower(), value) for name, value in fields]
        assert (list(headers), len(headers)) == (list(grouped(fields)), len(grouped(fields)))

    @settings(deadline=None)
    @given(FIELDS, st.sampled_from(["accept", "host", "missing"]))
    def test_the_last_value_is_that_of_the_last_field(self, fields, name):
        """A proxy appends: the last value of a header counts, and none is nothing."""
        values = grouped(fields).get(name, [""])
        headers = RequestHeaders.of(fields)
        assert headers.last_value(name) == values[-1]
        assert (name in headers) == (name in grouped(fields))

    @settings(deadline=None)
    @given(FIELDS, st.sampled_from(["accept", "host", "missing"]))
    def test_a_header_is_replaced_whole_and_others_stay(self, fields, name):
        """What is set replaces all values, what is taken out is gone, and the headers it was made from stay."""
        headers = RequestHeaders.of(fields)
        others = {each: values for each, values in grouped(fields).items() if each != name}
        assert headers.with_value(name, "new") == {**others, name: ["new"]}
        assert headers.without(name) == others
        assert headers == grouped(fields)

    def test_a_missing_header_is_a_key_error(self):
        """As in any mapping."""
        with pytest.raises(KeyError):
            NO_HEADERS["accept"]


@pytest.mark.parametrize("kind", events.KINDS)
def test_requests_with_the_same_names_have_values_of_their_own(kind):
    """What is kept of one request's headers is nothing but their names."""
    read = []
    for value in ("first", "second"):
        event = events.request("GET", "/", headers={"X-Name": value, "Accept": value}, kind=kind)
        request = read_request(kind_of(event), event)
        read.append((request.headers["x-name"], build_wsgi_environ_from_event(event)["HTTP_X_NAME"]))
    assert read == [(["first"], "first"), (["second"], "second")]


def test_a_thousand_sets_of_names_are_each_read_right(rest_event):
    """More sets of names than are kept, as a client could send them, one after the other and again."""
    for number in [*range(1000), *range(1000)]:
        rest_event["multiValueHeaders"] = {f"X-{number}": ["a"], "Host": ["b"]}
        environ = build_wsgi_environ_from_event(rest_event)
        assert {name: value for name, value in environ.items() if name.startswith("HTTP_")} == {
            f"HTTP_X_{number}": "a",
            "HTTP_HOST": "b",
        }


def test_many_values_of_one_header_are_gathered_in_one_pass(alb_event):
    """A header that is there 50,000 times: a pass for each value would take minutes."""
    alb_event["multiValueHeaders"] = {"x-name": [str(number) for number in range(50_000)]}
    assert build_wsgi_environ_from_event(alb_event)["HTTP_X_NAME"] == ",".join(map(str, range(50_000)))
