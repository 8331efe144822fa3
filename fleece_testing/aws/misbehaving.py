"""What the emulated AWS does wrong when a test asks for it: the methods of `AWS` that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import check_status, check_times, checked_text
from fleece_testing.aws import arguments as given
from fleece_testing.aws._routes import check, signing_name
from fleece_testing.aws.errors import AWSError
from fleece_testing.aws.faults import Faults, Target
from fleece_testing.aws.lag import SERVICES, Lag

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece_testing.aws.faults import When

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


class _Misbehaving:
    """Fails, throttles, denies, delays and is stale on demand.

    Args:
        backend: returns moto's own of a service, an account and a region; see `Lag`.
    """

    def __init__(self, backend: Callable[[str, str, str], Any]) -> None:
        self._faults = Faults()
        self._lag = Lag(backend)

    def fail(
        self,
        service: str,
        operation: str | None = None,
        times: int = 1,
        *,
        code: str = "InternalFailure",
        status: int = 500,
        message: str = "This failure was asked for by a test.",
        when: When | None = None,
    ) -> None:
        """Answer the next calls with an error.

        Args:
            service: boto3's name of it.
            operation: as in the API; ``None`` is any.
            times: how many calls; boto3 by itself repeats those that end with a 5xx status or throttled.
            code: what ``ClientError`` has in ``Error.Code``.
            status: the HTTP status.
            message: what ``ClientError`` has in ``Error.Message``.
            when: only calls for which this is true; it gets a `fleece_testing.aws.Request`.

        Raises:
            TypeError: `code`, `message` or `when` is of another type.
            ValueError: boto3 has no such service, or that no such operation; a call cannot fail so.
        """
        check_times(times, "; the error's code is code=...")
        check_status(status)
        error = AWSError(checked_text("code", code), checked_text("message", message), status)
        self._faults.fail(self._target(service, operation, when), times, error)

    def throttle(
        self, service: str, operation: str | None = None, per_second: float = 1, *, when: When | None = None
    ) -> None:
        """Let that many calls a second through, and a burst of as many; the others are throttled as AWS does it."""
        given.check_rate(per_second)
        self._faults.throttle(self._target(service, operation, when), per_second)

    def deny(self, action: str, *, when: When | None = None) -> None:
        """Answer an action with AccessDenied, such as ``kms:Decrypt`` or ``ssm:Put*``, as a policy of IAM would.

        Both parts are the API's names, also where IAM's differ: ``s3:ListObjectsV2``, not ``s3:ListBucket``.

        Raises:
            ValueError: there is no colon in it, or no such service or operation in boto3.
        """
        given.check_condition(when)
        service, colon, operation = checked_text("action", action).partition(":")
        if not colon:
            raise ValueError(f"An action is a service and an operation, such as kms:Decrypt, not {action!r}")
        if "*" not in service:
            check(service, None if "*" in operation else operation)
        self._faults.deny(f"{signing_name(service)}:{operation or '*'}", when)

    def delay(
        self, service: str, operation: str | None = None, seconds: float = 0.02, *, when: When | None = None
    ) -> None:
        """Answer every call that much later, until `clear`, which ends those that wait with an error."""
        given.check_delay(seconds)
        self._faults.delay(self._target(service, operation, when), seconds)

    def stale(self, reads: int = 1, service: str | None = None) -> None:
        """Answer reads that follow a write as if it had not been yet, until `clear`: AWS is eventually consistent.

        What `kms_key` and `role` make is there at once.

        Args:
            reads: how many reads of a service are late after its last write, in each account and region; 0 ends it.
                Using a KMS key is a read as well.
            service: one of `fleece_testing.aws.lag.SERVICES`; ``None`` is all of them.

        Raises:
            ValueError: reads of this service are never late, or there are not so many.
        """
        given.check_reads(reads)
        if service is not None and service not in SERVICES:
            raise ValueError(f"Reads of {service!r} are never late; those of {', '.join(SERVICES)} can be")
        for name in SERVICES if service is None else (service,):
            self._lag.set(name, reads)

    def _target(self, service: str, operation: str | None, when: When | None) -> Target:
        check(service, operation)
        given.check_condition(when)
        return Target(signing_name(service), operation, when)
