"""The exception that carries an HTTP status: ``raise HTTPError(404, "no such user")``."""

from __future__ import annotations

from http import HTTPStatus

from fleece._errors import FleeceError

__all__ = ["HTTPError"]

# Python 3.13 renamed it; texts of errors stay the same on every Python.
_PHRASES = {422: "Unprocessable Entity"}


class HTTPError(FleeceError):
    """An error with an HTTP status. Its text is ``404: Not Found - message``.

    API Gateway's response mappings find the status by the number at the beginning of that text.

    Args:
        status: the HTTP status code; 500 when it is left out.
        message: what is added to the text.

    Attributes:
        status_code: the HTTP status code, an int.
        message: the message as it was given.
    """

    default_status = 500

    def __init__(self, status: int | None = None, message: str | None = None) -> None:
        self.status_code = self.default_status if status is None else int(status)
        self.message = message
        text = f"{self.status_code}: {_phrase(self.status_code)}"
        super().__init__(f"{text} - {message}" if message else text)

    def __reduce__(self) -> tuple[type[HTTPError], tuple[int, str | None]]:
        # By default, pickle would call the class with the whole text as the status.
        return type(self), (self.status_code, self.message)


def _phrase(status: int) -> str:
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"
