"""What the tests of the service share."""

import pytest

from fleece_testing import AWS


@pytest.fixture(scope="session")
def fleece_aws_server():
    """Have the emulated AWS where the service is."""
    with AWS(region="eu-west-1") as aws:
        yield aws


@pytest.fixture
def cloud(fleece_aws, fleece_kms, fleece_ssm, monkeypatch):
    """Set up what the service has in its account."""
    location = {"LocationConstraint": fleece_aws.region}
    fleece_aws.client("s3").create_bucket(Bucket="orders", CreateBucketConfiguration=location)
    fleece_ssm.put("/orders/receipt-key", "open sesame", key=fleece_kms.key("orders"))
    monkeypatch.setenv("BUCKET", "orders")
    return fleece_aws


@pytest.fixture
def api(fleece_api, cloud):
    """Call the service by HTTP."""
    import handler

    return fleece_api(handler.main, kind="http")
