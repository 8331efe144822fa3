"""Make the bucket and two users: `fleece run -e local -- python seed.py BUCKET`."""

import json
import sys

from fleece import boto3

BUCKET = sys.argv[1]
USERS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]

identity = boto3.client("sts").get_caller_identity()
print("I am", identity["Arn"])

s3 = boto3.client("s3")
s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
for user in USERS:
    s3.put_object(Bucket=BUCKET, Key=f"users/{user['id']}.json", Body=json.dumps(user).encode())
    print(f"Put users/{user['id']}.json into {BUCKET}")
