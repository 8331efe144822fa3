"""One JSON object a line on stdout, from fleece's loggers and from everybody else's.

Examples:
    >>> from fleece.log import get_logger, inject_request_ids_into_environment
    >>> log = get_logger(__name__)
    >>> @inject_request_ids_into_environment
    ... def handler(event, context):
    ...     log.info("stored %d of them", 3, bucket="photos")
    {"event": "stored 3 of them", "level": "info", "logger": "app", "timestamp": "2026-11-22T11:00:02.667521Z",
     "lambda_request_id": "6f1a...", "function_name": "app", "cold_start": true, "bucket": "photos"}

Only the standard library is used: what is imported here is paid for at every cold start.

Environment variables: ``AWS_LAMBDA_LOG_LEVEL`` (the level, where none is given), ``AWS_LAMBDA_LOG_FORMAT`` (``JSON``
has levels written as Lambda names them), ``FLEECE_LOG_MAX_BYTES`` (the longest line; 256 KB when unset).
"""

from __future__ import annotations

import functools
import logging

from fleece._logging.arguments import require_callable, require_name, require_stream
from fleece._logging.context import (
    bind_contextvars,
    bound_contextvars,
    clear_contextvars,
    get_contextvars,
    merge_contextvars,
    reset_contextvars,
    unbind_contextvars,
)
from fleece._logging.functions import is_coroutine_function
from fleece._logging.handler import clobber_root_handlers
from fleece._logging.invocation import (
    ENV_APIG_REQUEST_ID,
    ENV_LAMBDA_REQUEST_ID,
    add_request_ids_from_environment,
    inject_request_ids_into_environment,
)
from fleece._logging.line import level_number
from fleece._logging.logger import BoundLogger, binding
from fleece._logging.retry import RetryHandler
from fleece._logging.setup import ensure_root, set_level, set_stream, take_over_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "ENV_APIG_REQUEST_ID",
    "ENV_LAMBDA_REQUEST_ID",
    "BoundLogger",
    "RetryHandler",
    "add_request_ids_from_environment",
    "bind_contextvars",
    "bound_contextvars",
    "clear_contextvars",
    "clobber_root_handlers",
    "getLogger",
    "get_contextvars",
    "get_logger",
    "initial_trace_and_context_binds",
    "inject_request_ids_into_environment",
    "logme",
    "merge_contextvars",
    "reset_contextvars",
    "setup_root_logger",
    "unbind_contextvars",
]


def setup_root_logger(
    level: int | str | None = None,
    stream: TextIO | None = None,
    logger_factory: Callable[..., Any] | None = None,
) -> None:
    """Have every logger of the process write JSON lines, and only those.

    Handlers on stdout and stderr, and the one that AWS's runtime client has put on the root logger, make room for one
    that writes lines; others stay, and get the same lines.

    Args:
        level: number or name; ``None`` is ``AWS_LAMBDA_LOG_LEVEL`` when set, else ``DEBUG``. botocore, boto3,
            s3transfer and urllib3 stay at ``INFO`` unless their own levels are set.
        stream: where lines go; ``None`` is ``sys.stdout`` as it is when a line is written.
        logger_factory: structlog's; `get_logger` then returns structlog loggers (structlog must be installed).

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there is no level of that name.
    """
    number = None if level is None else level_number(level)
    require_stream(stream)
    require_callable("logger_factory", logger_factory)
    take_over_root(number, stream, logger_factory)


if TYPE_CHECKING:

    @overload
    def get_logger(
        name: str | None = None,
        level: int | str | None = None,
        stream: TextIO | None = None,
        clobber_root_handler: bool = True,
        logger_factory: None = None,
        wrapper_class: None = None,
    ) -> BoundLogger: ...

    @overload
    def get_logger(
        name: str | None = None,
        level: int | str | None = None,
        stream: TextIO | None = None,
        clobber_root_handler: bool = True,
        logger_factory: Callable[..., Any] | None = None,
        wrapper_class: type[Any] | None = None,
    ) -> Any: ...


