"""Checked by mypy and pyright, never run: what a tester's editor sees of fleece_testing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import assert_type

from fleece_testing import AWS, LambdaContext, Logs, Rackspace, Runtime, XRayDaemon, events
from fleece_testing.api import Client, Response
from fleece_testing.aws import KMS, Call, CloudWatch, Credentials, ParameterStore
from fleece_testing.command_line import CommandLine, Result, Terminal
from fleece_testing.docker_engine import DockerEngine
from fleece_testing.rackspace import Received, User
from fleece_testing.runtime import FunctionError, Invocation
from fleece_testing.xray_daemon import Document


def check_stubs(
    fleece_aws: AWS, fleece_rackspace: Rackspace, fleece_xray: XRayDaemon, fleece_docker: DockerEngine
) -> None:
    for stub in (fleece_aws, fleece_rackspace, fleece_xray, fleece_docker):
        assert_type(stub.environment(), dict[str, str])
        stub.clear()
    with AWS(region="eu-west-1") as aws, XRayDaemon(namespaces=["local"]) as xray:
        assert_type(aws, AWS)
        assert_type(xray.start(), XRayDaemon)
    assert_type(fleece_aws.calls("kms", "Encrypt"), list[Call])
    assert_type(fleece_aws.credentials(), Credentials)
    fleece_aws.fail("ssm", when=lambda request: request.parameters["Name"] == "/users")
    fleece_aws.stale("ssm")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AWS(account=123456789012)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert_type(fleece_rackspace.user("me", "key", mfa="1", roles=["admin"]), User)
    assert_type(fleece_rackspace.requests, list[Received])
    fleece_rackspace.account("210987654321", users=["me"])

    assert_type(fleece_xray.subsegments, list[Document])
    assert_type(fleece_xray.assert_subsegment("users", annotations={"id": 1}, fault=True), Document)


def check_furnished(fleece_kms: KMS, fleece_ssm: ParameterStore, fleece_cloudwatch: CloudWatch) -> None:
    assert_type(fleece_kms.encrypt(fleece_kms.key("app"), "text"), str)
    assert_type(fleece_ssm.tree("/users"), dict[str, str])
    assert_type(fleece_cloudwatch.lines(), list[dict[str, Any]])
    fleece_kms.encrypt("key", b"bytes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def check_functions(
    fleece_context: Callable[..., LambdaContext],
    fleece_api: Callable[..., Client],
    fleece_runtime: Callable[..., Runtime],
    fleece_logs: Logs,
    tmp_path: Path,
) -> None:
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return {"statusCode": context.get_remaining_time_in_millis()}

    assert_type(fleece_context(function_name="users").identity.cognito_identity_id, "str | None")
    assert_type(Client(handler, kind="http", context=LambdaContext).get("/", query={"a": 1}), Response)
    assert_type(fleece_api(handler).headers.get("a"), "str | None")
    assert_type(events.request("GET", "/", headers=[("a", "b")], query="a=1"), dict[str, Any])
    events.request("GET", "/", headers="a: b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    invocation = fleece_runtime(tmp_path, "app.main").invoke({"id": 1}, deadline=3)
    assert_type(invocation, Invocation)
    assert_type(invocation.error, FunctionError | None)
    assert_type(fleece_logs.assert_logged("here", level="info", user=1), dict[str, Any])


def check_command(fleece_cli: CommandLine, tmp_path: Path) -> None:
    assert_type(fleece_cli("config", tmp_path, env={"A": None}), Result)
    with fleece_cli.terminal("run") as terminal:
        assert_type(terminal, Terminal)
        assert_type(terminal.wait(), Result)
    with pytest.raises(TypeError):
        fleece_cli(["config"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
