"""The same requests through connexion's own test client and through fleece: the same answers, for each specification.

The specifications, in OpenAPI 3.0 and in Swagger 2.0, are of the same service, in `parity_openapi.yml` and
`parity_swagger.yml`; its handlers are below. Connexion validates as strictly as fleece does by default.
"""

import json
import sys
import types
import warnings
from pathlib import Path
from urllib.parse import urlencode

import connexion
import pytest

from fleece.connexion import get_connexion_app
from fleece_testing.api import Client

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
PART = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
KEY = {"X-Key": "right"}


def multipart(*parts):
    """Make a body of parts: a name, what else is in the header, and the content."""
    return ("".join(f"--b\r\n{PART.format(*part)}" for part in parts) + "--b--\r\n").encode()


def file(content, name="a.txt"):
    return ("file", f'; filename="{name}"', content)


# Method, target, headers, body: what each specification describes.
REQUESTS = [
    # Coercion of paths and queries.
    ("GET", "/items/7", {}, b""),
    ("GET", "/items/-7", {}, b""),
    ("GET", "/items/seven", {}, b""),
    ("GET", "/items/0", {}, b""),
    ("GET", "/prices/1.5", {}, b""),
    ("GET", "/prices/1", {}, b""),
    ("GET", "/names/%C3%BC%20x", {}, b""),
    ("GET", "/files/a/b%20c/d.txt", {}, b""),
    ("GET", "/search?count=3&ratio=0.5&flag=true&name=%C3%BC", {}, b""),
    ("GET", "/search?count=x", {}, b""),
    ("GET", "/search?count=101", {}, b""),
    ("GET", "/search?ratio=x", {}, b""),
    ("GET", "/search?flag=maybe", {}, b""),
    ("GET", "/search", {}, b""),
    ("GET", "/search?name=", {}, b""),
    ("GET", "/search?colour=red", {}, b""),
    ("GET", "/search?colour=mauve", {}, b""),
    ("GET", "/search?tags=a,b&tags=c", {}, b""),
    ("GET", "/search?tags=", {}, b""),
    ("GET", "/search?numbers=1|2|3", {}, b""),
    ("GET", "/search?numbers=1|x", {}, b""),
    ("GET", "/search?count=1&count=2", {}, b""),
    ("GET", "/search?unknown=1", {}, b""),
    ("GET", "/search?count=1&key=right", {}, b""),
    ("GET", "/search", {"X-Limit": "7"}, b""),
    ("GET", "/search", {"X-Limit": "many"}, b""),
    ("GET", "/needed?q=1", {}, b""),
    ("GET", "/needed", {}, b""),
    # Bodies.
    ("POST", "/items", JSON, b'{"name": "\xc3\xbc", "size": 3}'),
    ("POST", "/items", JSON, b'{"size": 3}'),
    ("POST", "/items", JSON, b'{"name": 3}'),
    ("POST", "/items", JSON, b'{"name": "a", "more": 1}'),
    ("POST", "/items", JSON, b'{"name": "a", "day": "today"}'),
    ("POST", "/items", JSON, b"[1]"),
    ("POST", "/items", JSON, b"{"),
    ("POST", "/items", JSON, b"null"),
    ("POST", "/items", JSON, b""),
    ("POST", "/items", {"Content-Type": "application/json; charset=utf-8"}, b'{"name": "\xc3\xbc"}'),
    ("POST", "/items", {"Content-Type": "text/plain"}, b"a"),
    ("POST", "/items", {"Content-Type": "application/vnd.api+json"}, b'{"name": "a"}'),
    ("POST", "/maybe", JSON, b"null"),
    ("POST", "/maybe", JSON, b""),
    # Forms and files.
    ("POST", "/form", FORM, urlencode({"name": "ü x", "size": "3"}).encode()),
    ("POST", "/form", FORM, b"name=a&size=x"),
    ("POST", "/form", FORM, b"size=3"),
    ("POST", "/form", FORM, b"name=a&more=1"),
    ("POST", "/form", JSON, b"{}"),
    ("POST", "/upload", MULTIPART, multipart(file("content\x00\r\nü"), ("note", "", "n"))),
    ("POST", "/upload", MULTIPART, multipart(file(""))),
    ("POST", "/upload", MULTIPART, multipart(("note", "", "n"))),
    ("POST", "/upload", FORM, b"note=n"),
    # Security.
    ("GET", "/key", {}, b""),
    ("GET", "/key", KEY, b""),
    ("GET", "/key", {"X-Key": "wrong"}, b""),
    ("GET", "/query-key?key=right", {}, b""),
    ("GET", "/query-key?key=wrong", {}, b""),
    ("GET", "/query-key", {}, b""),
    ("GET", "/basic", {"Authorization": "Basic YW5uOnBhc3M="}, b""),
    ("GET", "/basic", {"Authorization": "Basic YW5uOm5v"}, b""),
    ("GET", "/basic", {"Authorization": "Basic %%%"}, b""),
    ("GET", "/basic", {"Authorization": "Nonsense"}, b""),
    ("GET", "/basic", {}, b""),
    ("GET", "/either", KEY, b""),
    ("GET", "/either", {"Authorization": "Basic YW5uOnBhc3M="}, b""),
    ("GET", "/either", {}, b""),
    # Answers.
    ("GET", "/answers/none", {}, b""),
    ("GET", "/raw/text", {}, b""),
    ("GET", "/raw/bytes", {}, b""),
    ("GET", "/answers/created", {}, b""),
    ("GET", "/answers/teapot", {}, b""),
    ("GET", "/answers/problem", {}, b""),
    ("GET", "/answers/forbidden", {}, b""),
    ("GET", "/answers/default", {}, b""),
    ("GET", "/answers/list", {}, b""),
    # What is not there.
    ("GET", "/nowhere", {}, b""),
    ("PATCH", "/items", {}, b""),
    ("OPTIONS", "/nowhere", {}, b""),
]

