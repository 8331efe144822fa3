#!/usr/bin/env python3
"""Make in LocalStack what resources.yml lists; what is there already is taken as it is.

LocalStack runs this when it is ready, in its own process and with its own packages: no ``__file__``, no fleece. Its
accounts are access key ids, so these credentials are made up here, and none of the environment are used.
"""

import contextlib
import json
import os
from pathlib import Path

import boto3
import yaml

REGION = "eu-west-1"  # fleece-local's, and that of environments.yml
RESOURCES = Path(os.environ.get("FILESYSTEM_ROOT") or "/", "etc/localstack/resources.yml")
# The first of its addresses, 0.0.0.0:4566 in a container.
PORT = os.environ.get("GATEWAY_LISTEN", "").partition(",")[0].rpartition(":")[2] or "4566"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def main():
    accounts = yaml.safe_load(RESOURCES.read_bytes())["accounts"]
    for number, holds in accounts.items():
        session = boto3.Session(aws_access_key_id=number, aws_secret_access_key="test", region_name=REGION)  # noqa: S106
        for kind, service, make in (("keys", "kms", key), ("roles", "iam", role), ("buckets", "s3", bucket)):
            client = session.client(service, endpoint_url=f"http://127.0.0.1:{PORT}")
            for name in holds.get(kind, []):
                make(client, name)
                print(f"seeded {name!r} of the {kind} of account {number}", flush=True)


def key(kms, name):
    alias = f"alias/{name.removeprefix('alias/')}"
    try:
        kms.describe_key(KeyId=alias)
    except kms.exceptions.NotFoundException:
        kms.create_alias(AliasName=alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])


def role(iam, name):
    try:
        iam.get_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))


def bucket(s3, name):
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


main()
