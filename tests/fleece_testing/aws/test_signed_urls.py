"""Signed URLs and forms, and requests that nobody has signed: what S3 makes of them."""

import base64
import datetime as dt
import hashlib
import hmac
import re
import urllib.error
import urllib.parse
import urllib.request

import botocore
import botocore.config
import pytest
import requests

KEY = "a ü+&?.txt"


@pytest.fixture
def s3(fleece_aws):
    """Make a client whose account has a bucket with one object, for each way of signing."""

    def make(version=None, **arguments):
        fleece_aws.client("s3").create_bucket(Bucket="bucket")
        fleece_aws.client("s3").put_object(Bucket="bucket", Key=KEY, Body=b"content")
        return fleece_aws.client("s3", config=botocore.config.Config(signature_version=version), **arguments)

    return make


def send(url, method="GET", body=None, headers=None):
    """Send a request as a program without credentials does; return the status and the body."""
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})  # noqa: S310 (http)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (http)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


versions = pytest.mark.parametrize("version", ["s3v4", "s3"])


@versions
@pytest.mark.parametrize("temporary", [False, True])
def test_a_url_can_be_handed_on(fleece_aws, s3, version, temporary):
    """A URL for an object works without credentials, be it signed by long-term keys or by a session."""
    credentials = fleece_aws.issue_credentials() if temporary else fleece_aws.credentials()
    client = s3(version, **credentials.client_arguments())
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": KEY})
    assert send(url) == (200, b"content")


@versions
def test_what_a_url_is_for_is_signed(s3, version):
    """A URL is for its method, its object and its parameters, and for no others."""
    client = s3(version)
    client.put_object(Bucket="bucket", Key="other", Body=b"secret")
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": KEY})
    assert send(url.replace(urllib.parse.quote(KEY), "other"))[0] == 403
    assert send(url, "DELETE")[0] == 403
    assert send(f"{url}&versionId=1")[0] == 403
    assert send(url.replace("Signature=", "Signature=0"))[0] == 403
    assert send(url)[0] == 200


@versions
def test_headers_that_a_url_asks_for(s3, version):
    """A content type that was signed has to be sent, and no other may be."""
    parameters = {"Bucket": "bucket", "Key": "new", "ContentType": "text/plain"}
    url = s3(version).generate_presigned_url("put_object", Params=parameters)
    assert send(url, "PUT", b"x", {"Content-Type": "image/png"})[0] == 403
    assert send(url, "PUT", b"x", {"Content-Type": "text/plain"})[0] == 200


@versions
def test_a_url_ends(s3, version, monkeypatch):
    """After its time a URL is refused."""
    client = s3(version)
    then = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=10)
    with monkeypatch.context() as earlier:
        earlier.setattr("botocore.auth.get_current_datetime", lambda: then)  # version 4 writes when it was signed,
        seconds = {"s3v4": 60, "s3": -60}[version]  # and version 2 when it ends
        url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": KEY}, ExpiresIn=seconds)
    status, body = send(url)
    assert (status, b"<Code>AccessDenied</Code><Message>Request has expired" in body) == (403, True)


def test_a_url_for_too_long(s3):
    """A URL of version 4 is good for a week at most."""
    client = s3("s3v4")
    for seconds, status in [(7 * 86400, 200), (7 * 86400 + 1, 400)]:
        url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": KEY}, ExpiresIn=seconds)
        assert send(url)[0] == status


def test_a_url_of_another_service(fleece_aws):
    """Identities are proved to others by a signed URL of STS; one that was changed proves nothing."""
    url = fleece_aws.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    status, body = send(url)
    assert (status, b"user/fleece" in body) == (200, True)
    assert send(url.replace("Signature=", "Signature=0"))[0] == 403


def test_version_2_in_headers(fleece_aws, s3):
    """S3 takes signatures of version 2 in headers, and refuses those of another secret key."""
    assert s3("s3").get_object(Bucket="bucket", Key=KEY)["Body"].read() == b"content"
    other = fleece_aws.credentials().client_arguments() | {"aws_secret_access_key": "another"}
    client = fleece_aws.client("s3", config=botocore.config.Config(signature_version="s3"), **other)
    with pytest.raises(client.exceptions.ClientError, match="SignatureDoesNotMatch"):
        client.list_buckets()


@pytest.fixture
def nobody(fleece_aws):
    """Make a client of S3 that signs nothing."""
    return fleece_aws.client("s3", config=botocore.config.Config(signature_version=botocore.UNSIGNED))


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get_object", {"Key": KEY}),
        ("put_object", {"Key": "new", "Body": b"x"}),
        ("delete_object", {"Key": KEY}),
        ("list_objects_v2", {}),
        ("delete_bucket", {}),
        ("get_bucket_acl", {}),
    ],
)
def test_what_is_not_public(s3, nobody, refused, operation, arguments):
    """Nobody may do anything with a bucket and objects that are not public."""
    s3()
    assert refused(getattr(nobody, operation), Bucket="bucket", **arguments) in ("AccessDenied", "403")
    assert refused(nobody.list_buckets) == "AccessDenied"


@pytest.mark.parametrize("header", ["Bearer x", "Basic abc", "AWS x", "AWS4-HMAC-SHA256 garbage"])
def test_an_authorization_of_no_form_that_s3_knows(fleece_aws, s3, header):
    """What S3 cannot read in a header is not taken for a signature."""
    s3()
    url = f"{fleece_aws.url}/bucket/{urllib.parse.quote(KEY)}"
    status, body = send(url, headers={"Authorization": header})
    assert (status, b"<Code>InvalidArgument</Code>" in body) == (400, True)


