"""LambdaContext, held against the one that AWS's runtime client makes."""

import json
import re

import pytest

from fleece_testing import LambdaContext

CLIENT_CONTEXT = {
    "client": {"installation_id": "i", "app_title": "t", "app_version_name": "v", "more": "x"},
    "custom": {"a": 1},
    "env": {"locale": "de"},
    "w3c": {"traceparent": "00-a-b-01", "tracestate": 1, "other": "x"},
}
IDENTITY = {"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"}

# Shows a context object as JSON: public attributes, with objects as their attributes, and the names of the methods.
SHOW = """
def show(value):
    if value is None or isinstance(value, (str, int, dict)):
        return value
    names = [name for name in dir(value) if not name.startswith("_")]
    if "w3c" in names:
        names = [name for name in names if name != "clock"]
    return {name: "method" if callable(getattr(value, name)) else show(getattr(value, name)) for name in names}

def main(event, context):
    context.log("no newline")
    return {**show(context), "w3c": context.w3c(), "remaining": context.get_remaining_time_in_millis() > 0}
"""


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"client_context": CLIENT_CONTEXT, "identity": IDENTITY, "tenant_id": "tenant"},
        {"client_context": {}, "identity": {}},
        {"client_context": {"w3c": 1}},
    ],
)
def test_every_field_is_that_of_awslambdaric(fleece_runtime, tmp_path, capsys, extra):
    """The same arguments give the same attributes, of the same types, with the same methods."""
    (tmp_path / "app.py").write_text(SHOW)
    runtime = fleece_runtime(tmp_path, "app.main", function_name="users", memory=512, region="eu-west-1", echo=False)
    invocation = runtime.invoke({}, deadline=20, **extra)
    real = invocation.result
    namespace = {}
    exec(SHOW, namespace)  # noqa: S102 (the very code that ran in the child)
    context = LambdaContext(
        function_name="users",
        memory_limit_in_mb=512,
        region="eu-west-1",
        aws_request_id=invocation.request_id,
        deadline=20,
        **extra,
    )
    mine = json.loads(json.dumps(namespace["main"]({}, context)))
    assert capsys.readouterr().out == "no newline" == "".join(invocation.logs)
    stream = re.compile(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}")
    assert stream.fullmatch(real.pop("log_stream_name"))
    assert stream.fullmatch(mine.pop("log_stream_name"))
    assert mine == real


def test_the_deadline_ticks_by_the_clock_that_is_given():
    """The remaining time follows the clock and stops at zero."""
    now = 1000.0
    context = LambdaContext(deadline=3, clock=lambda: now)
    assert context.get_remaining_time_in_millis() == 3000
    now = 1001.5
    assert context.get_remaining_time_in_millis() == 1500
    now = 2000.0
    assert context.get_remaining_time_in_millis() == 0


def test_the_clock_can_be_set_later():
    """Setting ``clock`` moves the time of a context that exists."""
    context = LambdaContext(deadline=3, clock=lambda: 1000.0)
    context.clock = lambda: 1002.0
    assert context.get_remaining_time_in_millis() == 1000


def test_the_deadline_ticks_by_itself():
    """Without a clock of one's own it is the machine's."""
    assert 0 < LambdaContext(deadline=60).get_remaining_time_in_millis() <= 60_000


def test_numbers_become_strings_as_on_lambda():
    """Version and memory are strings there; an alias ends the ARN; partitions follow the region."""
    context = LambdaContext(function_version=7, memory_limit_in_mb=256, qualifier="live", region="cn-north-1")
    assert (context.function_version, context.memory_limit_in_mb) == ("7", "256")
    assert context.invoked_function_arn == "arn:aws-cn:lambda:cn-north-1:123456789012:function:test_function:live"
    assert "[7]" in context.log_stream_name
    assert repr(context).startswith("LambdaContext(aws_request_id=")


def test_the_callers_client_context_is_not_changed():
    """Neither making nor using the object touches what was passed in."""
    given = {"custom": {"a": [1]}, "w3c": {"traceparent": "x"}}
    context = LambdaContext(client_context=given)
    context.client_context.custom["a"].append(2)
    assert given == {"custom": {"a": [1]}, "w3c": {"traceparent": "x"}}
    assert repr(context.client_context) == "ClientContext(client=None, custom={'a': [1, 2]}, env=None)"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"identity": {"cognito_identity_id": "x"}},
            "identity has no key 'cognito_identity_id'; did you mean 'cognitoId",
        ),
        ({"identity": "x"}, "identity must be a dictionary: 'x' was given"),
        ({"client_context": "x"}, "client_context must be a dictionary: 'x' was given"),
        ({"deadline": "3"}, "deadline must be a number of seconds: '3' was given"),
        ({"deadline": True}, "deadline must be a number of seconds: True was given"),
        ({"clock": 5}, "clock must be a function that returns seconds: 5 was given"),
    ],
)
def test_wrong_fields(fields, message):
    """What Lambda could not send is told, and does not vanish without a word."""
    with pytest.raises(TypeError, match=message):
        LambdaContext(**fields)


def test_the_fixture_makes_contexts(fleece_context):
    """`fleece_context` is a factory."""
    assert fleece_context(function_name="users").function_name == "users"
    assert fleece_context().aws_request_id != fleece_context().aws_request_id


@pytest.mark.parametrize("fleece_context", [{"function_name": "orders"}], indirect=True)
def test_the_fixture_takes_defaults_by_indirect_parametrisation(fleece_context):
    """The parameters are where each call starts from."""
    assert fleece_context().function_name == "orders"
    assert fleece_context(function_name="users").function_name == "users"
