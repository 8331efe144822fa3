"""`wsgi_handler` and the environ, held against wsgiref's validator and a real Flask application."""

import json
import logging
import sys
from wsgiref.validate import validator

import flask
import pytest

from fleece.handlers._asgi import request_of, scope_of
from fleece.handlers._events import kind_of, read_request
from fleece.handlers.wsgi import build_wsgi_environ_from_event, wsgi_handler
from fleece_testing import events

PROXY_KINDS = [kind for kind in events.KINDS if kind != "yoke"]


class Fields:
    """A logger that takes keyword fields, as fleece's and structlog's do."""

    def __init__(self):
        self.lines = []

    def info(self, event, **fields):
        self.lines.append((event, fields))

    error = info


@pytest.fixture
def app():
    """Return a Flask application that says what it has received."""
    app = flask.Flask(__name__)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST", "HEAD"])
    @app.route("/<path:path>", methods=["GET", "POST", "HEAD"])
    def echo(path):
        request = flask.request
        response = flask.jsonify(
            path=request.path,
            root=request.script_root,
            args=list(request.args.items(multi=True)),
            body=request.get_data(as_text=True),
            length=request.content_length,
            address=request.remote_addr,
            url=request.url,
            header=request.headers.get("X-Header"),
            cookies=request.cookies,
        )
        response.set_cookie("one", "1")
        response.set_cookie("two", "2")
        return response

    return app


