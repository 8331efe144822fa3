"""The subsegment that is open: opening one for a block of code, adding to it, carrying it into a thread."""

from __future__ import annotations

from contextlib import suppress

from fleece._trace_header import environment_trace
from fleece.xray._context import current, current_subsegment, sampled_trace
from fleece.xray._subsegment import begin
from fleece.xray._wrap import wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from fleece.xray._subsegment import Subsegment

    F = TypeVar("F", bound=Callable[..., Any])


def subsegment(name: str, namespace: str | None = None) -> SubsegmentBlock:
    """Trace a block of code.

    It is for ``with`` and ``async with`` statements: ``with subsegment("parse"): ...``.

    ``with subsegment("parse") as block:`` gives `put_annotation` and `put_metadata` of this very subsegment. In a
    generator, do not put a ``yield`` inside of the block: the consumer's code would seem to be part of it. Decorate the
    generator instead.

    Args:
        name: at most 200 letters, digits, spaces and X-Ray's punctuation; other characters become ``_``.
        namespace: ``"aws"`` or ``"remote"`` for a call to another service; any other is left out.
    """
    return SubsegmentBlock(name, namespace)


class SubsegmentBlock:
    """What `subsegment` returns."""

    __slots__ = ("_name", "_namespace", "_open")

    def __init__(self, name: str, namespace: str | None) -> None:
        self._name = name
        self._namespace = namespace
        self._open: list[Subsegment | None] = []  # more than one, when one block is entered inside of itself

    def put_annotation(self, key: str, value: object) -> None:
        """Add an annotation; see `fleece.xray.put_annotation`."""
        for subsegment in filter(None, self._open[-1:]):
            subsegment.put_annotation(key, value)

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        """Add metadata; see `fleece.xray.put_metadata`."""
        for subsegment in filter(None, self._open[-1:]):
            subsegment.put_metadata(key, value, namespace)

    def __enter__(self) -> Self:
        header = sampled_trace()
        opened = None if header is None else begin(header, self._name, self._namespace)
        self._open.append(opened)
        if opened is not None:
            opened.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._open.pop()
        if opened is not None:
            if error is not None:
                opened.fail(error)
            opened.leave()
            opened.finish()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def put_annotation(key: str, value: object) -> None:
    """Add a value to the current subsegment that traces can be searched by; where none is open, do nothing.

    Args:
        key: letters, digits and underscores; other characters become underscores.
        value: a number, a boolean or a text; at most 1,000 characters of its ``str()`` are kept.
    """
    opened = current_subsegment(environment_trace())
    if opened is not None:
        opened.put_annotation(key, value)


def put_metadata(key: str, value: object, namespace: str = "default") -> None:
    """Add a value to the current subsegment to be read with it; where none is open, do nothing.

    Args:
        key: its name; the value of ``password``, ``token`` and the like is not recorded.
        value: dicts, lists, texts and numbers at any depth, bounded in size; of anything else, its type.
        namespace: the heading that it is shown under.
    """
    opened = current_subsegment(environment_trace())
    if opened is not None:
        opened.put_metadata(key, value, namespace)


def bind_context(func: F) -> F:
    """Carry the current subsegment into a thread: ``executor.submit(bind_context(work), item)``.

    Threads begin with no subsegment, so what is traced there would seem to be on the top level of the invocation.
    `func` may be a callable of any kind that `trace_xray_subsegment` takes, and can be called many times, in many
    threads at once.
    """
    opened = current.get()
    bound: F = wrap(func, lambda _: lambda _args, _kwargs: _Carried(opened))
    return bound


class _Carried:
    """A subsegment that is current in another thread than its own, which does not end with what is done there."""

    __slots__ = ("_subsegment", "_token")

    _token: Token[Subsegment | None]

    def __init__(self, opened: Subsegment | None) -> None:
        self._subsegment = opened

    def enter(self) -> None:
        self._token = current.set(self._subsegment)

    def leave(self) -> None:
        with suppress(ValueError):  # as in Subsegment.leave
            current.reset(self._token)

    def fail(self, error: BaseException) -> None:
        """Leave that to whoever opened the subsegment."""

    def finish(self) -> None:
        """Leave that to whoever opened the subsegment."""
