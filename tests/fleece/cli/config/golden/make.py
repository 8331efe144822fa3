"""Make the golden files anew: closed by fleece 1.2.1 itself, with the keys of the emulated KMS.

``python make.py PYTHON`` takes the Python of an environment of its own, made with::

    python3.11 -m venv old
    old/bin/pip install fleece==1.2.1 connexion==2.14.2 flask==2.2.5 ruamel.yaml==0.17.40 setuptools==81.0.0 \
        werkzeug==2.2.2

1.2.1 runs as it is, on each ``*.open.yml``. Its requests to Rackspace go to the emulated one, its calls of AWS to the
emulated KMS. What it writes is ``*.closed.yml``, what it exports from that ``*.exported.yml``; ``keys.json`` has the
emulator's keys, without which nobody could open the files.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from moto.kms.models import kms_backends

from fleece_testing.aws import AWS
from fleece_testing.rackspace import Rackspace

HERE = Path(__file__).parent
ALIASES = ("prod-key-here", "dev-key-here")
RUN = """
import sys
import requests

identity, faws, *arguments = sys.argv[1:]
send = requests.Session.request

def redirected(self, method, url, **options):
    url = url.replace("https://identity.api.rackspacecloud.com", identity)
    return send(self, method, url.replace("https://accounts.api.manage.rackspace.com", faws), **options)

requests.Session.request = redirected
from fleece.cli.config.config import main
main(arguments)
"""
ENVIRONMENTS = """\
environments:
  - name: prod
    account: '123456789012'
  - name: dev
    account: '123456789012'
"""


def main(python: str) -> None:
    """Make all files."""
    with AWS() as aws, Rackspace(aws) as rackspace:
        arns = {alias: aws.kms_key(alias) for alias in ALIASES}
        keys = kms_backends[aws.account][aws.region].keys
        document = {
            alias: {
                "id": arn.rpartition("/")[2],
                "material": base64.b64encode(keys[arn.rpartition("/")[2]].key_material).decode(),
            }
            for alias, arn in arns.items()
        }
        (HERE / "keys.json").write_text(json.dumps(document, indent=2) + "\n")
        variables = rackspace.environment()
        environment = {**os.environ, **aws.environment(), **variables}
        urls = (variables["FLEECE_IDENTITY_URL"], variables["FLEECE_FAWS_URL"])

        def fleece(*arguments: str, stdin: bytes = b"") -> bytes:
            command = [python, "-c", RUN, *urls, *arguments]
            return subprocess.run(command, input=stdin, env=environment, check=True, stdout=subprocess.PIPE).stdout

        (HERE / "environments.yml").write_text(ENVIRONMENTS)
        for opened in sorted(HERE.glob("*.open.yml")):
            closed = opened.with_name(opened.name.replace(".open.", ".closed."))
            options = ("-c", str(closed), "-e", str(HERE / "environments.yml"))
            fleece(*options, "import", stdin=opened.read_bytes())
            exported = fleece(*options, "export")
            opened.with_name(opened.name.replace(".open.", ".exported.")).write_bytes(exported)
        (HERE / "environments.yml").unlink()


if __name__ == "__main__":
    main(sys.argv[1])
