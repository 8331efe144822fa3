"""The WSGI application around moto's: who is calling, what they may not do, what a test wants to fail, what was called.

One request goes through these steps: its meaning is read from its bytes; its credentials are checked; a fault that a
test has set is answered; the rules of `strictness` are asked; then moto has it. Each is recorded, with its status.
"""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING, Any

import werkzeug.wrappers

from fleece_testing.aws import errors, forms, sessions, signatures
from fleece_testing.aws._routes import is_unsigned
from fleece_testing.aws.errors import AWSError
from fleece_testing.aws.requests import QUERY, REST_XML, parse
from fleece_testing.aws.strictness import AMENDMENTS, RULES, anonymous, identity, xray
from fleece_testing.aws.strictness.state import Principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from fleece_testing.aws.faults import Faults
    from fleece_testing.aws.lag import Lag
    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness import State

_log = logging.getLogger(__name__)

_NOT_RETRIED = 501
"""A status of the server's that SDKs do not repeat a call for, as they would for 500."""

_REGION = re.compile(r"(?:af|ap|ca|cn|eu|eusc|il|me|mx|sa|us)(?:-[a-z]+)?-(?:north|south|east|west|central)+-[0-9]")

_EXTRAS = {"lambda": "awslambda", "states": "stepfunctions"}

_CLEARED = AWSError("EmulatorFailure", "The emulated AWS was cleared while this call waited", _NOT_RETRIED)

_ANONYMOUS = Principal("", "anonymous", "")


@dataclass(frozen=True)
class Call:
    """One call that was answered.

    `service` is the name that the service signs with, which is boto3's in nearly every case. `parameters` are as in
    `fleece_testing.aws.Request`; they may be secrets, so they are left out of `repr`.

    Examples:
        >>> fleece_aws.client("ssm").describe_parameters(MaxResults=5)["Parameters"]
        []
        >>> fleece_aws.calls("ssm")[0]
        Call(service='ssm', operation='DescribeParameters', account='123456789012', region='us-east-1', status=200)
        >>> fleece_aws.calls("ssm")[0].parameters["MaxResults"]
        5
    """

    service: str
    operation: str
    account: str
    region: str
    status: int
    parameters: Mapping[str, Any] = field(repr=False)


class Application:
    """Moto's WSGI application with AWS's strictness; `calls` has every call that was answered, in order."""

    def __init__(self, moto: WSGIApplication, state: State, faults: Faults, lag: Lag) -> None:
        self._moto = moto
        self._state = state
        self._faults = faults
        self._lag = lag
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    @property
    def calls(self) -> list[Call]:
        """The calls that were answered since the last `clear`."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        """Forget the calls."""
        with self._lock:
            self._calls.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        with werkzeug.wrappers.Request(environ) as wire:  # which closes the files of a form
            return self._respond(wire)(environ, start_response)

    def _respond(self, wire: werkzeug.wrappers.Request) -> werkzeug.wrappers.Response:
        environ = wire.environ
        _rewind(wire)
        request = forms.parse(wire) or parse(wire)
        if request is None:
            return self._ask_moto(environ)
        if not self._faults.wait(request):
            # What the call was about is gone, and often the caller, too: it must do nothing to what is here now.
            return errors.response(_CLEARED, request)
        caller = self._caller(wire, request)
        if isinstance(caller, AWSError):
            account, response = "", errors.response(caller, request)
        else:
            account, response = caller.account, self._answer(environ, request, caller)
        with self._lock:
            self._calls.append(
                Call(
                    request.service,
                    request.operation,
                    account,
                    request.region,
                    response.status_code,
                    request.parameters,
                )
            )
        return response

    def _caller(self, wire: werkzeug.wrappers.Request, request: Request) -> Principal | AWSError:
        """Return whoever sent the request, or why they are refused."""
        if request.access_key_id is None and request.service == "s3":
            if signatures.is_claimed(wire):
                return identity.UNREADABLE
            return anonymous.check(request, self._state) or _ANONYMOUS
        if request.access_key_id is None and is_unsigned(request.service, request.operation):
            return _ANONYMOUS
        now = datetime.now(timezone.utc)
        caller = identity.identify(request, self._state, now)
        if isinstance(caller, AWSError):
            return caller
        if request.operation == forms.OPERATION:
            return forms.check(wire, caller.secret_access_key, now) or caller
        return _check_signature(wire, request, caller, now) or caller

    def _answer(self, environ: WSGIEnvironment, request: Request, caller: Principal) -> werkzeug.wrappers.Response:
        what = f"{request.service}:{request.operation}"
        try:
            error = self._faults.find(request, caller)
            if error is None:
                response = self._lag.answer(request, caller.account, lambda: self._decide(environ, request, caller))
                if not _is_page_of_flask(response):
                    return response
                error = _not_emulated(f"The emulated AWS has no {what}")
        except NotImplementedError as missing:
            error = _not_emulated(f"The emulated AWS has no {what}: {missing}")
        except ModuleNotFoundError as missing:
            hint = f"pip install 'moto[{_extra_of_moto(request.service)}]'"
            error = _not_emulated(f"The emulated AWS needs the package {missing.name!r} for {what}: {hint}")
        except Exception as failure:  # noqa: BLE001 (whatever it is: the caller gets an answer of its protocol)
            error = _of_unknown_region(failure, request) or _failure(failure, what)
        return errors.response(error, request)

    def _decide(self, environ: WSGIEnvironment, request: Request, caller: Principal) -> werkzeug.wrappers.Response:
        rule = RULES.get(request.service, {}).get(request.operation)
        error = rule(request, caller, self._state) if rule else None
        return self._emulate(environ, request, caller) if error is None else errors.response(error, request)

    def _emulate(self, environ: WSGIEnvironment, request: Request, caller: Principal) -> werkzeug.wrappers.Response:
        """Ask moto, in the caller's account and with what it needs to do as AWS does."""
        if caller is not _ANONYMOUS:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.account
            # Moto knows nothing of whoever signed a URL, nor of the sessions of users.
            key = caller.user_key or request.access_key_id
            scope = f"{key}/20000101/{request.region or 'us-east-1'}/{request.service}/aws4_request"
            environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={scope}"
        if (request.service, request.operation) == ("xray", "PutTraceSegments"):
            return self._put_trace_segments(environ, request)
        if (request.service, request.operation) == ("sts", "GetSessionToken"):
            seconds = int(request.parameters.get("DurationSeconds", sessions.DEFAULT_SESSION))
            return sessions.answer(self._state.open_user_session(caller.account, request.access_key_id or "", seconds))
        amend = AMENDMENTS.get(request.service, {}).get(request.operation)
        if amend is not None:
            _replace_body(environ, json.dumps(amend(request, caller, self._state)).encode())
        return self._ask_moto(environ)

    def _put_trace_segments(self, environ: WSGIEnvironment, request: Request) -> werkzeug.wrappers.Response:
        """Let moto have the good documents alone, and add the others to its answer."""
        good, unprocessed = xray.divide(request.parameters.get("TraceSegmentDocuments") or [])
        _replace_body(environ, json.dumps({"TraceSegmentDocuments": good}).encode())
        response = self._ask_moto(environ)
        answer = json.loads(response.get_data())
        answer["UnprocessedTraceSegments"] = unprocessed + answer.get("UnprocessedTraceSegments", [])
        response.set_data(json.dumps(answer))
        return response

    def _ask_moto(self, environ: WSGIEnvironment) -> werkzeug.wrappers.Response:
        response = werkzeug.wrappers.Response.from_app(self._moto, environ)
        for name, _ in list(response.headers):
            if name.lower().startswith("access-control-"):
                del response.headers[name]  # moto lets any web page read its answers
        return response


