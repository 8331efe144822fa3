"""What the handlers log, whichever logger the caller has."""

from __future__ import annotations

import logging
from typing import Any

_STANDARD = logging.getLogger("fleece.handlers")
_STANDARD_KINDS = (logging.Logger, logging.LoggerAdapter)


class RequestLog:
    """Log the course of requests to a logger that takes keyword fields (fleece's, structlog's), or to a standard one.

    Args:
        logger: the caller's; ``None`` for the standard logger ``fleece.handlers``.
    """

    __slots__ = ("logger",)

    def __init__(self, logger: Any = None) -> None:
        self.logger = _STANDARD if logger is None else logger

    def processing(self, method: str) -> None:
        """Say that a request has come."""
        self._info(f"Processing {method} request")

    def returning(self, status: int) -> None:
        """Say that a request has been answered."""
        self._info(f"Returning {status}", http_status=status)

    def without_lifespan(self, error: BaseException | None) -> None:
        """Say that an application is served without a lifespan, and what it said when it was asked for one."""
        self._info("The application has no ASGI lifespan", **{"error": repr(error)} if error else {})

    def failed(self, what: str, error: BaseException | None = None, **fields: Any) -> None:
        """Say what went wrong, with the traceback of `error`; clients are not told."""
        is_standard = isinstance(self.logger, _STANDARD_KINDS)
        self.logger.error(what, exc_info=error, **({"extra": fields} if is_standard else fields))

    def _info(self, line: str, **fields: Any) -> None:
        logger = self.logger
        if not isinstance(logger, _STANDARD_KINDS):
            logger.info(line, **fields)
        elif logger.isEnabledFor(logging.INFO):  # which is quicker to ask than to be refused
            logger.info(line, extra=fields)
