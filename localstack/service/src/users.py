"""The operations that swagger.yml names. Users are objects in S3; their teams come from the company's directory."""

import json

from fleece_config import CONFIG  # written by `fleece config render --python`; decrypted when the container starts

from fleece import boto3, requests
from fleece.log import get_logger
from fleece.xray import put_annotation, subsegment, trace_xray_subsegment

logger = get_logger(__name__)
s3 = boto3.client("s3")


def list_users():
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=CONFIG["bucket"], Prefix="users/").get("Contents", [])]
    return [_read(key) for key in sorted(keys)]


@trace_xray_subsegment()
def get_user(user_id):
    put_annotation("user_id", user_id)
    try:
        user = _read(f"users/{user_id}.json")
    except s3.exceptions.NoSuchKey:
        logger.info("No such user", user_id=user_id)
        return {"title": "Not Found", "status": 404, "detail": f"There is no user {user_id}"}, 404
    with subsegment("directory"):
        answer = requests.get(
            f"{CONFIG['directory']['url']}/teams/{user_id}",
            headers={"Authorization": f"Bearer {CONFIG['directory']['token']}"},
        )
    answer.raise_for_status()
    logger.info("User found", user_id=user_id, team=answer.json()["team"])
    return {**user, "team": answer.json()["team"]}


def create_user(body):
    user = {"id": 1 + max((user["id"] for user in list_users()), default=0), **body}
    s3.put_object(Bucket=CONFIG["bucket"], Key=f"users/{user['id']}.json", Body=json.dumps(user).encode())
    logger.info("User created", user_id=user["id"])
    return user, 201


def _read(key):
    return json.loads(s3.get_object(Bucket=CONFIG["bucket"], Key=key)["Body"].read())
