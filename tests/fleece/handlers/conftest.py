"""Literal events, as AWS's documentation shows them: evidence that is independent of fleece's own builders."""

import types

import pytest

import fleece.connexion  # noqa: F401 (before any test imports connexion itself, which warns)


@pytest.fixture
def rest_event():
    """Return the event of a REST API, after "Input format of a Lambda function for proxy integration"."""
    return {
        "resource": "/my/path",
        "path": "/my/path",
        "httpMethod": "GET",
        "headers": {"header1": "value1", "header2": "value2", "Host": "id.execute-api.us-east-1.amazonaws.com"},
        "multiValueHeaders": {
            "header1": ["value1"],
            "header2": ["value1", "value2"],
            "Host": ["id.execute-api.us-east-1.amazonaws.com"],
            "X-Forwarded-For": ["6.6.6.6, 192.0.2.1"],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
        },
        "queryStringParameters": {"parameter1": "value2", "parameter2": "a value"},
        "multiValueQueryStringParameters": {"parameter1": ["value1", "value2"], "parameter2": ["a value"]},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "extendedRequestId": "request-id",
            "httpMethod": "GET",
            "identity": {"accountId": None, "sourceIp": "192.0.2.1", "userAgent": "user-agent"},
            "path": "/prod/my/path",
            "protocol": "HTTP/1.1",
            "requestId": "id=",
            "resourceId": None,
            "resourcePath": "/my/path",
            "stage": "prod",
        },
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


@pytest.fixture
def http_event():
    """Return the event of an HTTP API with payload 2.0, after "Lambda proxy integrations for HTTP APIs"."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/prod/my/päth%2F",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=a%20value",
        "cookies": ["cookie1=1", "cookie2=2"],
        "headers": {"header1": "value1", "header2": "value1,value2", "content-type": "text/plain"},
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "a value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/prod/my/päth%2F",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "prod",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": "aGVsbG8=",
        "isBase64Encoded": True,
    }


@pytest.fixture
def function_url_event(http_event):
    """Return the event of a function URL, after "Invoking Lambda function URLs"."""
    event = {**http_event, "rawPath": "/my/p%C3%A4th%252F"}
    event["requestContext"] = {
        **http_event["requestContext"],
        "domainName": "url-id.lambda-url.us-west-2.on.aws",
        "stage": "$default",
    }
    return event


@pytest.fixture
def alb_event():
    """Return the event of a load balancer, after "Using Lambda functions as targets"."""
    return {
        "requestContext": {
            "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/x/6d"}
        },
        "httpMethod": "GET",
        "path": "/a%20path",
        "queryStringParameters": {"parameter": "a%20value", "other": "1%2B1"},
        "headers": {
            "accept": "text/html,application/xhtml+xml",
            "cookie": "cookies",
            "host": "lambda-846800462-us-east-2.elb.amazonaws.com",
            "x-forwarded-for": "6.6.6.6, 72.21.198.66",
            "x-forwarded-port": "80",
            "x-forwarded-proto": "http",
        },
        "body": "request_body",
        "isBase64Encoded": False,
    }


@pytest.fixture
def yoke_event():
    """Return an event as yoke's request template renders it."""
    return {
        "rawContext": {
            "apiId": "id",
            "httpMethod": "GET",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "agent"},
            "requestId": "request-id",
            "resourcePath": "/users/{name}/{rest+}",
            "stage": "prod",
        },
        "operation": "get_user",
        "parameters": {
            "gateway": {
                "id": "id",
                "stage": "prod",
                "request-id": "request-id",
                "resource-path": "/users/{name}/{rest+}",
                "http-method": "GET",
                "stage-data": {},
            },
            "requestor": {"source-ip": "192.0.2.1", "user-agent": "agent"},
            "request": {
                "querystring": {"q": "a&b"},
                "path": {"name": "ann", "rest": "x/y"},
                "header": {"Accept": "*/*", "Host": "id.execute-api.us-east-1.amazonaws.com"},
                "body": {},
            },
        },
    }


@pytest.fixture(scope="session")
def django_project():
    """Return Django's applications, `wsgi` and `asgi`, of a project with an ``echo`` view of each colour."""
    import django
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.http import JsonResponse
    from django.urls import path

    def echo(request, rest):
        response = JsonResponse(
            {
                "path": request.path_info,
                "root": request.META["SCRIPT_NAME"] if "wsgi.input" in request.META else request.scope["root_path"],
                "args": dict(request.GET.lists()),
                "body": request.body.decode(),
                "address": request.META["REMOTE_ADDR"],
                "url": request.build_absolute_uri(),
            }
        )
        response.set_cookie("one", "1")
        response.set_cookie("two", "2")
        return response

    async def echo_async(request, rest):
        return echo(request, rest)

    urls = types.ModuleType("urls")
    urls.urlpatterns = [path("echo/<path:rest>", echo), path("echo_async/<path:rest>", echo_async)]
    settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, LOGGING_CONFIG=None)
    django.setup()
    return types.SimpleNamespace(wsgi=get_wsgi_application(), asgi=get_asgi_application())
