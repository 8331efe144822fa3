"""The emulated AWS: moto on loopback, behind a layer that refuses what AWS refuses and moto lets through.

Importing this package is cheap; moto itself, which is not, is imported when an `AWS` is started.
"""

from fleece_testing._extras import require
from fleece_testing.aws.application import Call
from fleece_testing.aws.credentials import Credentials
from fleece_testing.aws.furnished import KMS, CloudWatch, ParameterStore
from fleece_testing.aws.requests import Request
from fleece_testing.aws.server import AWS

__all__ = ["AWS", "KMS", "Call", "CloudWatch", "Credentials", "ParameterStore", "Request"]

require(__name__, "moto", "flask", "flask_cors")
