"""The strategies, put to what they are for: laws of fleece that hold for anything that they draw."""

import io
import json
import logging

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from fleece import xray
from fleece.cli.environments import load
from fleece.handlers.wsgi import wsgi_handler
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece_testing import LambdaContext, events, strategies

with_fixtures = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@with_fixtures
@given(environments=strategies.environments())
def test_environments_that_are_written_are_read(environments, tmp_path):
    """Whatever is in an environments.yml that a YAML library has written comes back."""
    path = tmp_path / "environments.yml"
    entries = [{"name": name, **keys} for name, keys in environments.items()]
    path.write_text(yaml.safe_dump({"environments": entries}), encoding="utf-8")
    known = load(path)
    for name, keys in environments.items():
        assert {key: getattr(known[name], key) for key in keys} == keys


@with_fixtures
@given(header=strategies.trace_headers())
def test_no_trace_header_breaks_a_traced_call(header, fleece_xray, monkeypatch):
    """A traced function returns what it returns, and sends nothing that X-Ray would drop."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    assert xray.trace_xray_subsegment()(lambda: 7)() == 7
    assert fleece_xray.refused == []


@with_fixtures
@given(header=strategies.trace_headers(complete=True))
def test_a_complete_trace_header_is_understood(header, fleece_xray, monkeypatch):
    """Root, parent and decision are found wherever they stand."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    parts = dict(field.split("=", 1) for field in header.split(";"))
    found = xray.get_trace_id()
    assert (found.trace_id, found.parent_id) == (parts["Root"], parts["Parent"])
    assert found.sampled == (parts["Sampled"] == "1")


@with_fixtures
@given(fields=strategies.log_fields())
def test_no_log_call_raises(fields):
    """Each call makes one line of JSON that has the event."""
    written = io.StringIO()
    logger = get_logger("strategies")
    logger.propagate = False
    logger.handlers = [logging.StreamHandler(written)]
    logger.warning("here", **fields)
    (line,) = written.getvalue().splitlines()
    assert json.loads(line)["event"] == "here"


@given(event=strategies.events())
def test_events_of_any_kind_are_json_and_have_ids(event):
    """An event is what JSON can say, and a decorated function is called with it as it is."""
    assert json.loads(json.dumps(event)) == event
    assert inject_request_ids_into_environment(lambda event, context: event)(event, LambdaContext()) == event


@pytest.mark.parametrize("kind", ["rest", "http", "http_1", "function_url", "alb_multi_value"])
def test_a_request_loses_nothing(kind):
    """What a client sends is what a WSGI application sees, by whatever event it comes."""

    @given(sent=strategies.http_requests())
    @settings(max_examples=60)
    def law(sent):
        seen = {}

        def app(environ, start_response):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            path = environ["PATH_INFO"].encode("latin-1").decode()
            seen.update(method=environ["REQUEST_METHOD"], path=path, body=body)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"seen"]

        answer = wsgi_handler(events.request(**sent, kind=kind), LambdaContext(), app)
        body = sent["body"]
        content = b"" if body is None else body.encode() if isinstance(body, str) else body
        assert answer["statusCode"] == 200
        assert (seen["method"], seen["path"]) == (sent["method"], sent["path"])
        if isinstance(content, bytes):
            assert seen["body"] == content
        else:
            assert json.loads(seen["body"]) == content

    law()


def test_a_kind_that_there_is_not():
    """The message names the kinds that there are."""
    with pytest.raises(ValueError, match="There is no kind 'sqss' of event; the kinds are rest, http, "):
        strategies.events("sqss")
