"""Lambda's context object, as AWS's runtime client makes it."""

from __future__ import annotations

import copy
import secrets
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import check_known, checked_lifetime, checked_mapping
from fleece_testing._arn import function_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Client", "ClientContext", "CognitoIdentity", "LambdaContext"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_IDENTITY = ("cognitoIdentityId", "cognitoIdentityPoolId")
_W3C_FIELDS = ("traceparent", "tracestate", "baggage")


class _Record:
    """Attributes read from a dict; what is missing there is ``None``, and nothing can be added."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class CognitoIdentity(_Record):
    """Who calls, when an AWS mobile SDK does; ``None`` in both attributes otherwise.

    Examples:
        >>> LambdaContext(identity={"cognitoIdentityId": "id"}).identity
        CognitoIdentity(cognito_identity_id='id', cognito_identity_pool_id=None)
    """

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")
    cognito_identity_id: str | None
    cognito_identity_pool_id: str | None


class Client(_Record):
    """The calling application, as an AWS mobile SDK describes it.

    Examples:
        >>> LambdaContext(client_context={"client": {"app_title": "shop"}}).client_context.client.app_title
        'shop'
    """

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")
    app_package_name: str | None
    app_title: str | None
    app_version_code: str | None
    app_version_name: str | None
    installation_id: str | None


class ClientContext(_Record):
    """What an AWS mobile SDK sends beside the event.

    Examples:
        >>> LambdaContext(client_context={"custom": {"a": "1"}}).client_context.custom
        {'a': '1'}
    """

    __slots__ = ("client", "custom", "env")
    client: Client | None
    custom: dict[str, Any] | None
    env: dict[str, Any] | None

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        client = values.get("client")
        self.client = None if client is None else Client(client)


class LambdaContext:
    r"""The second argument of a handler.

    Args:
        function_name: the function's name.
        function_version: ``$LATEST`` or a number; a string in the end, as on Lambda.
        memory_limit_in_mb: the configured memory; a string in the end, as on Lambda.
        region: the region in the ARN.
        account_id: the account number in the ARN.
        qualifier: the version or alias that was called; it ends the ARN when given.
        aws_request_id: default: a new one.
        deadline: the time that the function has from now, in seconds.
        clock: returns the time in seconds since 1970; the deadline ticks by it.
        client_context: ``{"client": {...}, "custom": {...}, "env": {...}}``.
        identity: ``{"cognitoIdentityId": ..., "cognitoIdentityPoolId": ...}``.
        tenant_id: the tenant, of functions that isolate tenants.

    Raises:
        TypeError: `client_context` or `identity` is not a dict, `identity` has another key, `deadline` is not a number,
            `clock` is not a function.

    Examples:
        >>> now = 1000.0
        >>> context = LambdaContext(function_name="users", deadline=3, clock=lambda: now)
        >>> context.invoked_function_arn
        'arn:aws:lambda:us-east-1:123456789012:function:users'
        >>> now += 1
        >>> context.get_remaining_time_in_millis()
        2000
        >>> context.log("as it is\n")
        as it is
        >>> context.w3c()
        {}
    """

    def __init__(
        self,
        *,
        function_name: str = "test_function",
        function_version: str | int = "$LATEST",
        memory_limit_in_mb: str | int = 128,
        region: str = "us-east-1",
        account_id: str | int = "123456789012",
        qualifier: str | None = None,
        aws_request_id: str | None = None,
        deadline: float = 3.0,
        clock: Callable[[], float] = time.time,
        client_context: Mapping[str, Any] | None = None,
        identity: Mapping[str, str] | None = None,
        tenant_id: str | None = None,
    ) -> None:
        _check(deadline, clock, client_context, identity)
        self.aws_request_id = str(uuid.uuid4()) if aws_request_id is None else aws_request_id
        self.function_name = function_name
        self.function_version = str(function_version)
        self.memory_limit_in_mb = str(memory_limit_in_mb)
        arn = function_arn(region, account_id, function_name)
        self.invoked_function_arn = arn if qualifier is None else f"{arn}:{qualifier}"
        self.log_group_name = f"/aws/lambda/{function_name}"
        day = time.strftime("%Y/%m/%d", time.gmtime(clock()))
        self.log_stream_name = f"{day}/[{self.function_version}]{secrets.token_hex(16)}"
        self.tenant_id = tenant_id
        self.client_context = None if client_context is None else ClientContext(copy.deepcopy(dict(client_context)))
        cognito = identity or {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": cognito.get("cognitoIdentityId"),
                "cognito_identity_pool_id": cognito.get("cognitoIdentityPoolId"),
            }
        )
        self.clock = clock
        self._deadline_ms = int((clock() + deadline) * 1000)
        w3c = (client_context or {}).get("w3c")
        fields = w3c if isinstance(w3c, dict) else {}
        self._w3c = {name: fields[name] for name in _W3C_FIELDS if isinstance(fields.get(name), str)}

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left until the deadline, in milliseconds, never below 0."""
        return max(0, self._deadline_ms - int(self.clock() * 1000))

    def w3c(self) -> dict[str, str]:
        """Return the W3C trace context that the caller sent in the client context."""
        return dict(self._w3c)

    def log(self, message: object) -> None:
        """Write the message to stdout as it is, without a newline."""
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        names = ("aws_request_id", "function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb")
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def _check(deadline: object, clock: object, client_context: Any, identity: Any) -> None:
    """See that Lambda could send this: the JSON of a caller, and a time."""
    checked_lifetime("deadline", deadline)
    if not callable(clock):
        raise TypeError(f"clock must be a function that returns seconds: {clock!r} was given")
    checked_mapping("client_context", client_context)
    checked_mapping("identity", identity)
    check_known("identity", _IDENTITY, identity or ())
