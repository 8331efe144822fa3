"""Functions that only callers with a valid token of Rackspace Identity may call.

Examples:
    >>> @authenticate(tenant="890123", roles=["billing:admin"])
    ... def handler(token, userinfo):
    ...     return {"hello": userinfo["access"]["user"]["name"]}

Identity is asked about the token at each call, over a connection that stays open between them. Nothing is known about
a token before that, so nothing is done with it either: what does not look like one is refused without a request.

Tests need no Rackspace account: with the fixture ``fleece_rackspace`` of `fleece_testing`,
``handler(token=fleece_rackspace.token())`` gets in. The environment variable ``FLEECE_IDENTITY_URL``, which the fixture
sets, has the base URL of another Identity; it must be https, or on this machine.
"""

from __future__ import annotations

import functools
import hmac
import inspect
import json
import re
from datetime import datetime, timezone
from http import HTTPStatus

from fleece import _endpoints, _identity
from fleece._logging.functions import is_coroutine_function
from fleece._moments import moment
from fleece.httperror import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar

    from fleece.requests import Response

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["authenticate", "validate"]

TOKEN_URL_FMT = _endpoints.IDENTITY_URL + _identity.TOKEN_PATH
"""Where Rackspace's own Identity is asked about a token; kept from 1.2.1."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,512}")
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_ANSWERS = frozenset({HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})


def authenticate(tenant: str | int | None = None, roles: str | Iterable[str] | None = None) -> Callable[[F], F]:
    """Decorate a function so that it runs for callers with a valid token only.

    The function is called with a parameter ``token``, by name or by position. If it takes ``userinfo`` (or any
    keyword), that is Identity's answer about the token, as `validate` returns it, whatever the caller gave under that
    name. An ``async def`` waits for the answer in a thread, and holds up nothing else.

    Args:
        tenant: the tenant that the token must be for; by default, **every customer of Rackspace passes**.
        roles: a role's name, or several of which the user must have one. A role in one tenant counts for tokens of
            that tenant.

    Raises:
        HTTPError: when the function is called: 401 for a token that is not valid, 403 for one of another tenant or
            without the role, 503 when Identity does not say so.
        TypeError: the function does not take a token, or an argument is of another type.
        ValueError: the tenant is empty, or there is no role in `roles`: neither is "all".
    """
    wanted_tenant = _checked_tenant(tenant)
    wanted_roles = _checked_roles(roles)

    def check(token: object) -> dict[str, Any]:
        userinfo = validate(token)
        _authorize(userinfo["access"], wanted_tenant, wanted_roles)
        return userinfo

    def decorator(function: F) -> F:
        parameters = _Parameters(function)

        if is_coroutine_function(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                import asyncio  # noqa: PLC0415 (whoever awaits this has it already)

                call = parameters.bind(args, kwargs)
                userinfo = await asyncio.to_thread(check, parameters.get(call, "token"))
                parameters.set(call, "userinfo", userinfo)
                return await function(*call.args, **call.kwargs)

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                call = parameters.bind(args, kwargs)
                parameters.set(call, "userinfo", check(parameters.get(call, "token")))
                return function(*call.args, **call.kwargs)

        return wrapper  # type: ignore[return-value]  # what functools.wraps makes is called as the function is

    return decorator


def validate(token: object) -> dict[str, Any]:
    """Return what Rackspace Identity knows of a token, if it is valid.

    Returns:
        Identity's answer: ``{"access": {"token": {"id", "expires", "tenant": {"id", "name"}}, "user": {"id", "name",
        "roles": [{"name"}, ...]}}}``; the tokens of some users have no tenant.

    Raises:
        HTTPError: 401 when the token is not one, is unknown, or has expired; 503 when Identity cannot be reached in
            time or its answer makes no sense. Neither has the token in it.
        ValueError: the URL in ``FLEECE_IDENTITY_URL`` is not one that tokens may be sent to.
    """
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise _refused()
    try:
        response = _identity.ask(token)
    except _identity.UnavailableError as error:
        raise _unavailable(str(error)) from None
    if response.status_code in _REFUSALS:
        raise _refused()
    if response.status_code not in _ANSWERS:
        raise _unavailable(f"answered HTTP {response.status_code}")
    return _valid(token, _document(response))


def _valid(token: str, document: Any) -> dict[str, Any]:
    """Return Identity's answer if it says that this very token is valid now."""
    match document:
        case {"access": {"token": {"id": str(about), "expires": str(expires)}}}:
            end = moment(expires)
        case _:
            end = None
    if end is None:
        raise _unavailable("answered with something that is no token")
    # In the same time wherever they differ; JSON's strings may have what UTF-8 has not.
    if not hmac.compare_digest(about.encode(errors="surrogatepass"), token.encode()) or end <= _now():
        raise _refused()
    answer: dict[str, Any] = document
    return answer


