"""Files that fleece 1.2.1 itself has closed, see golden/make.py: they open, render and come back unchanged."""

import base64
import json
from pathlib import Path

import pytest

from fleece.cli.config import document
from fleece.cli.config.source import Source
from fleece.cli.config.tree import as_data

GOLDEN = Path(__file__).parent / "golden"


def data_of(text):
    return as_data(document.parse(Source("golden", text)).root, lambda leaf: leaf.value)


@pytest.fixture
def golden(config, fleece_environments, fleece_aws):
    """The file that 1.2.1 has closed, where its keys are those of the emulated KMS."""
    from moto.kms.models import kms_backends

    fleece_environments(prod={"provider": "environment"}, dev={"provider": "environment"})
    keys = kms_backends[fleece_aws.account][fleece_aws.region].keys
    for alias, known in json.loads((GOLDEN / "keys.json").read_text()).items():
        key = keys.pop(fleece_aws.kms_key(alias).rpartition("/")[2])
        key.arn = key.arn.replace(key.id, known["id"])
        key.id = known["id"]
        key.key_material = base64.b64decode(known["material"])
        for name in key.aliases.values():
            name.target_key_id = key.id
        keys[key.id] = key
    config.path.write_bytes((GOLDEN / "documented.closed.yml").read_bytes())
    return config


def test_it_exports_what_1_2_1_exports(golden):
    """The open configuration says what 1.2.1's own export of the same file says."""
    exported = golden("export")
    assert exported.exit_code == 0, exported
    assert data_of(exported.stdout) == data_of((GOLDEN / "documented.exported.yml").read_text())
    assert data_of(exported.stdout) == data_of((GOLDEN / "documented.open.yml").read_text())


def test_a_round_trip_changes_no_byte(golden, fleece_aws):
    """Exported and imported, as YAML or as JSON, the file is what 1.2.1 wrote, and nothing was encrypted."""
    before = golden.path.read_bytes()
    for form in ([], ["--json"]):
        assert golden("import", stdin=golden("export", *form).stdout).exit_code == 0
        assert golden.path.read_bytes() == before
    assert golden("import", stdin=(GOLDEN / "documented.exported.yml").read_text()).exit_code == 0
    assert fleece_aws.calls("kms", "Encrypt") == []


def test_a_changed_secret_changes_its_line(golden, fleece_aws):
    """One secret that is changed is one line of the file that 1.2.1 wrote."""
    before = golden.path.read_text().splitlines()
    assert golden("import", stdin=golden("export").stdout.replace("my-prod-password", "x")).exit_code == 0
    after = golden.path.read_text().splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert len(fleece_aws.calls("kms", "Encrypt")) == 1


@pytest.mark.parametrize(("stage", "password"), [("foobar", "my-foo-password"), ("dev", "my: custom #password")])
def test_it_renders(golden, stage, password):
    """A stage is rendered with the values that were closed."""
    assert golden("render", stage, "--json").json["password"] == password
