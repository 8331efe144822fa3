"""Answers of API Gateway's Lambda authorizers: who may call which methods of an API.

Examples:
    >>> def authorizer(event, context):
    ...     policy = AuthPolicy.from_method_arn(event["methodArn"], principal="ann", context={"plan": "gold"})
    ...     policy.allow_method(HttpVerb.GET, "/pets/*")
    ...     policy.deny_method(HttpVerb.ALL, "/pets/7")
    ...     return policy.build()

As in every IAM policy, what is denied stays denied whatever is allowed, and what is not allowed is denied. API Gateway
keeps the answer for the caller (for five minutes, unless told otherwise) and applies it to the API's other methods
too: it should say all that the caller may do, not only whether this request is allowed.

Source: AWS's pages "Output from an API Gateway Lambda authorizer", "Control access to HTTP APIs with AWS Lambda
authorizers" and "Actions, resources, and condition keys for Amazon API Gateway Execute API".
"""

from __future__ import annotations

from fleece import _policy_values as checked
from fleece._policy_values import HttpVerb, PolicyError

TYPE_CHECKING = False  # `typing` is worth several milliseconds of a cold start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from typing_extensions import Self

__all__ = ["AuthPolicy", "HttpVerb", "PolicyError", "simple_response"]

_LONGEST_ARN = 512  # characters of a Resource in an authorizer's answer


