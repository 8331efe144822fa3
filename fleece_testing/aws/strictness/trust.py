"""Trust policies: whom a role lets assume it.

Conditions are not judged, nor is ``NotPrincipal``: where one of them decides, the caller is trusted. What is no policy,
which moto lets roles be made with, trusts nobody.

Source: "How AWS enforcement code logic evaluates requests" and "Principal" in the IAM user guide.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleece_testing.aws.strictness.state import Principal

_ACTION = "sts:assumerole"  # in lower case, as all of them are compared
_ROLE = re.compile(r"arn:([^:]+):iam::(\d+):role/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*")


def read(document: str) -> dict[str, Any]:
    """Return the policy that a document has; an empty one where it has none."""
    try:
        policy = json.loads(document)
    except ValueError:
        return {}
    return policy if isinstance(policy, dict) else {}


def trusts(policy: Mapping[str, Any], caller: Principal) -> bool:
    """Whether the policy lets the caller assume the role: a statement allows it, and none denies it."""
    about = [one for one in _listed(policy.get("Statement"), dict) if _is_about(one, caller)]
    allowed = any(one.get("Effect") == "Allow" for one in about)
    return allowed and not any(one.get("Effect") == "Deny" and _is_certain(one) for one in about)


def _is_about(statement: Mapping[str, Any], caller: Principal) -> bool:
    return _has_action(statement) and ("NotPrincipal" in statement or _names(statement.get("Principal"), caller))


def _is_certain(statement: Mapping[str, Any]) -> bool:
    return "Condition" not in statement and "NotPrincipal" not in statement


def _has_action(statement: Mapping[str, Any]) -> bool:
    patterns = _listed(statement.get("Action", statement.get("NotAction")), str)
    return any(fnmatchcase(_ACTION, pattern.lower()) for pattern in patterns) == ("Action" in statement)


def _names(principal: Any, caller: Principal) -> bool:
    """Whether the caller is among those whom a statement is about; a service is not, nor is who came by a provider."""
    named = _listed(principal.get("AWS") if isinstance(principal, dict) else principal, str)
    account = f"arn:{caller.arn.split(':')[1]}:iam::{caller.account}:root"
    return any(one in ("*", caller.account, account, caller.arn) or _is_role_of(one, caller.arn) for one in named)


def _is_role_of(arn: str, session: str) -> bool:
    """Whether a session is one of the role's; the path of a role is not part of its sessions' ARN."""
    role, opened = _ROLE.fullmatch(arn), _SESSION.fullmatch(session)
    return role is not None and opened is not None and role.groups() == opened.groups()


def _listed(value: Any, kind: type) -> list[Any]:
    """Return what a policy may say as one or as a list, as far as it is of the kind."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, kind)]
