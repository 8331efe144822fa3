"""Checked by mypy and pyright, never run: fleece.boto3's clients, and boto3-stubs with them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from typing_extensions import assert_type

from fleece import boto3
from fleece.boto3 import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBServiceResource
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListBucketsOutputTypeDef


def clients() -> None:
    boto3.set_default_timeout(5)
    boto3.set_default_timeout(connect_timeout=1.5, read_timeout=None)

    s3: S3Client = boto3.client("s3", timeout=3)
    listed: ListBucketsOutputTypeDef = s3.list_buckets()
    assert_type(listed["ResponseMetadata"]["RequestId"], str)
    table: DynamoDBServiceResource = boto3.resource("dynamodb", "eu-west-1", connect_timeout=0.5, read_timeout=2)
    table.Table("users").delete_item(Key={"id": 7})

    assert_type(boto3.client("sts"), Any)
    boto3.client(
        "sts",
        "eu-west-1",
        api_version=None,
        use_ssl=True,
        verify="/etc/ca.pem",
        endpoint_url="http://127.0.0.1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token=None,
        config=Config(read_timeout=3),
        aws_account_id="123456789012",
    )

    session = Session(region_name="eu-west-1")
    of_session: S3Client = session.client("s3", timeout=3)
    of_session.list_buckets()
    session.resource("s3", read_timeout=3)
    service: str = "of some name"
    boto3.client(service)
    session.client(service)


def other_names_are_those_of_boto3() -> None:
    boto3.setup_default_session(region_name="eu-west-1")
    boto3.set_stream_logger("")
    plain: boto3.session.Session = Session(profile_name="dev")
    assert_type(plain.get_available_services(), list[str])
    boto3.DEFAULT_SESSION = None
    _ = (boto3.__version__, boto3.DEFAULT_SESSION, boto3.utils, boto3.compat)
    with contextlib.suppress(boto3.exceptions.Boto3Error):
        boto3.client("s3")


def mistakes() -> None:
    boto3.cleint("s3")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    boto3.client("s3", timout=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    boto3.client("s3", endpoint="http://127.0.0.1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    boto3.client("s3", timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    boto3.client("s3", config={"read_timeout": 3})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    boto3.client(timeout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    boto3.resource("s3", aws_account_id="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    session = boto3.Session()
    session.client("s3", region="eu-west-1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    session.resource("s3", read_timeout=(1, 2))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    boto3.set_default_timeout("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    boto3.Session(region="eu-west-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