class AuthPolicy:
    """A policy for one caller, put together call by call and then built.

    IAM's ``*`` matches slashes too. Where an argument that stands for ``*`` is left out, a method that is allowed or
    denied is therefore also found further on in a path: without a stage, ``GET /users`` is ``POST /a/GET/users`` as
    well. Name the API and the stage, or take both from the request with `from_method_arn`, and no rule reaches beyond
    the methods and paths that it names.

    Args:
        aws_account_id: the API's AWS account, 12 digits; an int gets back the zeros it begins with.
        principal: who the caller is, a string; API Gateway refuses answers without one.
        context: what is handed on to the API: strings, numbers and booleans by name.
        rest_api_id: the API's id, such as ``a1b2c3d4e5``; every API of the account when it is left out.
        region: the API's region; every one of the partition ``aws`` when it is left out.
        stage: the API's stage; every one when it is left out.

    Attributes:
        partition: AWS's partition; None for the region's.
        usage_identifier_key: the API key to count the request by, where the API's key source is ``AUTHORIZER``.

    The arguments are attributes too, `principal` as `principal_id`. What is set there holds for the calls that follow.

    Raises:
        PolicyError: an argument is not of its form.
    """

    version = "2012-10-17"

    def __init__(
        self,
        aws_account_id: str | int,
        principal: str | None = None,
        context: Mapping[str, str | float | bool] | None = None,
        rest_api_id: str | None = None,
        region: str | None = None,
        stage: str | None = None,
    ) -> None:
        self.aws_account_id = aws_account_id
        self.principal_id = principal
        self.context = context
        self.rest_api_id = rest_api_id
        self.region = region
        self.stage = stage
        self.partition: str | None = None
        self.usage_identifier_key: str | None = None
        self._resources: dict[str, dict[str, None]] = {"Allow": {}, "Deny": {}}  # each ARN once, in order
        self._conditional: list[dict[str, Any]] = []
        # A mistake is told where it is made, and not at the first rule.
        self._stage_arn()
        checked.context(context)

    @classmethod
    def from_method_arn(
        cls, method_arn: str, principal: str | None = None, context: Mapping[str, str | float | bool] | None = None
    ) -> Self:
        """Return a policy, with no rules yet, for the very API and stage that a request is for.

        Args:
            method_arn: the event's ``methodArn``, or the ``routeArn`` of an HTTP API. Its method and path are left
                out: the policy is used for the caller's next requests as well.
            principal: as for `AuthPolicy`.
            context: as for `AuthPolicy`.

        Raises:
            PolicyError: it is not such an ARN.
        """
        found = checked.method_arn(method_arn)
        policy = cls(found["account"], principal, context, found["api"], found["region"], found["stage"])
        policy.partition = found["partition"]
        return policy

    def allow_all_methods(self) -> None:
        """Allow every method of every path."""
        self._add("Allow", HttpVerb.ALL, checked.ANY)

    def deny_all_methods(self) -> None:
        """Deny every method of every path."""
        self._add("Deny", HttpVerb.ALL, checked.ANY)

    def allow_method(self, verb: str, resource: str) -> None:
        """Allow a method of a path.

        Args:
            verb: one of `HttpVerb`, in any case.
            resource: the path as clients send it, percent-encoded, without the stage; ``*`` stands for any
                characters, slashes too.

        Raises:
            PolicyError: there is no such verb, or the path has characters that no path has.
        """
        self._add("Allow", verb, resource)

    def deny_method(self, verb: str, resource: str) -> None:
        """Deny a method of a path; arguments and errors as for `allow_method`."""
        self._add("Deny", verb, resource)

    def allow_method_with_conditions(
        self, verb: str, resource: str, conditions: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Allow a method of a path under conditions.

        Args:
            verb: as for `allow_method`.
            resource: as for `allow_method`.
            conditions: IAM's, such as ``{"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}``.

        Raises:
            PolicyError: as for `allow_method`; or there are no conditions, which would allow the method outright.
        """
        self._add_conditional("Allow", verb, resource, conditions)

    def deny_method_with_conditions(
        self, verb: str, resource: str, conditions: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Deny a method of a path under conditions; arguments and errors as for `allow_method_with_conditions`."""
        self._add_conditional("Deny", verb, resource, conditions)

    def build(self) -> dict[str, Any]:
        """Return the authorizer's answer.

        Returns:
            ``principalId``, ``policyDocument`` (``Version`` and ``Statement``: what is under conditions first, then
            what is allowed, then what is denied), ``context``, and ``usageIdentifierKey`` when it is set.

        Raises:
            PolicyError: nothing was allowed or denied, or an attribute was set to something else than a policy takes.
        """
        plain = [_statement(effect, arns) for effect, arns in self._resources.items() if arns]
        statements = [dict(statement) for statement in self._conditional] + plain
        if not statements:
            raise PolicyError("The policy says nothing: allow or deny methods before it is built")
        answer = {
            "principalId": checked.text("principal", self.principal_id),
            "policyDocument": {"Version": self.version, "Statement": statements},
            "context": checked.context(self.context),
        }
        if self.usage_identifier_key:
            answer["usageIdentifierKey"] = checked.text("usage_identifier_key", self.usage_identifier_key)
        return answer

    def _add(self, effect: str, verb: str, resource: str) -> None:
        self._resources[effect].update(dict.fromkeys(self._arns(verb, resource)))

    def _add_conditional(
        self, effect: str, verb: str, resource: str, conditions: Mapping[str, Mapping[str, Any]]
    ) -> None:
        statement = _statement(effect, self._arns(verb, resource))
        self._conditional.append({**statement, "Condition": checked.conditions(conditions)})

    def _arns(self, verb: str, resource: str) -> list[str]:
        """Return the ARNs of a verb's methods at a path."""
        path = checked.path(resource)
        verbs: tuple[str, ...] = (checked.verb(verb),)
        if verbs == (checked.ANY,) and not path.startswith(checked.ANY):
            # ``*/users`` would be ``GET/admin/users`` too.
            verbs = checked.VERBS
        stage = self._stage_arn()
        arns = [f"{stage}/{each}/{path}" for each in verbs]
        if len(max(arns, key=len)) > _LONGEST_ARN:
            raise PolicyError(
                f"API Gateway takes no ARN of over {_LONGEST_ARN} characters: shorten {resource!r} with *"
            )
        return arns

    def _stage_arn(self) -> str:
        """Return the ARN of the API's stage, which those of its methods begin with."""
        region = checked.part("region", self.region, checked.REGION)
        partition = self.partition or checked.partition(region)
        account = checked.account(self.aws_account_id)
        api = checked.part("rest_api_id", self.rest_api_id, checked.REST_API_ID)
        stage = checked.part("stage", self.stage, checked.STAGE)
        return f"arn:{partition}:execute-api:{region}:{account}:{api}/{stage}"


def simple_response(allowed: bool, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the answer of an HTTP API's authorizer that has simple responses switched on.

    Args:
        allowed: whether the request may pass; a bool, not just a true value.
        context: what is handed on to the API by name: here, lists and objects are taken as well.

    Returns:
        ``isAuthorized`` and ``context``.

    Raises:
        PolicyError: an argument is not of its form.
    """
    if not isinstance(allowed, bool):
        raise PolicyError(f"allowed must be True or False: {allowed!r} was given")
    return {"isAuthorized": allowed, "context": checked.context(context, nested=True)}


def _statement(effect: str, arns: Iterable[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": list(arns)}
