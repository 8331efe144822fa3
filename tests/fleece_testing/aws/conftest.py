"""What the tests of the emulated AWS share."""

import botocore.config
import botocore.exceptions
import pytest


@pytest.fixture
def refused():
    """Call, and return the code of the error that boto3 raises for it."""

    def call(operation, **arguments):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            operation(**arguments)
        return caught.value.response["Error"]["Code"]

    return call


@pytest.fixture
def once():
    """Configure a client to neither repeat a call nor check its parameters."""
    return botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False)