class TestEnviron:
    """What applications are given."""

    @pytest.mark.parametrize("kind", events.KINDS)
    def test_wsgirefs_validator_is_content(self, kind):
        """Every kind of event makes an environ, and the handler calls the application, as PEP 3333 says."""

        @validator
        def app(environ, start_response):
            assert environ["wsgi.input"].read(-1)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"fine"]

        event = events.request("POST", "/a%20b?c=d", body={"e": "f"}, headers={"X-Header": "x"}, kind=kind)
        errors = []
        log = type(
            "Log", (), {"info": lambda *a, **k: None, "error": lambda *a, exc_info, **k: errors.append(exc_info)}
        )
        answer = wsgi_handler(event, None, app, log())
        assert errors == []
        assert (answer["statusCode"], answer["body"]) == (200, "fine")

    def test_the_parts_of_the_environ(self, rest_event):
        """The environ of the documentation's REST event, part by part."""
        context = object()
        environ = build_wsgi_environ_from_event(rest_event, context)
        expected = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "/prod",
            "PATH_INFO": "/my/path",
            "QUERY_STRING": "parameter1=value1&parameter1=value2&parameter2=a+value",
            "REMOTE_ADDR": "192.0.2.1",
            "SERVER_NAME": "id.execute-api.us-east-1.amazonaws.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HEADER2": "value1,value2",
            "wsgi.url_scheme": "https",
            "lambda.event": rest_event,
            "lambda.context": context,
        }
        assert {name: environ[name] for name in expected} == expected

    def test_a_balancers_client_does_not_name_the_server(self, alb_event):
        """``Host`` behind a load balancer is whatever the client wrote; it is ``HTTP_HOST``, and nothing else."""
        alb_event["headers"]["host"] = "admin.internal:81"
        environ = build_wsgi_environ_from_event(alb_event)
        assert (environ["HTTP_HOST"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
            "admin.internal:81",
            "localhost",
            "80",
        )

    def test_text_outside_of_latin_1_is_bytes(self):
        """A path in UTF-8 is in the environ as PEP 3333 wants it: a character for each byte."""
        environ = build_wsgi_environ_from_event(events.request("GET", "/é中", kind="http"))
        assert environ["PATH_INFO"].encode("latin-1").decode() == "/é中"

    def test_repeated_cookie_headers_are_joined_as_cookies_are(self, rest_event):
        """HTTP/2 clients send several ``Cookie`` headers; commas between them would spoil the last value."""
        rest_event["multiValueHeaders"]["Cookie"] = ["a=1", "b=2"]
        assert build_wsgi_environ_from_event(rest_event)["HTTP_COOKIE"] == "a=1; b=2"

    def test_a_header_with_an_underscore_cannot_stand_in_for_another(self, rest_event):
        """``X_Forwarded_For`` is not taken for ``X-Forwarded-For``."""
        rest_event["multiValueHeaders"]["X_Forwarded_Proto"] = ["forged"]
        environ = build_wsgi_environ_from_event(rest_event)
        assert environ["HTTP_X_FORWARDED_PROTO"] == "https"
        assert "forged" not in environ.values()

    @pytest.mark.parametrize("event", [None, {}, {"httpMethod": "GET"}])
    def test_an_unknown_event_is_a_value_error(self, event):
        """An event of no known kind is the caller's mistake, here and in the handler."""
        with pytest.raises(ValueError, match="no HTTP request"):
            build_wsgi_environ_from_event(event)
        with pytest.raises(ValueError, match="no HTTP request"):
            wsgi_handler(event, None, pytest.fail, None)

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_a_scope_says_the_same(self, kind):
        """A request goes into an ASGI scope and comes out again unchanged."""
        event = events.request("POST", "/a%20b/é?c=d", body="x", headers={"X-Header": "é"}, kind=kind)
        request = read_request(kind_of(event), event)
        assert request_of(scope_of(request), request.body) == request


class TestFlask:
    """A real application behind every kind of event."""

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_a_request_and_its_answer_come_through(self, app, fleece_api, kind):
        """Path, query, body, headers, address and two cookies, both ways."""
        client = fleece_api(
            lambda event, context: wsgi_handler(event, context, app, None), kind=kind, source_ip="192.0.2.9"
        )
        response = client.post("/a%20b/%C3%A9?c=1&d=%26", body="é", headers={"X-Header": "y", "Cookie": "k=v"})
        said = response.json()
        assert response.status == 200
        assert (said["path"], said["args"]) == ("/a b/é", [["c", "1"], ["d", "&"]])
        assert (said["body"], said["length"], said["header"]) == ("é", 2, "y")
        assert said["address"] == "192.0.2.9"
        assert said["cookies"] == {"k": "v"}
        assert response.cookies == {"one": "1", "two": "2"}

    def test_links_include_the_stage(self, app, fleece_api):
        """URLs that the application makes lead back through the stage."""
        client = fleece_api(lambda event, context: wsgi_handler(event, context, app, None), kind="rest", stage="prod")
        said = client.get("/users").json()
        assert said["root"] == "/prod"
        assert said["url"].endswith(".amazonaws.com/prod/users")


class TestDjango:
    """Another framework, with views of both colours."""

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    @pytest.mark.parametrize("view", ["echo", "echo_async"])
    def test_a_request_and_its_answer_come_through(self, django_project, fleece_api, kind, view):
        """Path, query, body, address, stage and two cookies, both ways."""
        app = django_project.wsgi
        client = fleece_api(
            lambda event, context: wsgi_handler(event, context, app, None), kind=kind, source_ip="192.0.2.9"
        )
        response = client.post(f"/{view}/a%20b/é?c=1&d=%26", body="é")
        said = response.json()
        assert (said["path"], said["args"], said["body"]) == (f"/{view}/a b/é", {"c": ["1"], "d": ["&"]}, "é")
        assert (said["address"], said["root"]) == ("192.0.2.9", "/prod" if kind == "rest" else "")
        assert response.cookies == {"one": "1", "two": "2"}


class TestServer:
    """The server's side of WSGI."""

    @pytest.fixture
    def event(self):
        return events.request("GET", "/")

    def test_write_and_close(self, event):
        """``write()`` comes before what is returned, and the returned iterable is closed."""
        closed = []

        class Body(list):
            def close(self):
                closed.append(True)

        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])(b"written ")
            return Body([b"returned"])

        assert wsgi_handler(event, None, app, None)["body"] == "written returned"
        assert closed == [True]

    def test_a_started_answer_is_replaced_with_exc_info(self, event):
        """An application that fails late may begin again, and nothing of its first try is left."""

        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])(b"half an")
            try:
                1 / 0  # noqa: B018
            except ZeroDivisionError:
                start_response("503 Busy", [("Content-Type", "text/plain")], sys.exc_info())
            return [b"sorry"]

        answer = wsgi_handler(event, None, app, None)
        assert (answer["statusCode"], answer["body"]) == (503, "sorry")

    @pytest.mark.parametrize(
        "app",
        [
            lambda environ, start_response: [b"never started"],
            lambda environ, start_response: [start_response("200 OK", []), start_response("200 OK", [])][:0],
            lambda environ, start_response: 1 / 0,
            lambda environ, start_response: start_response("nonsense", []) and [],
            lambda environ, start_response: start_response("20", []) and [],
            lambda environ, start_response: start_response("103 Early Hints", []) and [],
            lambda environ, start_response: start_response("2000 OK", []) and [],
            lambda environ, start_response: start_response(200, []) and [],
            lambda environ, start_response: start_response("200 OK", None) and [],
            lambda environ, start_response: start_response("200 OK", [("Content-Length", 0)]) and [],
            lambda environ, start_response: start_response("200 OK", [(b"X-Bytes", b"1")]) and [],
            lambda environ, start_response: start_response("200 OK", [("X-Triple", "1", "2")]) and [],
            lambda environ, start_response: start_response("200 OK", [("X-Two", "1\r\nX-Three: 1")]) and [],
            lambda environ, start_response: start_response("200 OK", [("X-Two: 1\r\nX-Three", "1")]) and [],
            lambda environ, start_response: start_response("200 OK", []) and None,
            lambda environ, start_response: start_response("200 OK", []) and ["text"],
        ],
    )
    def test_a_failing_application_is_a_500_that_tells_nothing(self, event, app, caplog):
        """Whatever the application does wrong, clients get a 500 without details; these are in the log."""
        answer = wsgi_handler(event, None, app, None)
        assert json.loads(answer["body"]) == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
        assert "Traceback" in caplog.text

    def test_the_log_names_the_header_that_is_wrong_and_no_value(self, event, caplog):
        """A wrong header is found by its name; the values of headers, some of which are secrets, are not logged."""

        def app(environ, start_response):
            start_response("200 OK", [("Set-Cookie", "session=swordfish"), ("X-Two", "pike\r\nX-Three: 1")])
            return []

        assert wsgi_handler(event, None, app, None)["statusCode"] == 500
        assert "'X-Two'" in caplog.text
        assert "Set-Cookie" not in (said := str(caplog.records[-1].exc_info[1]))
        assert "pike" not in said

    def test_headers_that_can_be_read_once_are_all_there(self, event):
        """An application that gives its headers as an iterator, and not as the list that WSGI wants, loses none."""

        def app(environ, start_response):
            start_response("200 OK", zip(["Content-Type", "X-Name"], ["text/plain", "value"], strict=True))
            return [b"x"]

        answer = wsgi_handler(event, None, app, None)
        assert answer["multiValueHeaders"] == {"Content-Type": ["text/plain"], "X-Name": ["value"]}

    def test_a_body_that_fails_is_closed(self, event):
        """The iterable is closed also when it breaks off."""
        closed = []

        def app(environ, start_response):
            try:
                start_response("200 OK", [])
                yield b"x"
                raise KeyError
            finally:
                closed.append(True)

        assert wsgi_handler(event, None, app, None)["statusCode"] == 500
        assert closed == [True]

    def test_a_generator_may_start_late(self, event):
        """An application that is a generator starts its answer when it is first asked for a part of the body."""

        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            yield b"one "
            yield b""
            yield b"two"

        assert wsgi_handler(event, None, app, None)["body"] == "one two"

    def test_an_application_may_give_up_what_it_started(self, event, caplog):
        """With ``exc_info``, and not without, an application may begin again when it has given a part of the body."""

        def app(environ, start_response):
            start_response("200 OK", [])
            yield b"half"
            try:
                {}["the password is swordfish"]
            except KeyError:
                start_response("500 Broken", [("Content-Type", "text/plain")], sys.exc_info())
            yield b"sorry"

        answer = wsgi_handler(event, None, app, None)
        assert (answer["statusCode"], answer["body"]) == (500, "sorry")

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    @pytest.mark.parametrize(
        ("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")]
    )
    def test_no_body_where_http_allows_none(self, kind, method, status):
        """HEAD, 204 and 304 have an empty body, whatever the application returns."""

        def app(environ, start_response):
            start_response(status, [("Content-Type", "text/plain")])
            return [b"x"]

        answer = wsgi_handler(events.request(method, "/", kind=kind), None, app, None)
        assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (int(status[:3]), "", False)

    @pytest.mark.parametrize(("kind", "size"), [("rest", 6 * 1024 * 1024), ("alb", 1024 * 1024)])
    def test_too_large_an_answer_is_a_500_that_says_so(self, kind, size, caplog):
        """An answer that Lambda, or the balancer, would refuse becomes a logged 500, which is itself small."""

        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain"), ("X-Large", "x")])
            return [b"x" * size]

        answer = wsgi_handler(events.request("GET", "/", kind=kind), None, app, None)
        assert answer["statusCode"] == 500
        assert "larger than AWS Lambda can return" in json.loads(answer["body"])["detail"]
        assert "larger than Lambda can return" in caplog.text