# Whose details are kept from clients: connexion's own answer would show them.
BROKEN = [
    ("GET", "/answers/wrong", {}, b""),
    ("GET", "/answers/wrong-type", {}, b""),
    ("GET", "/answers/fails", {}, b""),
]


@pytest.fixture(scope="module", autouse=True)
def parity_api():
    """Make the handlers importable."""
    module = types.ModuleType("parity_api")
    flask_response = connexion.lifecycle.ConnexionResponse

    def upload(body=None, file=None, note=None):
        return {"body": body, "note": note, "file": None if file is None else file.filename}

    answers = {
        "none": lambda: (connexion.NoContent, 204),
        "text": lambda: ("text ü", 200, {"Content-Type": "text/plain"}),
        "bytes": lambda: flask_response(200, content_type="application/octet-stream", body=b"\x00\xff"),
        "created": lambda: ({"a": None}, 201, {"Location": "/items/1", "X-More": "yes"}),
        "teapot": lambda: ({"short": True}, 418),
        "problem": lambda: connexion.problem(409, "Taken", "The name is taken", ext={"name": "a"}),
        "default": lambda: ({"code": 3}, 299),
        "list": lambda: [1, "ü", None, {"a": 1.5}],
        "wrong": lambda: {"id": "secret"},
        "wrong-type": lambda: ("text", 200, {"Content-Type": "text/html"}),
        "fails": lambda: 1 / 0,
    }

    def answer(kind):
        if kind == "forbidden":
            raise connexion.exceptions.Forbidden(detail="Not for you")
        return answers[kind]()

    def check_key(key, required_scopes=None):
        return {"sub": "keyholder"} if key == "right" else None

    def check_basic(username, password, required_scopes=None):
        return {"sub": username} if password == "pass" else None

    module.upload, module.answer, module.raw = upload, answer, answer
    module.check_key, module.check_basic = check_key, check_basic
    for name in ("add_item", "get_item", "get_price", "get_name", "get_file", "search", "needed", "maybe", "form"):
        setattr(module, name, lambda **arguments: arguments)
    for name in ("key", "query_key", "basic", "either"):
        setattr(module, name, lambda user, **_arguments: {"user": user})
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


@pytest.fixture(scope="module", params=["openapi", "swagger"])
def path(request):
    return Path(__file__).with_name(f"parity_{request.param}.yml")


@pytest.fixture(scope="module", params=["flask", "async"])
def clients(request, path):
    """Return two functions that make a request: through connexion's own test client, and through fleece."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = {"flask": connexion.FlaskApp, "async": connexion.AsyncApp}[request.param]("theirs")
        theirs.add_api(path, strict_validation=True, validate_responses=True)
    ours = get_connexion_app("ours", path, framework=request.param, cache_app=False)
    lambda_client = Client(lambda event, _context: ours.call_proxy_api(event), kind="function_url")

    def through_fleece(method, target, headers, body):
        answer = lambda_client.request(method, target, headers=headers, body=body or None)
        return answer.status, answer.headers.get("content-type"), answer.content

    with theirs.test_client(base_url="https://testserver", follow_redirects=False) as client:

        def through_connexion(method, target, headers, body):
            answer = client.request(method, target, headers=headers, content=body)
            return answer.status_code, answer.headers.get("content-type"), answer.content

        yield through_connexion, through_fleece


def decoded(answer):
    """Return status, type, and what the body says: JSON may be indented or not."""
    status, content_type, content = answer
    return status, content_type, json.loads(content) if content and "json" in (content_type or "") else content


@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")  # connexion does not close uploaded files
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request[0]}-{request[1]}-{request[3][:12]!r}")
def test_the_answer_is_connexions_own(clients, request_):
    """Status, content type and decoded body are the same."""
    connexions, fleeces = (decoded(client(*request_)) for client in clients)
    assert fleeces == connexions


@pytest.mark.parametrize("request_", BROKEN, ids=lambda request: request[1])
def test_a_broken_answer_has_connexions_status_and_no_detail(clients, request_):
    """Where connexion tells clients how an answer breaks the specification, fleece tells its log."""
    connexions, fleeces = (decoded(client(*request_)) for client in clients)
    assert fleeces[:2] == connexions[:2]
    assert "secret" not in str(fleeces[2])
