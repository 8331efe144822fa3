"""Surround whatever a callable does, of every kind of callable, without changing what it is.

A function becomes a function of its own kind (plain, ``async def``, generator, async generator), a method a method, a
class method a class method, and any other object stays itself to look at. So `inspect.signature`,
`inspect.iscoroutinefunction` and their kin answer as before. What surrounds it is a `Scope`, entered for as long as the
callable's own code runs, and finished when that is really done: at the end of the coroutine or the generator.

`inspect` itself is not imported: it costs milliseconds of a cold start.
"""

from __future__ import annotations

import sys
from functools import partial, update_wrapper
from types import BuiltinFunctionType, FunctionType, MethodType, coroutine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType
    from typing import Any, TypeAlias

    Function: TypeAlias = Callable[..., Any]
    Begin: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], "Scope | None"]

# The flags of a code object, as `inspect` names them.
CO_GENERATOR = 0x20
CO_COROUTINE = 0x80
CO_ITERABLE_COROUTINE = 0x100
CO_ASYNC_GENERATOR = 0x200


class Scope:
    """What surrounds one call: here, nothing. None of its methods raises anything."""

    __slots__ = ()

    def enter(self) -> None:
        """Begin, or go on after a generator's consumer had its turn."""

    def leave(self) -> None:
        """Undo what `enter` did."""

    def fail(self, error: BaseException) -> None:
        """Take note of the exception that ends the call."""

    def finish(self) -> None:
        """Take note that the call is done; comes last."""

    def __enter__(self) -> None:
        self.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.fail(error)
        self.leave()
        self.finish()


def wrap(func: Any, prepare: Callable[[Function], Begin]) -> Any:
    """Return what does as `func` does, with a scope around each call.

    Args:
        func: a function, method, class or static method, `functools.partial`, or another callable object.
        prepare: is given the function, once, and returns what begins the scope of a call from its arguments, or None
            for a call that has none.

    Raises:
        TypeError: `func` is a class, or cannot be called.
    """
    if isinstance(func, (staticmethod, classmethod)):
        return type(func)(wrap(func.__func__, prepare))
    if isinstance(func, MethodType):
        return MethodType(wrap(func.__func__, prepare), func.__self__)
    if isinstance(func, type) or not callable(func):
        raise TypeError(f"{func!r} is not a function or a method; for a class, decorate its methods")
    wrapper = _wrapper_for(func)(func, prepare(func))
    if isinstance(func, (FunctionType, BuiltinFunctionType, partial)):
        update_wrapper(wrapper, func)
        wrapper.__name__ = name_of(func)
        return wrapper
    return _WrappedObject(func, wrapper)


def name_of(func: Any) -> str:
    """Return the name that a callable goes by: its own, or that of its class."""
    while isinstance(func, partial):
        func = func.func
    name = getattr(func, "__name__", None)
    return name if isinstance(name, str) else type(func).__name__


def _wrapper_for(func: Any) -> Callable[[Function, Begin], Function]:
    flags = _flags(func)
    if flags & CO_ASYNC_GENERATOR:
        return _around_async_generator
    if flags & CO_ITERABLE_COROUTINE:
        return lambda function, begin: coroutine(_around_generator(function, begin))
    if flags & CO_GENERATOR:
        return _around_generator
    # Who marks a function as a coroutine function has imported inspect to do so.
    inspect = sys.modules.get("inspect")
    if flags & CO_COROUTINE or (inspect is not None and inspect.iscoroutinefunction(func)):
        return _around_coroutine
    return _around_call


def _flags(func: Any) -> int:
    """Return the flags of the code that a call of `func` runs; 0 when that is not Python's."""
    while isinstance(func, (partial, MethodType)):
        func = func.func if isinstance(func, partial) else func.__func__
    code = getattr(func, "__code__", None) or getattr(type(func).__call__, "__code__", None)
    flags = getattr(code, "co_flags", 0)
    return flags if isinstance(flags, int) else 0


def _around_call(func: Function, begin: Begin) -> Function:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope = begin(args, kwargs)
        if scope is None:
            return func(*args, **kwargs)
        # As `with scope:`, which would take longer; this is what most calls come through.
        scope.enter()
        try:
            return func(*args, **kwargs)
        except BaseException as error:
            scope.fail(error)
            raise
        finally:
            scope.leave()
            scope.finish()

    return wrapper


def _around_coroutine(func: Function, begin: Begin) -> Function:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope = begin(args, kwargs)
        if scope is None:
            return await func(*args, **kwargs)
        with scope:
            return await func(*args, **kwargs)

    return wrapper


class _Step:
    """A part of a scope: one step of a generator. At a ``yield`` it is left, or it would be around the consumer."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._scope.enter()

    def __exit__(self, *_: object) -> None:
        self._scope.leave()


class _End:
    """The end of a scope that is entered step by step."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._scope.fail(error)
        self._scope.finish()


# Of the two that follow, only what Python itself has twice is there twice: `def` and `async def`, `send` and `asend`.
# Not `yield from`, not even where there is no scope: it would turn a thrown GeneratorExit into a close(), and lose what
# the generator returns from one.


def _around_generator(func: Function, begin: Begin) -> Function:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = begin(args, kwargs) or Scope()
        step = _Step(scope)
        with _End(scope):
            generator = func(*args, **kwargs)
            resume = partial(generator.send, None)
            while True:
                try:
                    with step:
                        item = resume()
                except StopIteration as stop:
                    return stop.value
                finally:
                    del resume  # an exception kept in it would keep this frame
                try:
                    resume = partial(generator.send, (yield item))
                except BaseException as thrown:  # noqa: BLE001 (the generator is who may catch it)
                    resume = partial(generator.throw, thrown)

    return wrapper


def _around_async_generator(func: Function, begin: Begin) -> Function:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = begin(args, kwargs) or Scope()
        step = _Step(scope)
        with _End(scope):
            generator = func(*args, **kwargs)
            resume = partial(generator.asend, None)
            while True:
                try:
                    with step:
                        item = await resume()
                except StopAsyncIteration:
                    return
                finally:
                    del resume
                try:
                    resume = partial(generator.asend, (yield item))
                except BaseException as thrown:  # noqa: BLE001 (the generator is who may catch it)
                    resume = partial(generator.athrow, thrown)

    return wrapper


class _WrappedObject:
    """A callable object with a scope around its calls; everything else goes to the object."""

    def __init__(self, wrapped: Any, call: Function) -> None:
        # What a class has of its own would hide what `__getattr__` passes on.
        about = {name: getattr(wrapped, name, None) for name in ("__doc__", "__module__")}
        vars(self).update(about, __wrapped__=wrapped, _fleece_call=call)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._fleece_call(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # What binds as a method, such as functools.lru_cache's objects, still does.
        if instance is None or not hasattr(type(self.__wrapped__), "__get__"):
            return self
        return MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    def __reduce_ex__(self, _protocol: object) -> tuple[Any, ...]:
        # What surrounds the calls cannot be pickled, so a copy is one of the object alone.
        from copy import copy  # noqa: PLC0415 (for the few that do so)

        return copy, (self.__wrapped__,)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)
