"""The ARN of a function, in the partition that its region belongs to."""

from __future__ import annotations

_PARTITIONS = {
    "cn": "aws-cn",
    "eu-isoe": "aws-iso-e",
    "eusc": "aws-eusc",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
}


def function_arn(region: str, account: str | int, function_name: str) -> str:
    """Return a function's ARN, without a version or alias."""
    area = region.rsplit("-", 2)[0]  # `us-gov` of `us-gov-west-1`
    partition = _PARTITIONS.get(area) or _PARTITIONS.get(area.partition("-")[0], "aws")
    return f"arn:{partition}:lambda:{region}:{account}:function:{function_name}"
