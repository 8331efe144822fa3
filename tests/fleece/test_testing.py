"""1.2.1's helpers for tests, under their old names."""

import doctest
import inspect

import pytest

from fleece import testing

CONTEXT_PARAMETERS = (
    "function_name='test_function', function_version=1, remaining_time_in_milli=9999, memory_limit_in_mb=256, "
    "region='us-east-1', account_id='999999999999', stage='test_stage', aws_request_id=None, client_context=None"
)
EVENT_PARAMETERS = "body=None, gateway=None, header=None, operation=None, path=None, querystring=None, requestor=None"


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("LambdaContext", CONTEXT_PARAMETERS),
        ("LambdaEvent", EVENT_PARAMETERS),
        ("LambdaRequestGenerator", "event=None, context=None"),
        ("dict_update", "base, merge, kwargs"),
    ],
)
def test_parameters_are_those_of_1_2_1(name, signature):
    """Names, order and defaults stay."""
    found = inspect.signature(getattr(testing, name))
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    assert ", ".join(map(str, plain)) == signature


def test_the_context_is_aws_own_in_form():
    """Version and memory are strings, the log stream has a date, the time ticks down from what was given."""
    context = testing.LambdaContext("f", 3, 5000, stage="live")
    assert (context.function_version, context.memory_limit_in_mb) == ("3", "256")
    assert context.invoked_function_arn == "arn:aws:lambda:us-east-1:999999999999:function:f:live"
    assert 0 < context.get_remaining_time_in_millis() <= 5000
    assert context.log_stream_name[:4].isdecimal()
    assert context.client_context is None


def test_an_event_has_every_part_and_takes_changes():
    """Given parts replace the defaults; `generate` merges into them or starts from nothing."""
    event = testing.LambdaEvent(body={"a": 1}, header={"H": "x"}, path={"p": "1"}, querystring={"q": "1"})
    generated = event.generate(body={"b": 2}, gateway={"stage": "s"}, operation="op")
    request = generated["parameters"]["request"]
    assert request == {"body": {"a": 1, "b": 2}, "header": {"H": "x"}, "path": {"p": "1"}, "querystring": {"q": "1"}}
    assert generated["operation"] == "op"
    assert generated["parameters"]["gateway"]["stage"] == "s"
    assert generated["parameters"]["gateway"]["http-method"] == "GET"
    assert generated["parameters"]["requestor"]["source-ip"] == "127.0.0.1"
    alone = event.generate(merge_with_default=False, body={"b": 2})["parameters"]
    assert alone["request"] == {"body": {"b": 2}, "header": {}, "path": {}, "querystring": {}}
    assert alone["gateway"] == {}
    assert event.generate()["parameters"]["request"]["body"] == {"a": 1}


def test_the_request_generator_gives_the_formatted_event():
    """Event and context are put together as `fleece.events.format_event` does."""
    request = testing.LambdaRequestGenerator(context=testing.LambdaContext("f")).generate_request(body={"a": 1})
    assert request["body"] == {"a": 1}
    assert request["context"]["function_name"] == "f"
    assert request["header"]["host"].endswith("amazonaws.com")
    assert request["operation"] == "test:operation"


def test_dict_update_changes_nothing_that_was_given():
    """It merges, or takes the second alone, into a new dict."""
    base = {"a": 1}
    assert testing.dict_update(base, True, {"b": 2}) == {"a": 1, "b": 2}
    assert testing.dict_update(base, False, {"b": 2}) == {"b": 2}
    assert base == {"a": 1}


@pytest.mark.parametrize("name", testing.__all__)
def test_the_example_of_each_name(name):
    """Each name has an example, which does what it shows."""
    finder = doctest.DocTestFinder(exclude_empty=False, recurse=False)
    (test,) = finder.find(getattr(testing, name), name, globs=vars(testing).copy())
    assert test.examples
    out = []
    runner = doctest.DocTestRunner()
    runner.run(test, out=out.append)
    assert runner.failures == 0, "".join(out)
