"""The exception that carries an HTTP status: ``raise HTTPError(404, "no such user")``."""

from __future__ import annotations

from http import HTTPStatus

from fleece._errors import FleeceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HTTPError"]

# Texts of errors are the same on every Python: 3.13 renamed these. That of 418 is 1.2.1's.
_PHRASES = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}


class HTTPError(FleeceError):
    """An error with an HTTP status. Its text is ``404: Not Found - message``.

    API Gateway's response mappings find the status by the number at the beginning of that text. An operation of
    `fleece.connexion` that raises it is answered with that status; the message of a 5xx is logged, and not sent.

    Args:
        status: the HTTP status code; 500 when it is left out.
        message: what is added to the text.

    Attributes:
        status_code: the HTTP status code, an int.
        message: the message as it was given.
        default_status: the class's status for errors that are given none; subclasses may have another.

    Raises:
        ValueError: the status is not a number.
    """

    default_status = 500

    def __init__(self, status: int | None = None, message: str | None = None) -> None:
        self.status_code = self.default_status if status is None else _code(status)
        self.message = message
        text = f"{self.status_code}: {_phrase(self.status_code)}"
        super().__init__(f"{text} - {message}" if message else text)

    def __reduce__(self) -> tuple[Callable[..., HTTPError], tuple[type[HTTPError], str], dict[str, object]]:
        # By default, pickle would call the class with the whole text as the status.
        return _again, (type(self), str(self)), self.__dict__


def _again(error: type[HTTPError], text: str) -> HTTPError:
    """Make an error of that text anew, whatever arguments its class takes."""
    return error.__new__(error, text)


def _code(status: int) -> int:
    try:
        return int(status)
    except (TypeError, ValueError):
        raise ValueError(f"status must be an HTTP status code, such as 404: {status!r} was given") from None


def _phrase(status: int) -> str:
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"
