"""A handler that several workers run at once."""

import os
import time
from pathlib import Path

from fleece import requests
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece.xray import put_annotation, trace_xray_subsegment

logger = get_logger("workers")

LINES = 20


@inject_request_ids_into_environment
@trace_xray_subsegment(skip_args=True)
def main(event, context):
    """Meet the invocations that run at the same time, then write long lines, trace, and call a service."""
    Path(event["mine"]).touch()
    while not all(map(os.path.exists, event["all"])):
        time.sleep(0.001)
    put_annotation("pid", os.getpid())
    for number in range(LINES):
        logger.info("line", number=number, pid=os.getpid(), filler=event["letter"] * 100_000)
    requests.get(event["url"], timeout=5)
    return os.getpid()
