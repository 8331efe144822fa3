"""Checked by mypy and pyright, never run: what a user's editor sees of fleece.log and fleece.profiling."""

import io
import logging
from typing import Any

from typing_extensions import assert_type

from fleece.log import (
    BoundLogger,
    RetryHandler,
    bound_contextvars,
    get_logger,
    getLogger,
    inject_request_ids_into_environment,
    logme,
    setup_root_logger,
)
from fleece.profiling import profile_handler


def check() -> None:
    setup_root_logger("INFO", io.StringIO())
    setup_root_logger(level=logging.INFO)

    log = get_logger(__name__, level="DEBUG")
    assert_type(log, BoundLogger)
    assert_type(getLogger(), BoundLogger)
    assert_type(get_logger(wrapper_class=dict), Any)
    assert_type(log.bind(user=7).unbind("user").new(a=1).try_unbind("b"), BoundLogger)

    log.info("stored %d of them", 3, bucket="photos", stack_info=True, extra={"a": 1})
    try:
        pass
    except ValueError:
        log.exception("failed", user=7)
    log.log("INFO", "by name")
    log.info(event="by keyword")
    log.addHandler(RetryHandler(logging.StreamHandler(), max_retries=3, ignore_errors=False))
    log.propagate = False
    assert_type(log.name, str)
    assert_type(log.handlers, list[logging.Handler])

    with bound_contextvars(user=7):
        pass

    @bound_contextvars(job="nightly")
    def job() -> int:
        return 1

    assert_type(job(), int)

    @inject_request_ids_into_environment
    @profile_handler(sample=0.1, stats_filter=[r"/var/task/"])
    def handler(event: dict[str, Any], context: object) -> dict[str, str]:
        return {}

    assert_type(handler({}, None), dict[str, str])
    handler("not an event", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    log.bind(7)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def check_coroutines() -> None:
    @inject_request_ids_into_environment
    @logme(level="INFO", logger=get_logger())
    async def handler(event: dict[str, Any], context: object) -> str:
        return ""

    assert_type(await handler({}, context=None), str)
    await handler({}, contxt=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
