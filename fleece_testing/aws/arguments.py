"""What the emulated AWS is given by a test, looked at where it is given: moto would take nearly anything."""

from __future__ import annotations

import re

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_ACCOUNT = re.compile(r"[0-9]{12}")
_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")
_ROLE = re.compile(r"[a-zA-Z0-9_+=,.@-]{1,64}")


def check_account(account: object) -> None:
    """See that this is the number of an account.

    Raises:
        ValueError: it is none.
    """
    if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise ValueError(f"An AWS account is a text of 12 digits, not {account!r}")


def check_alias(alias: object) -> None:
    """See that a KMS key can have this alias.

    Raises:
        ValueError: it can not.
    """
    if not (isinstance(alias, str) and _ALIAS.fullmatch(alias)):
        raise ValueError(f"The alias of a KMS key is made of letters, digits and / _ -, and {alias!r} is not")


def check_role(name: object) -> None:
    """See that an IAM role can have this name.

    Raises:
        ValueError: it can not.
    """
    if not (isinstance(name, str) and _ROLE.fullmatch(name)):
        raise ValueError(f"The name of an IAM role is 1 to 64 letters, digits and + = , . @ _ -, and {name!r} is not")


def check_rate(per_second: object) -> None:
    """See that this is a rate.

    Raises:
        ValueError: it is none.
    """
    if isinstance(per_second, bool) or not isinstance(per_second, (int, float)) or not per_second > 0:
        raise ValueError(f"per_second is a number of calls above zero, not {per_second!r}; deny() refuses all of them")


def check_delay(seconds: object, name: str = "seconds") -> None:
    """See that this is a time.

    Raises:
        ValueError: it is none.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
        raise ValueError(f"{name} is how much later a call is answered, in seconds, not {seconds!r}")


def check_reads(reads: object) -> None:
    """See that so many reads can be late.

    Raises:
        ValueError: they can not.
    """
    if isinstance(reads, bool) or not isinstance(reads, int) or reads < 0:
        raise ValueError(f"reads is how many reads are late, none or more, not {reads!r}; the service comes after it")


def check_condition(when: object) -> None:
    """See that this can be asked whether a request is meant.

    Raises:
        TypeError: it can not.
    """
    if not (when is None or callable(when)):
        raise TypeError(f"when must be a function of a fleece_testing.aws.Request: {when!r} was given")