@versions
@pytest.mark.parametrize("given", ["", "garbage", "%ff%00"])
def test_a_url_that_does_not_say_whose_it_is(s3, version, given):
    """A URL with a signature of nobody's is refused."""
    url = s3(version).generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": KEY})
    for replacement in ("", rf"\1={given}"):
        changed = re.sub(r"\b(X-Amz-Credential|AWSAccessKeyId)=[^&]*", replacement, url)
        assert send(changed)[0] in (400, 403)


def test_what_is_public(fleece_aws, s3, nobody):
    """Anybody may read a public object, and list a public bucket."""
    client = s3()
    client.put_object(Bucket="bucket", Key="public", Body=b"for all", ACL="public-read")
    assert nobody.get_object(Bucket="bucket", Key="public")["Body"].read() == b"for all"
    client.put_bucket_acl(Bucket="bucket", ACL="public-read")
    assert len(nobody.list_objects_v2(Bucket="bucket")["Contents"]) == 2
    assert fleece_aws.calls("s3", "ListObjectsV2")[-1].account == ""


def test_a_form(fleece_aws, s3):
    """A signed form uploads."""
    form = s3().generate_presigned_post("bucket", "posted")
    fields = {**form["fields"], "file": "content"}
    boundary = "b"
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert send(form["url"], "POST", f"{body}--{boundary}--\r\n".encode(), headers)[0] in (200, 204)
    assert fleece_aws.client("s3").get_object(Bucket="bucket", Key="posted")["Body"].read() == b"content"


def post(form, **changes):
    """Send a form with a file as a browser does; return the status and S3's code of the error."""
    fields = {name: value for name, value in {**form["fields"], **changes}.items() if value is not None}
    body = fields.pop("file", b"content")
    answer = requests.post(form["url"], data=fields, files={"file": ("name.txt", body)}, timeout=10)
    code = re.search("<Code>(.*?)</Code>", answer.text)
    return answer.status_code, code[1] if code else None


@versions
@pytest.mark.parametrize("temporary", [False, True])
def test_a_form_can_be_handed_on(fleece_aws, s3, version, temporary):
    """A form for an object works without credentials, and is a call of the account that has signed it."""
    credentials = fleece_aws.issue_credentials() if temporary else fleece_aws.credentials()
    client = s3(version, **credentials.client_arguments())
    assert post(client.generate_presigned_post("bucket", "in/${filename}"))[0] == 204
    assert [(call.account, call.status) for call in fleece_aws.calls("s3") if call.operation == "PostObject"] == [
        (fleece_aws.account, 204)
    ]
    assert client.get_object(Bucket="bucket", Key="in/name.txt")["Body"].read() == b"content"


@versions
@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"key": "other"}, (403, "AccessDenied")),
        ({"acl": "public-read"}, (403, "AccessDenied")),
        ({"policy": "e30="}, (403, "SignatureDoesNotMatch")),
        ({"file": b""}, (400, "EntityTooSmall")),
        ({"file": b"0123456789x"}, (400, "EntityTooLarge")),
        ({"AWSAccessKeyId": None, "x-amz-credential": None}, (403, "AccessDenied")),
        ({"file": b"0123456789", "x-ignore-this": "1"}, (204, None)),
    ],
)
def test_what_a_form_allows_is_signed(s3, version, changes, refused):
    """A form is for its object and its conditions, and for nothing else; nothing of what is refused is there."""
    client = s3(version)
    form = client.generate_presigned_post("bucket", "in", Conditions=[["content-length-range", 1, 10]])
    assert post(form, **changes) == refused
    assert ("in" in {one["Key"] for one in client.list_objects(Bucket="bucket")["Contents"]}) == (refused[0] == 204)


@versions
def test_a_form_ends(s3, version):
    """A form whose time is over, and one of a key that nobody has, are refused."""
    client = s3(version)
    assert post(client.generate_presigned_post("bucket", "in", ExpiresIn=-1)) == (403, "AccessDenied")
    stranger = s3(version, aws_access_key_id="AKIA0000000000000000", aws_secret_access_key="x")
    assert post(stranger.generate_presigned_post("bucket", "in")) == (403, "InvalidAccessKeyId")


@pytest.mark.parametrize(
    "policy",
    [
        b"x",
        b"[]",
        b'{"expiration": "x", "conditions": []}',
        b'{"expiration": "2099-01-01T00:00:00+01:00", "conditions": []}',
        b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", "a", 1]]}',
        b'{"expiration": "2099-01-01T00:00:00Z", "conditions": [[1]]}',
    ],
)
def test_a_form_whose_policy_is_none(fleece_aws, s3, policy):
    """What is no policy is told as S3 does, though it is signed."""
    credentials = s3("s3")._request_signer._credentials
    encoded = base64.b64encode(policy)
    signature = hmac.new(credentials.secret_key.encode(), encoded, hashlib.sha1).digest()
    fields = {
        "key": "in",
        "AWSAccessKeyId": credentials.access_key,
        "policy": encoded.decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    assert post({"url": f"{fleece_aws.url}/bucket", "fields": fields}) == (400, "InvalidPolicyDocument")
