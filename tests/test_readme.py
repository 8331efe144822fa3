"""The README's promises, run as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import fleece
from fleece_testing import plugin

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FUNCTION, API, ASGI, AUTHORIZER, TEST = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
ENVIRONMENTS, CONFIGURATION = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_function_and_its_test_work(pytester, monkeypatch):
    """The example function passes the example test, with the plugin found as any installed plugin is."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.mkdir("src").joinpath("handler.py").write_text(FUNCTION, encoding="utf-8")
    pytester.makepyfile(test_orders=TEST)
    pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_api_answers(tmp_path, fleece_runtime, fleece_events):
    """The example of an API answers an event of API Gateway as its specification says."""
    operation = {"operationId": "orders.read", "responses": {"200": {"description": "An order"}}}
    specification = {"swagger": "2.0", "info": {"title": "x", "version": "1"}, "paths": {"/orders": {"get": operation}}}
    (tmp_path / "swagger.yml").write_text(yaml.safe_dump(specification), encoding="utf-8")
    (tmp_path / "handler.py").write_text(API, encoding="utf-8")
    (tmp_path / "orders.py").write_text("def read():\n    return {'order': 7}\n", encoding="utf-8")
    answer = fleece_runtime(tmp_path, "handler.lambda_handler").invoke(fleece_events.request("GET", "/orders")).result
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"order": 7})


def test_asgi_application_answers(fleece_events):
    """The example of an ASGI application answers an event."""
    names = {}
    exec(ASGI, names)  # noqa: S102 (our own text)
    answer = names["lambda_handler"](fleece_events.request("GET", "/orders/7"), None)
    assert (answer["statusCode"], answer["body"]) == (200, "Hello from Lambda")


def test_authorizer_answers():
    """The example of an authorizer names the API and the stage of the request, and no other."""
    names = {}
    exec(AUTHORIZER, names)  # noqa: S102 (our own text)
    event = {"type": "TOKEN", "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/GET/pets/7"}
    allow, deny = names["authorize"](event, None)["policyDocument"]["Statement"]
    assert (allow["Effect"], allow["Resource"]) == (
        "Allow",
        ["arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/GET/pets/*"],
    )
    assert deny["Effect"] == "Deny"
    assert all("/prod/" in arn and arn.endswith("/pets/7/secrets") for arn in deny["Resource"])


def test_configuration_is_encrypted_and_rendered(fleece_cli, fleece_environments, fleece_aws):
    """The example of a configuration has its values, in the environments of the other example, and opens unchanged."""
    fleece_environments(**{environment["name"]: {} for environment in yaml.safe_load(ENVIRONMENTS)["environments"]})
    fleece_aws.kms_key("users")
    assert fleece_cli("config", "import", stdin=CONFIGURATION).exit_code == 0
    assert fleece_cli("config", "export").stdout == CONFIGURATION
    assert fleece_cli("config", "lint", "--strict").exit_code == 0
    values = fleece_cli("config", "render", "feature-7", "--json").json
    assert values["database"] == {"host": "localhost", "password": "my-dev-password"}


def test_environments_are_read(fleece_cli):
    """The example of an environments.yml has nothing that fleece does not know."""
    fleece_cli.folder.joinpath("environments.yml").write_text(ENVIRONMENTS, encoding="utf-8")
    told = fleece_cli("run", "-e", "nope", "--export", "json").stderr
    assert told == "Error: environments.yml: no environment 'nope'; it has 'staging', 'production', 'sandbox'\n"


def test_the_version_is_this_one():
    """What the README says to install, and what it says of this version, has this version's number."""
    assert f"`fleece=={fleece.__version__}`" in README
    assert f"\n{fleece.__version__} is a development version" in README
    assert f"`fleece=={fleece.__version__}`" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_every_link_leads_somewhere():
    """What the README and its neighbours link to is in the checkout, the headings included."""
    for page in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "localstack/README.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", (ROOT / page).read_text(encoding="utf-8"))
        for path, heading in links:
            target = (ROOT / page).parent / path if path else ROOT / page
            assert target.exists(), (page, path)
            if heading:
                titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
                assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}, heading


def test_the_two_commands_are_there_to_be_run():
    """CI takes the two commands from between these marks."""
    between = re.search(r"<!-- the two commands -->\n```\n(.*)```\n<!-- end -->", README, re.DOTALL)
    assert [line.partition("tox run -e ")[2].split()[0] for line in between[1].splitlines()] == ["demo", "py"]


@pytest.mark.parametrize("fixture", sorted(set(re.findall(r"`(fleece_[a-z]+)`", README)) - {"fleece_testing"}))
def test_every_fixture_that_is_named_exists(fixture):
    """The table of fixtures names none that the plugin does not have."""
    assert hasattr(plugin, fixture)