def get_logger(
    name: str | None = None,
    level: int | str | None = None,
    stream: TextIO | None = None,
    clobber_root_handler: bool = True,
    logger_factory: Callable[..., Any] | None = None,
    wrapper_class: type[Any] | None = None,
) -> Any:
    """Return the logger of that name, which writes JSON lines, without any set-up before.

    Args:
        name: as for `logging.getLogger`; ``None`` is the root logger.
        level: this logger's level, by number or name; ``None`` leaves it to the root logger, whose own is
            ``AWS_LAMBDA_LOG_LEVEL`` when set, else ``DEBUG``.
        stream: where this logger's lines go; ``None`` leaves it to the root logger, whose own is ``sys.stdout``.
        clobber_root_handler: whether handlers on stdout and stderr, and Lambda's own, are taken off the root logger
            when it has no handler of fleece's yet. If not, and there are such handlers, they print the lines.
        logger_factory: structlog's; makes this a structlog logger with the same output.
        wrapper_class: structlog's, likewise.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: there is no level of that name.
        FleeceError: `logger_factory` or `wrapper_class` is given and structlog is not installed.
    """
    require_name(name)
    number = None if level is None else level_number(level)
    require_stream(stream)
    require_callable("logger_factory", logger_factory)
    require_callable("wrapper_class", wrapper_class)
    logger = logging.getLogger(name)
    root_handler = ensure_root(clobber_root_handler)
    if stream is not None:
        set_stream(logger, stream)
    if number is not None:
        set_level(logger, number)
    if logger_factory is None and root_handler is not None:
        logger_factory = root_handler.logger_factory
    if logger_factory is None and wrapper_class is None:
        return BoundLogger(logger, {})
    from fleece._logging.structlog_bridge import structlog_logger  # noqa: PLC0415 (only for those who use structlog)

    return structlog_logger(name, logger_factory, wrapper_class)


getLogger = get_logger  # noqa: N816 (logging's own name for it)


def initial_trace_and_context_binds(logger: Any, trace_id: str | None, lambda_context: object) -> Any:
    """Return the logger with what identifies an invocation bound to it, and to it only.

    Args:
        logger: a logger of `get_logger`, of structlog, or a standard one.
        trace_id: bound as ``trace_id``.
        lambda_context: Lambda's context object; ``lambda_context`` is a dict of its ids and names.

    Raises:
        TypeError: `logger` is not a logger.
    """
    described = {name: getattr(lambda_context, name, None) for name in _CONTEXT_ATTRIBUTES}
    return binding(logger).bind(trace_id=trace_id, lambda_context=described)


_CONTEXT_ATTRIBUTES = (
    "aws_request_id",
    "function_name",
    "function_version",
    "invoked_function_arn",
    "log_group_name",
    "log_stream_name",
    "memory_limit_in_mb",
)


def logme(level: int | str = logging.DEBUG, logger: Any = None) -> Callable[[F], F]:
    """Decorate a function so that its calls log ``Entering NAME`` and ``Exiting NAME``.

    The second line has what the function returned, as ``NAME_response``; there is none when the function raises.

    Args:
        level: of both lines, by number or name.
        logger: a logger of `get_logger`, of structlog, or a standard one; ``None`` is that of the function's module.

    Raises:
        TypeError: an argument has the wrong type; `level` is the function, because the parentheses are missing.
        ValueError: there is no level of that name.
    """
    number = level_number(level)
    if logger is not None:
        binding(logger)  # what is no logger is refused here, and not at the first call

    def decorator(func: F) -> F:
        name = getattr(func, "__name__", None) or type(func).__name__
        entering, exiting = f"Entering {name}", f"Exiting {name}"

        def bound() -> Any:
            return get_logger(func.__module__) if logger is None else binding(logger)

        if is_coroutine_function(func):

            @functools.wraps(func)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                log = bound()
                log.log(number, entering)
                response = await func(*args, **kwargs)
                log.log(number, exiting, **{f"{name}_response": response})
                return response

        else:

            @functools.wraps(func)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                log = bound()
                log.log(number, entering)
                response = func(*args, **kwargs)
                log.log(number, exiting, **{f"{name}_response": response})
                return response

        return wrapper  # type: ignore[return-value]

    return decorator
