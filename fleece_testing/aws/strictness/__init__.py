"""What AWS refuses and moto lets through: one module per service, each rule a pure function.

A rule takes the request, whoever sent it and a view of what is there, and returns the error that AWS would answer, or
``None``. What moto refuses by itself has no rule here.
"""

from fleece_testing.aws.strictness import identity, kms, logs, ssm, sts
from fleece_testing.aws.strictness.state import Principal, Rule, State

__all__ = ["RULES", "Principal", "Rule", "State", "identity"]

RULES: dict[str, dict[str, Rule]] = {
    "kms": kms.RULES,
    "logs": logs.RULES,
    "ssm": ssm.RULES,
    "sts": sts.RULES,
}
"""Rules by the service's signing name and the operation."""
