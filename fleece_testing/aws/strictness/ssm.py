"""SSM Parameter Store: names, values, tiers, types and keys that PutParameter refuses; keys that nothing is read with.

Sources: PutParameter in the Systems Manager API reference; "Requirements and constraints for parameter names",
"Managing parameter tiers" and "Troubleshooting KMS key issues in Parameter Store" in its user guide. Messages are in
Parameter Store's manner, not its exact words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fleece_testing.aws.errors import AWSError

if TYPE_CHECKING:
    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness.state import Amendment, Parameter, Principal, Rule, State

MAX_NAME = 1011
"""The longest name, in characters; those that come before it in its ARN count, 44 for ``us-east-1``."""

MAX_LEVELS = 15
"""The most levels of a hierarchy, the name itself included."""

MAX_VALUES = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
"""The longest value of each tier, in bytes of UTF-8."""

_ENUMERATIONS = {"Type": ("SecureString", "StringList", "String"), "Tier": tuple(MAX_VALUES)}
_SERVICE_KEY = "alias/aws/ssm"
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")


def check_put_parameter(request: Request, caller: Principal, state: State) -> AWSError | None:
    """Check everything of a PutParameter that moto takes as it is."""
    name, value = str(request.parameters.get("Name", "")), str(request.parameters.get("Value", ""))
    error = _check_name(name, f"arn:aws:ssm:{request.region}:{caller.account}:parameter") or _check_enumerations(
        request
    )
    if error is not None:
        return error
    there = state.parameter(caller.account, request.region, name)
    if there is not None and not request.parameters.get("Overwrite"):
        return None  # moto's ParameterAlreadyExists
    return (
        _check_value(value)
        or _check_tier(request.parameters.get("Tier"), value, there)
        or _check_type(request.parameters.get("Type"), there)
        or _check_key(request, caller, state, there)
    )


def _check_name(name: str, arn: str) -> AWSError | None:
    if not _NAME.fullmatch(name):
        return _invalid(
            "Parameter name: can only include the following symbols: letters, numbers, and .-_ (and / between levels)."
        )
    if len(arn) + len("/") + len(name.removeprefix("/")) > MAX_NAME:
        return _invalid(f"Parameter name: can't be longer than {MAX_NAME} characters.")
    if "//" in name or name.endswith("/"):
        return _invalid("Parameter name: sub-paths divided by slash symbol can't be empty.")
    if "/" in name and not name.startswith("/"):
        return _invalid("Parameter name must be a fully qualified name.")
    if len(name.removeprefix("/").split("/")) > MAX_LEVELS:
        return _invalid(f"A hierarchy can have a maximum of {MAX_LEVELS} levels.")
    return None


def _check_enumerations(request: Request) -> AWSError | None:
    for member, values in _ENUMERATIONS.items():
        given = request.parameters.get(member)
        if given is not None and given not in values:
            return _invalid(
                f"1 validation error detected: Value '{given}' at '{member.lower()}' failed to satisfy constraint:"
                f" Member must satisfy enum value set: [{', '.join(values)}]"
            )
    return None


def _check_value(value: str) -> AWSError | None:
    if "{{" in value:
        return _invalid('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')
    return None


def _check_tier(tier: str | None, value: str, there: Parameter | None) -> AWSError | None:
    if tier == "Standard" and there is not None and there.tier == "Advanced":
        return _invalid(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the"
            " advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced"
            " parameter and recreate it as a standard parameter."
        )
    effective = tier or ("Standard" if there is None else there.tier)
    most = MAX_VALUES.get(effective, MAX_VALUES["Standard"])
    if len(value.encode()) > most:
        return _invalid(f"{effective} tier parameters support a maximum parameter value of {most} characters.")
    return None


def _check_type(type_: str | None, there: Parameter | None) -> AWSError | None:
    if there is not None and type_ is not None and type_ != there.type:
        message = f"Parameter Store does not support changing a parameter from {there.type} to {type_}."
        return AWSError("HierarchyTypeMismatchException", message)
    return None


def _check_key(request: Request, caller: Principal, state: State, there: Parameter | None) -> AWSError | None:
    key_id = request.parameters.get("KeyId")
    if _type_of(request, there) != "SecureString" or key_id in (None, _SERVICE_KEY):
        return None
    return _check_usable(str(key_id), request, caller, state)


def _check_usable(key_id: str, request: Request, caller: Principal, state: State) -> AWSError | None:
    key = state.key(caller.account, request.region, key_id)
    if key is None:
        return AWSError("InvalidKeyId", f"Invalid keyId {key_id}")
    if key.state != "Enabled":
        return AWSError("InvalidKeyId", f"{key.arn} is {key.state}.")
    if not key.symmetric:
        return AWSError("InvalidKeyId", f"{key.arn} is not a symmetric encryption key.")
    return None


def check_get_parameters(request: Request, caller: Principal, state: State) -> AWSError | None:
    """Check that what is to be decrypted can be: with one key that is of no use, none of the values is read."""
    if not request.parameters.get("WithDecryption"):
        return None
    for name in (request.parameters.get("Name"), *request.parameters.get("Names", ())):
        there = state.parameter(caller.account, request.region, str(name))
        if there is not None and there.key not in (None, _SERVICE_KEY):
            error = _check_usable(there.key, request, caller, state)
            if error is not None:
                return error
    return None


def _invalid(message: str) -> AWSError:
    return AWSError("ValidationException", message)


RULES: dict[str, Rule] = {
    "GetParameter": check_get_parameters,
    "GetParameters": check_get_parameters,
    "PutParameter": check_put_parameter,
}


def with_key(request: Request, caller: Principal, state: State) -> dict[str, Any]:
    """Name the key that is meant when none is named: the service's own, where moto keeps the last one."""
    there = state.parameter(caller.account, request.region, str(request.parameters.get("Name", "")))
    if _type_of(request, there) != "SecureString":
        return dict(request.parameters)
    return {"KeyId": _SERVICE_KEY, **request.parameters}


def _type_of(request: Request, there: Parameter | None) -> str | None:
    """Return the type of the parameter that is put; an update may leave it out."""
    return request.parameters.get("Type") or (None if there is None else there.type)


AMENDMENTS: dict[str, Amendment] = {"PutParameter": with_key}
