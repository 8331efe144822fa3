"""Orders behind an HTTP API: each is kept in S3, with a receipt signed by a secret of Parameter Store."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

import botocore.exceptions

from fleece import boto3
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece.xray import monkey_patch_botocore_for_xray, put_annotation, trace_xray_subsegment

monkey_patch_botocore_for_xray()
logger = get_logger(__name__)


@inject_request_ids_into_environment
@trace_xray_subsegment()
def main(event, context):
    """Answer one request."""
    if event["requestContext"]["http"]["method"] == "POST":
        return accept(json.loads(event["body"]))
    return read(event["rawPath"].rpartition("/")[2])


@trace_xray_subsegment(skip_args=True)
def accept(order):
    """Keep an order, and answer with its receipt."""
    put_annotation("order_id", order["id"])
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=order["id"], Body=json.dumps(order).encode())
    logger.info("Order accepted", order_id=order["id"])
    return answer(201, {"receipt": receipt(order)})


def read(order_id):
    """Answer with an order that was kept."""
    try:
        found = boto3.client("s3").get_object(Bucket=os.environ["BUCKET"], Key=order_id)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        logger.warning("No such order", order_id=order_id)
        return answer(404, {"error": "There is no such order"})
    with found["Body"] as body:
        return answer(200, json.load(body))


def receipt(order):
    """Sign an order."""
    parameter = boto3.client("ssm").get_parameter(Name="/orders/receipt-key", WithDecryption=True)["Parameter"]
    return hmac.new(parameter["Value"].encode(), json.dumps(order).encode(), hashlib.sha256).hexdigest()


def answer(status, body):
    """Return an answer of payload format 2.0."""
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
