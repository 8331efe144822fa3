"""A handler that has been called once when the snapshot is taken, so that nothing is left to be loaded after it."""

import os
import random

from fleece import requests
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece.xray import put_annotation, trace_xray_subsegment

logger = get_logger("snapshot")
requests.set_default_timeout(0.5)
session = requests.Session()


@inject_request_ids_into_environment
@trace_xray_subsegment(skip_args=True)
def main(event, context):
    """Log, trace, and call a service in both ways; return a random number."""
    put_annotation("pid", os.getpid())
    requests.get(event["url"])
    session.get(event["url"])
    logger.info("called")
    return {"pid": os.getpid(), "random": random.random()}


os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
main({"url": os.environ["SERVICE_URL"]}, None)
del os.environ["_X_AMZN_TRACE_ID"]
