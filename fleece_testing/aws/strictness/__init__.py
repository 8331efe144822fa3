"""Where moto is not what AWS is: one module per service, all pure functions.

A *rule* takes the request, whoever sent it and a view of what is there, and returns the error that AWS would answer, or
``None``; what moto refuses by itself has no rule here. An *amendment* returns the parameters that make moto do what AWS
does with the request's own.
"""

from fleece_testing.aws.strictness import anonymous, identity, kms, logs, ssm, sts
from fleece_testing.aws.strictness.state import Amendment, Principal, Rule, State

__all__ = ["AMENDMENTS", "RULES", "Amendment", "Principal", "Rule", "State", "anonymous", "identity"]

RULES: dict[str, dict[str, Rule]] = {
    "kms": kms.RULES,
    "logs": logs.RULES,
    "ssm": ssm.RULES,
    "sts": sts.RULES,
}
"""Rules by the service's signing name and the operation."""

AMENDMENTS: dict[str, dict[str, Amendment]] = {"kms": kms.AMENDMENTS, "ssm": ssm.AMENDMENTS}
"""Amendments by the service's signing name and the operation; all of services that speak JSON."""
