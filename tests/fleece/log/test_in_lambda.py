"""Logging under AWS's own runtime client."""

import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest


@pytest.fixture
def function(tmp_path, fleece_runtime):
    """Boot a function from its source text."""

    def boot(source, concurrency=1, **environment):
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        return fleece_runtime(tmp_path, "app.main", environment=environment, concurrency=concurrency)

    return boot


HANDLER = """
    import logging
    from fleece.log import bind_contextvars, get_logger, inject_request_ids_into_environment, setup_root_logger
    SETUP
    log = get_logger("app")
    log.info("init")

    @inject_request_ids_into_environment
    def main(event, context):
        log.info("ours", path="/ü")
        bind_contextvars(user=event["user"])
        logging.getLogger("lib").warning("theirs %d", 3, extra={"bucket": "b"})
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("failed")
        return context.aws_request_id
"""


@pytest.mark.parametrize("set_up", ["setup_root_logger()", "pass"])
def test_lines_in_lambda_are_json_and_carry_the_ids(set_up, function):
    """Under AWS's runtime client every line is JSON, once, with this invocation's ids, with or without a set-up."""
    runtime = function(HANDLER.replace("SETUP", set_up))
    cold = runtime.invoke({"user": 1, "requestContext": {"requestId": "api", "stage": "prod"}})
    warm = runtime.invoke({"user": 2}, trace_header="")
    assert [cold.result, warm.result] == [cold.request_id, warm.request_id]
    for invocation in (cold, warm):
        assert len(invocation.log_lines) == len(invocation.logs) == 3
        assert [line["event"] for line in invocation.log_lines] == ["ours", "theirs 3", "failed"]
        assert {line["lambda_request_id"] for line in invocation.log_lines} == {invocation.request_id}
        assert {line["function_name"] for line in invocation.log_lines} == {"test_function"}
        assert {line["cold_start"] for line in invocation.log_lines} == {invocation is cold}
    assert {line["api_request_id"] for line in cold.log_lines} == {"api"}
    assert all(line["xray_trace_id"].startswith("1-") for line in cold.log_lines)
    assert not any({"api_request_id", "xray_trace_id"} & set(line) for line in warm.log_lines)
    assert [line.get("user") for line in warm.log_lines] == [None, 2, 2]
    assert cold.log_lines[1]["bucket"] == "b"
    assert "ZeroDivisionError" in cold.log_lines[2]["exception"]


def test_in_lambdas_json_format_levels_are_lambdas(function):
    """With Lambda's JSON format and level, lines have the level names that Lambda filters by, and no others' format."""
    runtime = function(HANDLER.replace("SETUP", ""), AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="WARN")
    invocation = runtime.invoke({"user": 1})
    assert [(line["event"], line["level"]) for line in invocation.log_lines] == [
        ("theirs 3", "WARN"),
        ("failed", "ERROR"),
    ]
    assert len(invocation.logs) == 2


def test_workers_of_a_managed_instance_log_their_own_invocations(function):
    """Invocations at once in AWS's worker processes have each its own ids, and levels that Lambda filters by."""
    runtime = function(HANDLER.replace("SETUP", ""), concurrency=3)
    with ThreadPoolExecutor(3) as pool:
        invocations = list(pool.map(lambda number: runtime.invoke({"user": number}), range(12)))
    for number, invocation in enumerate(invocations):
        assert invocation.result == invocation.request_id
        lines = [line for line in invocation.log_lines if line.get("lambda_request_id") == invocation.request_id]
        assert [(line["event"], line["level"]) for line in lines] == [
            ("ours", "INFO"), ("theirs 3", "WARN"), ("failed", "ERROR"),
        ]  # fmt: skip
        assert [line.get("user") for line in lines] == [None, number, number]
