"""The builders of HTTP events, held against the samples that AWS's documentation prints.

The samples are AWS's own, less values that stand for others ("id", "IP") and what only some deployments have (client
certificates, authorizers). A builder must give the request's parts as the sample has them, and no part that AWS's
events do not have.
"""

import pytest

from fleece_testing import events

# What the sender adds to each request; AWS leaves it out of its samples for API Gateway.
ADDED = {"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "content-length"}

# Of "AWS Lambda proxy integrations for HTTP APIs", format 1.0; that of "Lambda proxy integrations" for REST APIs is the
# same without a version.
PAYLOAD_1 = {
    "version": "1.0",
    "resource": "/my/path",
    "path": "/my/path",
    "httpMethod": "GET",
    "headers": {"header1": "value1", "header2": "value2"},
    "multiValueHeaders": {"header1": ["value1"], "header2": ["value1", "value2"]},
    "queryStringParameters": {"parameter1": "value2", "parameter2": "value"},
    "multiValueQueryStringParameters": {"parameter1": ["value1", "value2"], "parameter2": ["value"]},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "id",
        "authorizer": {"claims": None, "scopes": None},
        "domainName": "id.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "id",
        "extendedRequestId": "request-id",
        "httpMethod": "GET",
        "identity": {
            "accessKey": None,
            "accountId": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": "192.0.2.1",
            "user": None,
            "userAgent": "user-agent",
            "userArn": None,
        },
        "path": "/my/path",
        "protocol": "HTTP/1.1",
        "requestId": "id=",
        "requestTime": "04/Mar/2020:19:15:17 +0000",
        "requestTimeEpoch": 1583349317135,
        "resourceId": None,
        "resourcePath": "/my/path",
        "stage": "$default",
    },
    "pathParameters": None,
    "stageVariables": None,
    "body": "Hello from Lambda!",
    "isBase64Encoded": False,
}
# Of the same page, format 2.0; that of "Invoking Lambda function URLs" is the same.
PAYLOAD_2 = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/my/path",
    "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
    "cookies": ["cookie1", "cookie2"],
    "headers": {"header1": "value1", "header2": "value1,value2"},
    "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "id",
        "domainName": "id.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "id",
        "http": {
            "method": "POST",
            "path": "/my/path",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "agent",
        },
        "requestId": "id",
        "routeKey": "$default",
        "stage": "$default",
        "time": "12/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    },
    "body": "Hello from Lambda",
    "isBase64Encoded": False,
}
# Of "Use Lambda functions as targets of an Application Load Balancer".
BALANCER = {
    "requestContext": {
        "elb": {
            "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/my-target-group/6d0ecf83"
        }
    },
    "httpMethod": "GET",
    "path": "/",
    "queryStringParameters": {"myKey": "val2"},
    "headers": {
        "accept": "text/html,application/xhtml+xml",
        "accept-language": "en-US,en;q=0.8",
        "content-type": "text/plain",
        "cookie": "cookies",
        "host": "lambda-846800462-us-east-2.elb.amazonaws.com",
        "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6)",
        "x-forwarded-for": "72.21.198.66",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    },
    "isBase64Encoded": False,
    "body": "request_body",
}
DOMAIN = "id.execute-api.us-east-1.amazonaws.com"
HEADERS = [("header1", "value1"), ("header2", "value1"), ("header2", "value2"), ("user-agent", "user-agent")]
QUERY = "parameter1=value1&parameter1=value2&parameter2=value"


def without_added(event, *also):
    """Leave out of an event's headers what the sender adds, and what `also` names."""
    for name in {"headers", "multiValueHeaders"} & event.keys():
        event[name] = {key: value for key, value in event[name].items() if key.lower() not in {*ADDED, *also}}
    return event


def invented(found, sample, known=()):
    """Return the names in an event, with those in its objects, that AWS's sample does not have."""
    names = {name for name in found if name not in sample and name not in known}
    for name in found.keys() & sample.keys():
        if isinstance(found[name], dict) and isinstance(sample[name], dict) and "arameters" not in name:
            names |= invented(found[name], sample[name], known)
    return names


def requests_parts(event):
    """Return what an event says of the request itself: all but the context."""
    return {name: value for name, value in event.items() if name not in {"requestContext", "pathParameters"}}


@pytest.mark.parametrize("kind", ["rest", "http_1"])
def test_payload_1(kind):
    """REST APIs, and HTTP APIs with payload 1.0."""
    sent = [*HEADERS, ("content-type", "text/plain")]
    if kind == "http_1":  # which writes all names in lower case
        sent = [(name.upper(), value) for name, value in sent]
    options = {"kind": kind, "route": "/my/path", "domain": DOMAIN, "stage": "$default"}
    found = events.request("GET", "/my/path", query=QUERY, headers=sent, body="Hello from Lambda!", **options)
    found = without_added(found, "content-type", "user-agent")
    sample = {**PAYLOAD_1}
    if kind == "rest":
        del sample["version"]
    assert requests_parts(found) == requests_parts(sample)
    assert found["pathParameters"] is None
    assert invented(found, sample, known={"apiKey", "apiKeyId"}) == set()  # these are REST APIs' alone
    context = found["requestContext"]
    same = ("domainName", "domainPrefix", "httpMethod", "path", "protocol", "resourcePath", "stage")
    assert {name: context[name] for name in same} == {name: sample["requestContext"][name] for name in same}
    expected = sample["requestContext"]["identity"]
    assert {name: value for name, value in context["identity"].items() if name in expected} == expected


@pytest.mark.parametrize("kind", ["http", "function_url"])
def test_payload_2(kind):
    """HTTP APIs with payload 2.0, and function URLs."""
    sent = [*HEADERS[:3], ("User-Agent", "agent"), ("Cookie", "cookie1; cookie2"), ("Content-Type", "text/plain")]
    options = {"kind": kind, "domain": DOMAIN}
    found = events.request("POST", "/my/path", query=QUERY, headers=sent, body="Hello from Lambda", **options)
    found = without_added(found, "content-type", "user-agent")
    assert requests_parts(found) == requests_parts(PAYLOAD_2)
    assert invented(found, PAYLOAD_2) == set()
    context = found["requestContext"]
    same = ("accountId", "apiId", "domainName", "domainPrefix", "http", "routeKey", "stage")
    assert {name: context[name] for name in same} == {name: PAYLOAD_2["requestContext"][name] for name in same}


@pytest.mark.parametrize("kind", ["alb", "alb_multi_value"])
def test_load_balancers(kind):
    """Load balancers, with the header names in lower case, and with one value of each name or with all."""
    host, address = BALANCER["headers"]["host"], BALANCER["headers"]["x-forwarded-for"]
    sent = {name.title(): value for name, value in BALANCER["headers"].items() if name not in ADDED}
    options = {"kind": kind, "domain": host, "source_ip": address, "scheme": "https"}
    found = events.request("GET", "/", query="myKey=val1&myKey=val2", headers=sent, body="request_body", **options)
    sample = {**BALANCER, "headers": {**BALANCER["headers"], "content-length": "12"}}
    if kind == "alb_multi_value":
        single = {name: sample.pop(name) for name in ("headers", "queryStringParameters")}
        sample["multiValueHeaders"] = {name: [value] for name, value in single["headers"].items()}
        sample["multiValueQueryStringParameters"] = {"myKey": ["val1", "val2"]}
    assert requests_parts(found) == requests_parts(sample)
    assert invented(found, sample) == set()
