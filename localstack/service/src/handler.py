"""The Lambda function: API Gateway events in, responses out."""

from pathlib import Path

from fleece import boto3, requests
from fleece.connexion import call_proxy_api
from fleece.log import get_logger, inject_request_ids_into_environment, setup_root_logger
from fleece.xray import monkey_patch_botocore_for_xray, monkey_patch_requests_for_xray, trace_xray_subsegment

setup_root_logger("INFO")
boto3.set_default_timeout(5)
requests.set_default_timeout(5)
requests.set_default_retries(2, backoff_factor=0.1)
monkey_patch_botocore_for_xray()
monkey_patch_requests_for_xray()

SPECIFICATION = str(Path(__file__).with_name("swagger.yml"))
logger = get_logger(__name__)


@inject_request_ids_into_environment
@trace_xray_subsegment()
def lambda_handler(event, context):  # noqa: ARG001 (Lambda's signature)
    return call_proxy_api(event, "users", SPECIFICATION, logger)
