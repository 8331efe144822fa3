"""Where specifications come from, and which application belongs to which."""

import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import types

import connexion
import pytest
import yaml

from fleece._defaults import defaults
from fleece.connexion import call_proxy_api, get_connexion_app
from fleece_testing import events

USER = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def test_json_and_pathlib(tmp_path, fleece_api, document):
    """A specification may be a JSON file, and a path object."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    app = get_connexion_app("users", path)
    assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7").status == 200


def test_swagger_2(framework, fleece_api):
    """Swagger 2.0, with a base path and a body parameter."""
    swagger = {
        "swagger": "2.0",
        "info": {"title": "users", "version": "1"},
        "basePath": "/v1",
        "paths": {
            "/users": {
                "post": {
                    "operationId": "users_api.add_user",
                    "parameters": [{"name": "body", "in": "body", "required": True, "schema": USER}],
                    "responses": {"201": {"description": "ok", "schema": USER}},
                }
            },
            "/users/{id}": {
                "get": {
                    "operationId": "users_api.get_user",
                    "produces": ["application/json"],
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "type": "integer"},
                        {
                            "name": "tag",
                            "in": "query",
                            "type": "array",
                            "items": {"type": "string", "maxLength": 3},
                        },
                    ],
                    "responses": {"200": {"description": "ok"}},
                }
            },
        },
    }
    app = get_connexion_app("users", swagger, framework=framework)
    client = fleece_api(lambda event, context: app.call_proxy_api(event))
    assert client.post("/v1/users", json={"name": "ann"}).status == 201
    assert client.post("/v1/users", json={"name": 1}).status == 400
    assert client.get("/v1/users/7?tag=a,b").json() == {"id": 7, "tag": ["a", "b"]}
    assert client.get("/v1/users/7?tag=long").status == 400


def test_references_to_other_files(tmp_path, framework, fleece_api, document):
    """A reference is relative to the file that it is in, wherever the process runs."""
    schema = document["paths"]["/users"]["post"]["requestBody"]["content"]["application/json"]
    schema["schema"] = {"$ref": "models/user.yml#/User"}
    (tmp_path / "models").mkdir()
    (tmp_path / "models/user.yml").write_text(yaml.safe_dump({"User": USER}))
    (tmp_path / "api.yml").write_text(yaml.safe_dump(document))
    app = get_connexion_app("users", tmp_path / "api.yml", framework=framework)
    client = fleece_api(lambda event, context: app.call_proxy_api(event))
    assert client.post("/users", json={"name": "ann"}).status == 201
    assert client.post("/users", json={"name": 1}).status == 400


def test_a_relative_path_is_beside_the_module_or_here(tmp_path, monkeypatch, specification):
    """A relative path is looked for beside the module of that name first, then in the current folder."""
    monkeypatch.chdir(tmp_path)
    assert get_connexion_app("users", "swagger.yml")
    module = types.ModuleType("somewhere")
    module.__file__ = str(tmp_path / "code" / "somewhere.py")
    monkeypatch.setitem(sys.modules, "somewhere", module)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "swagger.yml").write_text("no: specification")
    with pytest.raises(connexion.exceptions.InvalidSpecification):
        get_connexion_app("somewhere", "swagger.yml")


def test_a_relative_path_belongs_to_its_folder(tmp_path, monkeypatch, document):
    """The same relative path in another folder is another specification."""
    apps = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "api.json").write_text(json.dumps(document))
        monkeypatch.chdir(tmp_path / name)
        apps.append(get_connexion_app("users", "api.json"))
    assert apps[0] is not apps[1]


def test_a_missing_file(tmp_path, monkeypatch):
    """The error says where the file was looked for, each folder once."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"no specification 'swagger.yml' in {re.escape(str(tmp_path))}$"):
        get_connexion_app("users", "swagger.yml")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.yml", "a: [1"), ("a.json", "{"), ("a.yml", "- 1"), ("a.yml", "\0"), ("a.yml", "a: &a [*a]")],
)
def test_what_is_no_specification(tmp_path, name, content):
    """A file that cannot be read says so in one line that names it."""
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=name) as raised:
        get_connexion_app("users", tmp_path / name)
    assert "\n" not in str(raised.value)


def test_an_unknown_framework(document):
    """The error names the two that there are."""
    with pytest.raises(ValueError, match="'django'; it must be 'flask' or 'async'"):
        get_connexion_app("users", document, framework="django")