class TestLog:
    """The two lines of each request."""

    def app(self, environ, start_response):
        start_response("404 Not Found", [])
        return []

    def test_a_logger_with_fields(self):
        """Fleece's own logger gets the status as a field."""
        log = Fields()
        wsgi_handler(events.request("GET", "/"), None, self.app, log)
        assert log.lines == [("Processing GET request", {}), ("Returning 404", {"http_status": 404})]

    def test_fleeces_logger(self, fleece_logs):
        """With `fleece.log` the lines are JSON."""
        from fleece.log import get_logger

        wsgi_handler(events.request("GET", "/"), None, self.app, get_logger("api"))
        fleece_logs.assert_logged(event="Processing GET request")
        fleece_logs.assert_logged(event="Returning 404", http_status=404)

    @pytest.mark.parametrize(
        "logger", [logging.getLogger("plain"), logging.LoggerAdapter(logging.getLogger("plain"), {})]
    )
    def test_a_standard_logger(self, logger, caplog):
        """A standard logger, which knows no fields, gets the same lines."""
        caplog.set_level("INFO")
        wsgi_handler(events.request("GET", "/"), None, self.app, logger)
        # In the JSON form of `fleece.log`, when another test has set that up.
        first, second = [record.getMessage() for record in caplog.records]
        assert "Processing GET request" in first
        assert "Returning 404" in second
        if isinstance(logger, logging.Logger):  # an adapter puts its own fields in their place before Python 3.13
            assert caplog.records[1].http_status == 404
