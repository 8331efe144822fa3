"""The partition in a function's ARN."""

import botocore.session
import pytest

from fleece_testing import LambdaContext, Runtime

SESSION = botocore.session.get_session()


@pytest.mark.parametrize("partition", SESSION.get_available_partitions())
def test_partition_is_that_which_botocore_knows_for_the_region(partition, tmp_path):
    """The context's ARN and the runtime's name the partition of every region that botocore knows."""
    for region in SESSION.get_available_regions("lambda", partition):
        expected = f"arn:{partition}:lambda:{region}:123456789012:function:users"
        assert LambdaContext(region=region, function_name="users").invoked_function_arn == expected
        assert Runtime(tmp_path, "app.main", region=region, function_name="users").arn == expected
