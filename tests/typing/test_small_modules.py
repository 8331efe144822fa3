"""Checked by mypy and pyright, never run: fleece.authpolicy, fleece.raxauth and fleece.httperror."""

from typing import Any

from typing_extensions import assert_type

from fleece.authpolicy import AuthPolicy, HttpVerb, simple_response
from fleece.httperror import HTTPError
from fleece.raxauth import authenticate, validate


def check() -> None:
    policy = AuthPolicy(123456789012, "ann", {"plan": "gold", "seats": 3, "share": 0.5, "admin": True}, stage="prod")
    policy.allow_method(HttpVerb.GET, "/pets/*")
    policy.deny_method_with_conditions("DELETE", "/pets", {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}})
    policy.usage_identifier_key = "key"
    assert_type(policy.build(), dict[str, Any])
    assert_type(AuthPolicy.from_method_arn("arn", principal="ann"), AuthPolicy)
    assert_type(simple_response(True, {"plan": ["gold"]}), dict[str, Any])

    policy.allow_method("GET")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AuthPolicy("123456789012", context={"a": []})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]

    @authenticate()
    def handler(token: str, userinfo: dict[str, Any] | None = None) -> int:
        return 1

    assert_type(handler(token="t"), int)
    assert_type(validate("t"), dict[str, Any])

    handler(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(HTTPError(404, "no such user").status_code, int)


async def check_coroutines() -> None:
    @authenticate(tenant=890123, roles=["admin"])
    async def handler(token: str) -> str:
        return ""

    assert_type(await handler("t"), str)