def _check_signature(
    wire: werkzeug.wrappers.Request, request: Request, caller: Principal, now: datetime
) -> AWSError | None:
    try:
        ends = signatures.ends(wire)
    except (ValueError, OverflowError) as error:
        return identity.url_is_malformed(str(error))
    if ends is not None and ends <= now:
        return identity.url_has_ended(request)
    if not signatures.verify(wire, request, caller.secret_access_key):
        return identity.wrong_signature(request)
    return None


def _not_emulated(message: str) -> AWSError:
    return AWSError("NotImplemented", message, _NOT_RETRIED)


def _failure(failure: Exception, what: str) -> AWSError:
    _log.exception("The emulated AWS failed in %s", what)
    return AWSError("EmulatorFailure", f"The emulated AWS failed in {what}: {failure!r}", _NOT_RETRIED)


def _of_unknown_region(failure: Exception, request: Request) -> AWSError | None:
    """Return what AWS says of a region that it does not have: moto, which looks it up, fails."""
    region = failure.args[0] if isinstance(failure, KeyError) and failure.args else None
    if region and region == request.region:
        return identity.wrong_region(request)
    if isinstance(region, str) and _REGION.fullmatch(region):
        code = "InvalidParameter" if request.protocol in (QUERY, REST_XML) else "InvalidParameterException"
        return AWSError(code, f"Invalid parameter: {region} is not a valid region")
    return None


def _is_page_of_flask(response: werkzeug.wrappers.Response) -> bool:
    """Whether moto has no route for the request. An answer of S3's to HEAD has no body, and the same headers."""
    return response.status_code == 404 and response.get_data().startswith(b"<!doctype html>")  # noqa: PLR2004


def _extra_of_moto(service: str) -> str:
    """Return the extra of moto's that installs what a service needs; they are named in moto's own way."""
    extra = _EXTRAS.get(service, service.replace("-", ""))
    return extra if extra in (metadata.metadata("moto").get_all("Provides-Extra") or ()) else "all"


def _rewind(wire: werkzeug.wrappers.Request) -> None:
    """Read the body, and leave it to be read again by moto."""
    _replace_body(wire.environ, wire.get_data(cache=True, parse_form_data=False))


def _replace_body(environ: WSGIEnvironment, body: bytes) -> None:
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