def test_an_application_is_made_once(specification):
    """The same arguments give the same application."""
    assert get_connexion_app("users", specification) is get_connexion_app("users", str(specification))


@pytest.mark.parametrize(
    "other",
    [
        {"app_name": "others"},
        {"strict_validation": False},
        {"validate_responses": False},
        {"framework": "async"},
        {"cache_app": False},
    ],
)
def test_other_arguments_make_another(specification, other):
    """Name, options and framework all belong to the application."""
    arguments = {"app_name": "users", "app_swagger_path": specification}
    assert get_connexion_app(**arguments) is not get_connexion_app(**{**arguments, **other})


def test_another_file_of_the_same_name_makes_another(tmp_path, specification):
    """Two specifications under one name do not share an application."""
    second = tmp_path / "second.yml"
    second.write_text(specification.read_text())
    assert get_connexion_app("users", specification) is not get_connexion_app("users", second)


def test_new_content_makes_another(specification, fleece_api):
    """A file whose content has changed makes a new application; one that has only been touched does not."""
    first = get_connexion_app("users", specification)
    os.utime(specification)
    assert get_connexion_app("users", specification) is first
    specification.write_text(specification.read_text().replace("/where", "/here"))
    second = get_connexion_app("users", specification)
    assert fleece_api(lambda event, context: second.call_proxy_api(event)).get("/here").status == 200


def test_a_touched_file_is_read_once_more_and_no_oftener(specification, monkeypatch):
    """A file with a new date and the content of before is looked into at the next request, and not at those after."""
    first = get_connexion_app("users", specification)
    read = []
    read_bytes = pathlib.Path.read_bytes
    monkeypatch.setattr(pathlib.Path, "read_bytes", lambda path: read.append(path) or read_bytes(path))
    os.utime(specification, ns=(1, 1))
    assert [get_connexion_app("users", specification) for _ in range(3)] == [first] * 3
    assert read == [specification]


def test_an_application_survives_a_snapstart_restore(specification, monkeypatch):
    """The snapshot holds the application, so that no restored container has to make it again."""
    restores = []
    module = types.ModuleType("snapshot_restore_py")
    module.register_after_restore = restores.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setattr(defaults, "_restore_hook", False)
    defaults.reset()
    app = get_connexion_app("users", specification)
    answers = [app.call_proxy_api(events.request("GET", "/where"))]
    restores[0]()
    assert get_connexion_app("users", specification) is app
    answers.append(app.call_proxy_api(events.request("GET", "/where")))  # on a loop of its own
    assert [answer["statusCode"] for answer in answers] == [200, 200]


def test_a_changed_dict_makes_another(document):
    """A dict is compared by what it says, also when it is the same object."""
    first = get_connexion_app("users", document)
    assert get_connexion_app("users", copy.deepcopy(document)) is first
    document["paths"].pop("/where")
    assert get_connexion_app("users", document) is not first


def test_the_callers_dict_is_left_alone(document):
    """Connexion fills in defaults in a copy."""
    before = copy.deepcopy(document)
    get_connexion_app("users", document).call_proxy_api(events.request("GET", "/users/7"))
    assert document == before


def test_the_logger_is_the_callers(specification):
    """Each call logs to the logger that it was given, the application being the same."""
    lines = [], []
    for said in lines:

        class Log:
            def info(self, event, said=said, **fields):
                said.append(event)

        call_proxy_api(events.request("GET", "/users/7"), "users", specification, Log())
    assert lines == (["Processing GET request", "Returning 200"],) * 2


@pytest.mark.parametrize("there", [True, False])
def test_yaml_is_parsed_by_libyaml_where_it_is_there(tmp_path, specification, there):
    """With libyaml, PyYAML's reader in Python is not used; without it, that does as well."""
    breaking = "yaml.reader.Reader.__init__ = None" if there else "del yaml.CSafeLoader"
    code = (
        "import sys, yaml\n"
        f"{breaking}\n"
        "from fleece.handlers.connexion._specification import parse\n"
        "from pathlib import Path\n"
        "path = Path(sys.argv[1])\n"
        "print(sorted(parse(path.read_bytes(), path)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code, specification], capture_output=True, text=True, check=True)
    assert run.stdout == "['info', 'openapi', 'paths']\n"