def _document(response: Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):  # the latter for brackets in brackets in brackets
        return None


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _refused() -> HTTPError:
    return HTTPError(401, "The token is not valid")


def _unavailable(what: str) -> HTTPError:
    return HTTPError(503, f"Rackspace Identity {what}: try again later")


def _authorize(access: Mapping[str, Any], tenant: str | None, roles: frozenset[str] | None) -> None:
    """Raise `HTTPError` unless a valid token is of the tenant, and its user has one of the roles."""
    own_tenant = _tenant_of(access)
    if tenant is not None and own_tenant != tenant:
        raise HTTPError(403, "The token is for another tenant")
    if roles is not None and roles.isdisjoint(_roles_in(access, own_tenant)):
        raise HTTPError(403, "The user does not have the role that this needs")


def _tenant_of(access: Mapping[str, Any]) -> str | None:
    match access:
        case {"token": {"tenant": {"id": str(tenant)}}}:
            return tenant
        case _:
            return None


def _roles_in(access: Mapping[str, Any], tenant: str | None) -> set[str]:
    """Return the names of the user's roles, but for those that are of other tenants."""
    match access:
        case {"user": {"roles": list(roles)}}:
            mine = [one for one in roles if isinstance(one, dict) and one.get("tenantId", tenant) == tenant]
            return {one["name"] for one in mine if isinstance(one.get("name"), str)}
        case _:
            return set()


def _checked_tenant(tenant: object) -> str | None:
    if tenant is None:
        return None
    if isinstance(tenant, bool) or not isinstance(tenant, (str, int)):
        raise TypeError(
            f"tenant must be a tenant's number: {tenant!r} was given (use @authenticate() with parentheses)"
        )
    if not str(tenant).strip():
        raise ValueError("tenant is empty: leave it out to let every customer in")
    return str(tenant)


def _checked_roles(roles: str | Iterable[str] | None) -> frozenset[str] | None:
    if roles is None:
        return None
    names = frozenset([roles] if isinstance(roles, str) else roles)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"roles must be names of roles: {roles!r} was given")
    if not names or "" in names:
        raise ValueError("roles has no role in it: leave it out to let users with any role in")
    return names


class _Parameters:
    """Where a function takes the token and the answer about it: in parameters of that name, or among its keywords.

    Raises:
        TypeError: the function does not take a token.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._signature = inspect.signature(function)
        parameters = self._signature.parameters.values()
        self._named = {one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
        self._others = next((one.name for one in parameters if one.kind is one.VAR_KEYWORD), None)
        if "token" not in self._named and self._others is None:
            raise TypeError(f"{function!r} has no parameter 'token', by which authenticate() knows the caller")

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        """Return the arguments of a call by name; the function itself will miss what is missing."""
        return self._signature.bind_partial(*args, **kwargs)

    def get(self, call: inspect.BoundArguments, name: str) -> object:
        """Return an argument that the caller gave, or None; a default of the function's is not the caller's."""
        place = call.arguments if name in self._named else call.arguments.get(self._others or "", {})
        return place.get(name)

    def set(self, call: inspect.BoundArguments, name: str, value: object) -> None:
        """Give the function an argument, if it takes one of that name."""
        if name in self._named:
            call.arguments[name] = value
        elif self._others is not None:
            call.arguments.setdefault(self._others, {})[name] = value
