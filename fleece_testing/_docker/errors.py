"""What an endpoint answers instead of what was asked for."""

from __future__ import annotations


class EngineError(Exception):
    """An error that goes to the client as ``{"message": ...}``.

    Args:
        status: the HTTP status, as a real engine has it.
        message: what `docker.errors.APIError.explanation` will be.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class NotEmulatedError(EngineError):
    """The stub does not do this, and does not pretend to: status 501."""

    def __init__(self, what: str) -> None:
        super().__init__(501, f"fleece_testing's Docker stub does not emulate {what}: test this against a real engine")
