"""Calls to other services from a process that is kept warm, and answers to API Gateway."""

import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_connection_outlives_the_invocation(function, service):
    """The requests of warm invocations go over one connection; a new process has its own."""
    for number in (1, 2):
        booted = function("clients.fetch")
        assert {booted.invoke({"url": service.url}).result[0] for _ in range(5)} == {200}
        assert len(set(service.connections)) == number
    assert len(service.connections) == 10


def test_connection_outlives_an_invocation_that_failed(fleece_runtime, functions, service, silent):
    """A timeout in one invocation is its own error, and the next one finds the warm connection to the other server."""
    runtime = fleece_runtime(functions, "clients.fetch")
    runtime.invoke({"url": service.url})
    assert runtime.invoke({"url": silent}).error.type == "ReadTimeout"
    assert runtime.invoke({"url": service.url}).error is None
    assert len(set(service.connections)) == 1


def test_timeout_that_was_set_is_the_one_that_fires(function, silent):
    """A service of AWS's that does not answer fails the call in the time that was set, long before the deadline."""
    booted = function("clients.aws", environment={**CREDENTIALS, "AWS_DEFAULT_REGION": "us-east-1"})
    invocation = booted.invoke({"url": silent})
    assert invocation.error.type == "ReadTimeoutError"
    assert silent in invocation.error.message


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_answer_that_is_too_large_is_a_logged_500(function, fleece_events, kind):
    """Over six megabytes Lambda would answer with an error of its own: the client gets a 500, and a line says why."""
    booted = function("answers.main", environment={"AWS_LAMBDA_LOG_LEVEL": "INFO"})
    good = booted.invoke(fleece_events.request("GET", "/letters/5000000", kind=kind))
    assert (good.result["statusCode"], len(good.result["body"])) == (200, 5_000_000)
    bad = booted.invoke(fleece_events.request("GET", "/letters/7000000", kind=kind))
    assert bad.error is None
    assert bad.result["statusCode"] == 500
    assert len(bad.result["body"]) < 1000
    (line,) = [line for line in bad.log_lines if line["level"] == "error"]
    assert line["lambda_request_id"] == bad.request_id
    assert "large" in line["event"]
    assert booted.invoke(fleece_events.request("GET", "/letters/1", kind=kind)).result["body"] == "x"
