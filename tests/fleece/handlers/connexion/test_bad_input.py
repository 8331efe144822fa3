"""Events that nobody should send: a documented error or an answer of the client's fault, and nothing else."""

import copy
import json

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from fleece.httperror import HTTPError
from fleece_testing import events

PROXY_KINDS = [kind for kind in events.KINDS if kind != "yoke"]
WRONG = (
    None,
    True,
    7,
    -1.5,
    "",
    "x",
    "\ud800",
    "\x00",
    "/",
    "%",
    "=",
    "AAA",
    [],
    [None],
    ["x"],
    {},
    {"a": {}},
    "x" * 9000,
)
NO_REQUESTS = (
    None,
    {},
    [],
    "text",
    7,
    {"Records": []},
    {"requestContext": None},
    {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c"}},  # of a WebSocket
    {"version": "2.0", "requestContext": {}},
    {"httpMethod": "GET", "path": "/"},
    {"rawContext": {}, "parameters": {}},
    events.sqs({"a": 1}),
    events.eventbridge(),
    events.request_authorizer("GET", "/users/7"),
    events.http_authorizer("GET", "/users/7"),
)


@pytest.mark.parametrize("event", NO_REQUESTS, ids=range(len(NO_REQUESTS)))
@pytest.mark.parametrize("call", ["call_api", "call_proxy_api"])
def test_what_is_no_request_is_a_value_error(app, event, call):
    """The error is in one line, and says what the event is instead."""
    with pytest.raises(ValueError, match="no HTTP request of a kind that fleece knows") as raised:
        getattr(app, call)(event)
    assert "\n" not in str(raised.value)


def places(node, place=()):
    """List the ways to each part of an event."""
    found = []
    for key, value in node.items():
        found.append((*place, key))
        if isinstance(value, dict):
            found += places(value, (*place, key))
    return found


@st.composite
def broken_events(draw, kinds):
    """Make a request's event with some parts missing or replaced by what does not belong there."""
    kind = draw(kinds)
    event = copy.deepcopy(
        events.request("POST", "/users?a=1", body={"name": "ann"}, kind=kind, headers={"Cookie": "a=1"})
    )
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(event)))
        node = event
        for key in way:
            node = node.get(key) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            continue
        if draw(st.booleans()):
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return event


def outcome(call, event):
    """Return the status that an event is answered with, and all that is said of it."""
    try:
        answer = call(event)
    except HTTPError as error:
        return error.status_code, str(error)
    except ValueError as error:
        return "no HTTP request of a kind that fleece knows" in str(error) and 400, str(error)
    return answer["statusCode"] if "statusCode" in (answer or {}) else 200, json.dumps(answer)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the application is as good for all examples
@given(event=broken_events(st.sampled_from(events.KINDS)))
@example(event={"rawContext": {}, "parameters": {"gateway": {}, "request": {}}})
def test_a_broken_event_is_never_more_than_the_clients_fault(app, event):
    """Whatever is missing or wrong, it is a documented error, or a status below 500 that tells nothing."""
    call = app.call_api if "parameters" in event else app.call_proxy_api
    status, said = outcome(call, event)
    assert 200 <= status < 500
    assert "Traceback" not in said
    assert "fleece/" not in said


@pytest.mark.parametrize("kind", PROXY_KINDS)
@pytest.mark.parametrize("body", ["%", "AAA", "é", "\ud800", {"a": 1}, 7, True])
def test_invalid_base64_is_a_400(app, kind, body):
    """A body that is not what it is said to be is the client's fault, told without what is inside."""
    event = {**events.request("POST", "/users", body={"name": "ann"}, kind=kind), "body": body, "isBase64Encoded": True}
    answer = app.call_proxy_api(event)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["status"] == 400


@pytest.mark.parametrize("kind", PROXY_KINDS)
@pytest.mark.parametrize("body", ["{", "nonsense", "[1", "\x00", "NaN x", '{"name": "a"} x'])
def test_a_body_that_is_no_json_is_a_400(app, kind, body):
    """The client is told that it is no JSON."""
    event = events.request("POST", "/users", body=body, headers={"Content-Type": "application/json"}, kind=kind)
    assert app.call_proxy_api(event)["statusCode"] == 400
