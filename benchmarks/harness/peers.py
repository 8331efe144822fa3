"""The environments that several rows share. A peer has one of its own, with nothing of fleece's in it."""

from __future__ import annotations

from harness.model import Environment

FLEECE = Environment("fleece", ("{fleece}",))
FLEECE_BUILD = Environment("fleece-build", ("{fleece}[cli]", "pip"))
FLEECE_CLI = Environment("fleece-cli", ("{fleece}[cli]",))
FLEECE_CONNEXION = Environment("fleece-connexion", ("{fleece}[connexion]",))

FLEECE_1_2_1 = Environment(
    "fleece-1.2.1",
    # The newest under which it works.
    (
        "fleece==1.2.1",
        "connexion==2.14.2",
        "flask==2.2.5",
        "ruamel.yaml==0.17.40",
        "setuptools==81.0.0",
        "werkzeug==2.2.2",
    ),
)
HTTPS_SERVER = Environment("https-server", ("trustme",))
MANGUM_CONNEXION = Environment("mangum-connexion", ("connexion[flask]>=3.1,<4", "mangum"))
POWERTOOLS = Environment("powertools", ("aws-lambda-powertools",))
XRAY_SDK = Environment("aws-xray-sdk", ("aws-xray-sdk",))
