"""TLS below fleece.requests: what is refused, and which connections are kept apart."""

from __future__ import annotations

import ssl

import pytest

from fleece import requests

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture
def client_certificate(authority, tmp_path):
    file = tmp_path / "client.pem"
    authority.made.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(str(file))
    return str(file)


def test_certificate_that_nobody_vouches_for_is_refused(secure_app):
    """A server whose certificate is not trusted is an SSLError, and sees no request."""
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        requests.get(secure_app.url)
    assert secure_app.requests == []


def test_certificate_of_another_host_is_refused(start_app, authority):
    """A certificate that names another host is an SSLError, though its authority is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.made.issue_cert("another.example").configure_cert(context)
    app = start_app(context)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(app.url, verify=authority.file)
    assert app.requests == []


def test_refusal_is_not_got_over_by_retries(secure_app):
    """Retries end in the same error."""
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure_app.url, retries={"total": 2, "backoff_factor": 0})
    assert secure_app.requests == []


def test_authority_can_be_named(secure_app, authority, monkeypatch):
    """With the authority's certificate, by argument, session or environment, the server is trusted."""
    assert requests.get(secure_app.url, verify=authority.file).text == "ok"
    with requests.Session() as session:
        session.verify = authority.file
        assert session.get(secure_app.url).text == "ok"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.file)
    assert requests.get(secure_app.url).text == "ok"


def test_connections_of_different_verify_are_kept_apart(secure_app, authority):
    """A connection that was opened unverified serves no verified call, nor one with other authorities."""
    unverified = requests.get(secure_app.url, verify=False)
    assert unverified.text == "ok"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure_app.url)
    requests.get(secure_app.url, verify=authority.file)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure_app.url)
    requests.get(secure_app.url, verify=False)
    requests.get(secure_app.url, verify=authority.file)
    unverified, verified, *again = secure_app.connections
    assert unverified != verified
    assert again == [unverified, verified]


def test_connections_of_different_client_certificates_are_kept_apart(secure_app, authority, client_certificate):
    """A connection that somebody has signed in on serves nobody else."""
    for cert in (None, client_certificate, None, client_certificate):
        requests.get(secure_app.url, verify=authority.file, cert=cert)
    anonymous, signed_in, *again = secure_app.connections
    assert anonymous != signed_in
    assert again == [anonymous, signed_in]
