"""Handlers that log in every way there is."""

import asyncio
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

BEFORE = [type(handler).__name__ for handler in logging.getLogger().handlers]

from fleece.log import (  # noqa: E402 (what AWS's client has set up is to be seen first)
    bind_contextvars,
    get_logger,
    inject_request_ids_into_environment,
    setup_root_logger,
)

if os.environ.get("SET_UP") == "root":
    setup_root_logger()
logger = get_logger("lines")
library = logging.getLogger("library")


@inject_request_ids_into_environment
def everything(event, context):
    """Log in every way, and return the root's handlers, before fleece came and after."""
    logger.info("structured", order=7)
    logger.bind(user="Ümit").warning("%s arguments", "with")
    library.error("two\nlines", extra={"shard": 3})
    logging.getLogger().critical("of the root")
    try:
        {}["table"]
    except KeyError:
        logger.exception("failed")
    logging.getLogger("botocore.endpoint").debug("a secret")
    library.debug("detail")
    return [BEFORE, [type(handler).__name__ for handler in logging.getLogger().handlers]]


@inject_request_ids_into_environment
def ids(event, context):
    """Log once outside of the handler's own module, and bind what must not outlive the invocation."""
    library.warning("before binding")
    bind_contextvars(customer=event.get("customer"))
    logger.info("bound")
    return [context.aws_request_id, os.environ.get("_FLEECE_APIG_REQUEST_ID")]


@inject_request_ids_into_environment
def levels(event, context):
    """Log at each level."""
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, name)(name)
        getattr(library, name)(name)


@inject_request_ids_into_environment
def threads(event, context):
    """Log long lines in many threads at once."""

    def log(number):
        for _ in range(50):
            logger.info("long", number=number, filler="é" * 5_000)
            library.info("long", extra={"number": number, "filler": "x" * 10_000})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log, range(8)))


@inject_request_ids_into_environment
def children(event, context):
    """Log in a child process, and in one that is forked."""
    program = "from fleece.log import get_logger; get_logger('child').info('started')"
    subprocess.run([sys.executable, "-c", program], check=True)
    forked = multiprocessing.get_context("fork").Process(target=logger.info, args=("forked",))
    forked.start()
    forked.join()


@inject_request_ids_into_environment
def ends(event, context):
    """Log, and end as the event says."""
    logger.info("before the end")
    if event == "raise":
        raise LookupError("no such table")
    if event == "exit":
        sys.exit(3)
    if event == "hang":
        time.sleep(20)
    return "well"


@inject_request_ids_into_environment
async def later(event, context):
    """Be what AWS's runtime does not wait for."""
    await asyncio.sleep(0)
