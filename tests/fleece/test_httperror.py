"""`HTTPError`: its text, and that it survives pickling."""

import copy
import pickle
from http import HTTPStatus

import pytest

from fleece._errors import FleeceError
from fleece.httperror import HTTPError


class GoneError(HTTPError):
    default_status = 410


class MissingError(HTTPError):
    def __init__(self, what):
        super().__init__(404, f"no {what}")
        self.what = what


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        ((404, "no such user"), 404, "404: Not Found - no such user"),
        ((404,), 404, "404: Not Found"),
        ((), 500, "500: Internal Server Error"),
        ((None, "why"), 500, "500: Internal Server Error - why"),
        ((418,), 418, "418: I'm a teapot"),
        ((422, "bad"), 422, "422: Unprocessable Entity - bad"),
        ((413,), 413, "413: Request Entity Too Large"),
        ((414,), 414, "414: Request-URI Too Long"),
        ((416,), 416, "416: Requested Range Not Satisfiable"),
        ((599, "odd"), 599, "599: Unknown Status - odd"),
        ((HTTPStatus.CONFLICT,), 409, "409: Conflict"),
        (("400",), 400, "400: Bad Request"),
    ],
)
def test_the_text_has_status_phrase_and_message(arguments, status, text):
    """The text begins with the status, by which API Gateway's mappings find it."""
    error = HTTPError(*arguments)
    assert (str(error), error.status_code) == (text, status)


def test_keywords():
    """Status and message have names."""
    error = HTTPError(status=400, message="x")
    assert (error.status_code, error.message) == (400, "x")


@pytest.mark.parametrize("clone", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])  # noqa: S301
def test_it_can_be_pickled_and_copied(clone):
    """The copy says what the original said."""
    error = clone(HTTPError(404, "no such user"))
    assert (str(error), error.status_code, error.message) == ("404: Not Found - no such user", 404, "no such user")


def test_copies_keep_what_was_added():
    """Notes and other attributes travel with the error, and so does a subclass's own status."""
    error = GoneError(message="moved away")
    error.hint = "ask ann"
    clone = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(clone), str(clone), clone.hint) == (GoneError, "410: Gone - moved away", "ask ann")


def test_subclasses_with_arguments_of_their_own_travel_too():
    """A subclass need not take a status and a message to be pickled."""
    clone = pickle.loads(pickle.dumps(MissingError("tea")))  # noqa: S301
    assert (type(clone), str(clone), clone.what) == (MissingError, "404: Not Found - no tea", "tea")


def test_it_is_a_fleece_error():
    """``except FleeceError`` catches it."""
    assert issubclass(HTTPError, FleeceError)


def test_no_global_table_is_changed():
    """The standard library's table of phrases is as it was."""
    import http.client

    assert http.client.responses == {status.value: status.phrase for status in HTTPStatus}


@pytest.mark.parametrize("status", ["no such user", [404]])
def test_a_status_that_is_no_number_is_a_value_error(status):
    """A mistake, such as a message without its status, is said at once, not in the text."""
    with pytest.raises(ValueError, match=r"^status must be an HTTP status code, such as 404: .* was given$"):
        HTTPError(status)
