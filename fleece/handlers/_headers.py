"""The headers of a request: their names in one column, and their values in another.

Clients send the same names in request after request. So the names are one value, and what follows from them (their
lower case, where each is, what WSGI calls them) is worked out once for all requests that have the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator, Sequence


class Names:
    """The lower-case names of a request's headers, in order; a header with two values is there twice."""

    __slots__ = ("are_unique", "last", "lower")

    def __init__(self, names: Iterable[str]) -> None:
        self.lower = tuple([name.lower() for name in names])
        self.last = {name: index for index, name in enumerate(self.lower)}
        self.are_unique = len(self.last) == len(self.lower)


# A handful of browsers and services, each with a few sets; the client chooses the names, so not without an end.
names_of = lru_cache(maxsize=64)(Names)


class RequestHeaders(Mapping[str, "list[str]"]):
    """All values of each header by its lower-case name; in two columns, `names` and `column`, one value for each name.

    Values hold bytes as text, one character for each (latin-1), as WSGI and ASGI do.
    """

    __slots__ = ("column", "names")

    def __init__(self, names: Names, column: Sequence[str]) -> None:
        self.names = names
        self.column = column

    @classmethod
    def of(cls, fields: list[tuple[str, str]]) -> RequestHeaders:
        """Return the headers of names, in any case, and values."""
        names, column = zip(*fields, strict=True) if fields else ((), ())
        return cls(names_of(names), column)

    def __getitem__(self, name: str) -> list[str]:
        return self._gathered()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names.last)

    def __len__(self) -> int:
        return len(self.names.last)

    def __contains__(self, name: object) -> bool:
        return name in self.names.last

    def items(self) -> ItemsView[str, list[str]]:
        """Return each name and its values."""
        return self._gathered().items()

    def fields(self) -> Iterable[tuple[str, str]]:
        """Return the lower-case names and the values."""
        return zip(self.names.lower, self.column, strict=True)

    def last_value(self, name: str) -> str:
        """Return the last value of the header of that lower-case name, nothing when there is none."""
        index = self.names.last.get(name)
        return "" if index is None else self.column[index]

    def without(self, name: str) -> RequestHeaders:
        """Return all headers but that of a lower-case name."""
        return RequestHeaders.of([field for field in self.fields() if field[0] != name])

    def with_value(self, name: str, value: str) -> RequestHeaders:
        """Return the headers with that of a lower-case name set to one value."""
        index = self.names.last.get(name)
        if index is None:
            return RequestHeaders(names_of((*self.names.lower, name)), [*self.column, value])
        if not self.names.are_unique:
            return self.without(name).with_value(name, value)
        return RequestHeaders(self.names, [*self.column[:index], value, *self.column[index + 1 :]])

    def _gathered(self) -> dict[str, list[str]]:
        gathered: dict[str, list[str]] = {}
        for name, value in self.fields():
            gathered.setdefault(name, []).append(value)
        return gathered


NO_HEADERS = RequestHeaders(names_of(()), ())
