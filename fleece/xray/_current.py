"""The subsegment that is open: opening one for a block of code, adding to it, carrying it into a thread."""

from __future__ import annotations

from contextlib import suppress

from fleece._trace_header import environment_trace
from fleece.xray._context import current, current_subsegment, sampled_trace
from fleece.xray._subsegment import begin
from fleece.xray._wrap import Scope, wrap

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
    generator instead. A block can be entered again, also inside of itself and by several tasks or threads at once: each
    entering is a subsegment of its own.

    Args:
        name: at most 200 letters, digits, spaces and X-Ray's punctuation; other characters become ``_``.
        namespace: ``"aws"`` or ``"remote"`` for a call to another service; any other is left out.

    Raises:
        TypeError: `name` is not a string, or `namespace` neither a string nor None; also where nothing is sampled, so
            that the mistake does not wait for production to show.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a text: {name!r} was given")
    if namespace is not None and not isinstance(namespace, str):
        raise TypeError(f"namespace must be a text or None: {namespace!r} was given")
    return SubsegmentBlock(name, namespace)


class SubsegmentBlock:
    """What `subsegment` returns."""

    __slots__ = ("_name", "_namespace", "_open")

    def __init__(self, name: str, namespace: str | None) -> None:
        self._name = name
        self._namespace = namespace
        self._open: list[Subsegment | None] = []  # one for each entering; None for one that is not traced

    def put_annotation(self, key: str, value: object) -> None:
        """Add an annotation; see `fleece.xray.put_annotation`."""
        opened = self._own()
        if opened is not None:
            opened.put_annotation(key, value)

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> None:
        """Add metadata; see `fleece.xray.put_metadata`."""
        opened = self._own()
        if opened is not None:
            opened.put_metadata(key, value, namespace)

    def __enter__(self) -> Self:
        header = sampled_trace()
        opened = None if header is None else begin(header, self._name, self._namespace, self)
        self._open.append(opened)
        if opened is not None:
            opened.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened = self._own()
        with suppress(ValueError):  # two threads that went on in other contexts may both have taken the last
            self._open.remove(opened)
            if opened is not None:
                opened.__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _own(self) -> Subsegment | None:
        """The subsegment of this entering: the innermost around the running code that this block has opened."""
        opened = current_subsegment(environment_trace())
        while opened is not None and not (opened.owner is self and opened in self._open):
            opened = opened.parent
        # Or the last, where whoever drives this coroutine has gone on in another context.
        return opened if opened is not None or not self._open else self._open[-1]


def put_annotation(key: str, value: object) -> None:
    """Add a value to the current subsegment that traces can be searched by; where none is open, do nothing.

    Nothing is raised, whatever is given: keys and values are data, and a trace is no reason for a call to fail.

    Args:
        key: letters, digits and underscores; other characters become underscores, and other types their ``str()``.
        value: a number, a boolean or a text; at most 1,000 characters of its ``str()`` are kept.
    """
    opened = current_subsegment(environment_trace())
    if opened is not None:
        opened.put_annotation(key, value)


def put_metadata(key: str, value: object, namespace: str = "default") -> None:
    """Add a value to the current subsegment to be read with it; where none is open, do nothing.

    Nothing is raised, as from `put_annotation`.

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


class _Carried(Scope):
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
