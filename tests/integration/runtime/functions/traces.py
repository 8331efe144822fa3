"""Handlers that are traced."""

import asyncio
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import requests as plain_requests

from fleece import requests
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece.xray import (
    bind_context,
    get_parent_id,
    monkey_patch_botocore_for_xray,
    monkey_patch_requests_for_xray,
    put_annotation,
    put_metadata,
    subsegment,
    trace_xray_subsegment,
)

monkey_patch_botocore_for_xray()
monkey_patch_requests_for_xray()
logger = get_logger("traces")


@trace_xray_subsegment()
def leaf(number):
    """Be traced and do nothing."""
    return number


@trace_xray_subsegment()
async def later(number):
    """Call another from a task."""
    await asyncio.sleep(0)
    return leaf(number)


@trace_xray_subsegment()
def pages():
    """Yield, one call for each."""
    for number in range(2):
        yield leaf(number)


async def both():
    """Run two tasks at once."""
    return await asyncio.gather(later(1), later(2))


@inject_request_ids_into_environment
@trace_xray_subsegment()
def nested(event, context):
    """Nest subsegments in every way."""
    with subsegment("block") as block:
        block.put_annotation("table", event["table"])
        leaf(0)
    asyncio.run(both())
    list(pages())
    with ThreadPoolExecutor(1) as pool:
        pool.submit(bind_context(leaf), 3).result()
    put_metadata("token", "a secret")
    put_annotation("customer", event["customer"])
    logger.info("traced")
    return "well"


@inject_request_ids_into_environment
def parent(event, context):
    """Return what a subsegment would be put under, within one and outside."""
    outside = get_parent_id()
    with subsegment("only"):
        return [outside, os.environ.get("_X_AMZN_TRACE_ID")]


@trace_xray_subsegment()
def calls(event, context):
    """Call other services at the URL of the event."""
    boto3.client("sts", endpoint_url=event["url"]).get_caller_identity()
    requests.get(f"{event['url']}/users?key=secret", timeout=5)
    plain_requests.post(f"{event['url']}/orders", timeout=5)
    requests.get(f"{event['url']}/own", headers={"X-Amzn-Trace-Id": "Root=mine"}, timeout=5)


@trace_xray_subsegment(skip_args=True)
def ends(event, context):
    """End as the event says, within a subsegment."""
    with subsegment("work"):
        if event == "raise":
            raise LookupError("no such table")
        if event == "exit":
            sys.exit(3)
        if event == "hang":
            time.sleep(20)
    return "well"
