"""An API that has been asked once when the snapshot is taken."""

import asyncio
import os

from fleece.connexion import call_proxy_api
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece_testing import events

logger = get_logger("api")

SPECIFICATION = {
    "openapi": "3.0.3",
    "info": {"title": "users", "version": "1"},
    "paths": {
        path: {"get": {"operationId": operation, "responses": {"200": {"description": "the user"}}}}
        for path, operation in (("/now", "api.now"), ("/later", "api.later"))
    },
}


def now():
    """Answer at once."""
    return {"pid": os.getpid()}


async def later():
    """Answer after a turn of the loop."""
    await asyncio.sleep(0.001)
    return {"pid": os.getpid()}


@inject_request_ids_into_environment
def main(event, context):
    """Answer with the application."""
    return call_proxy_api(event, "api", SPECIFICATION, logger, framework=os.environ["FRAMEWORK"])


if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start":
    for path in SPECIFICATION["paths"]:
        main(events.request("GET", path), None)
