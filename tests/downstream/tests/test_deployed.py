"""The service as Lambda runs it, and what is around it."""

import time

ORDER = {"id": "7", "item": "tea"}


def test_under_aws_own_runtime_client(cloud, fleece_runtime, fleece_events, fleece_xray, pytestconfig):
    """In a process of its own the function calls the same AWS, and its traces arrive."""
    runtime = fleece_runtime(pytestconfig.rootpath / "src", "handler.main", environment={"BUCKET": "orders"})
    event = fleece_events.request("POST", "/orders", body=ORDER, kind="http")
    invocation = runtime.invoke(event, deadline=30)
    assert invocation.error is None
    assert invocation.result["statusCode"] == 201
    assert invocation.log_lines[0]["lambda_request_id"] == invocation.request_id
    fleece_xray.assert_subsegment("SSM", parent="accept")
    with cloud.client("s3").get_object(Bucket="orders", Key="7")["Body"] as body:
        assert body.read()


def test_its_logs_in_cloudwatch(fleece_cloudwatch):
    """A line in a log group is found by its fields."""
    group, stream = fleece_cloudwatch.stream("/aws/lambda/orders")
    event = {"timestamp": int(time.time() * 1000), "message": '{"event": "Order accepted", "order_id": "7"}'}
    fleece_cloudwatch.client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    fleece_cloudwatch.assert_logged("Order accepted", group=group, order_id="7")


def test_the_command_line_reaches_the_emulators_alone(fleece_cli, fleece_environments, fleece_rackspace):
    """`fleece run` gets credentials of an environment from the stubs of Rackspace and AWS."""
    fleece_environments(staging={})
    result = fleece_cli("run", "-e", "staging", "--", "env")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "AWS_SESSION_TOKEN=" in result.stdout
    assert [request.kind for request in fleece_rackspace.requests] == ["tokens", "credentials"]
