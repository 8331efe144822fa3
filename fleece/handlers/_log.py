"""What the handlers log, whichever logger the caller has."""

from __future__ import annotations

import logging
from typing import Any

_STANDARD = logging.getLogger("fleece.handlers")


class RequestLog:
    """Log the course of requests to a logger that takes keyword fields (fleece's, structlog's), or to a standard one.

    Args:
        logger: the caller's; ``None`` for the standard logger ``fleece.handlers``.
    """

    def __init__(self, logger: Any = None) -> None:
        self.logger = _STANDARD if logger is None else logger

    def processing(self, method: str) -> None:
        """Say that a request has come."""
        self.logger.info(f"Processing {method} request")  # noqa: G004 (not every logger takes % arguments)

    def returning(self, status: int) -> None:
        """Say that a request has been answered."""
        self.logger.info(f"Returning {status}", **self._fields(http_status=status))  # noqa: G004

    def without_lifespan(self, error: BaseException | None) -> None:
        """Say that an application is served without a lifespan, and what it said when it was asked for one."""
        self.logger.info("The application has no ASGI lifespan", **self._fields(error=repr(error)) if error else {})

    def failed(self, what: str, error: BaseException | None = None, **fields: Any) -> None:
        """Say what went wrong, with the traceback of `error`; clients are not told."""
        self.logger.error(what, exc_info=error, **self._fields(**fields))

    def _fields(self, **fields: Any) -> dict[str, Any]:
        is_standard = isinstance(self.logger, (logging.Logger, logging.LoggerAdapter))
        return {"extra": fields} if is_standard else fields
