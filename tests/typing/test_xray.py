"""Checked by mypy and pyright, never run: what is decorated with fleece.xray keeps its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_type

from fleece import xray
from fleece.xray import bind_context, trace_xray_subsegment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@trace_xray_subsegment()
def call(number: int, *, name: str = "") -> str:
    return name * number


@trace_xray_subsegment(skip_args=True)
async def coroutine(number: int) -> bytes:
    return bytes(number)


@trace_xray_subsegment()
def generator() -> Iterator[int]:
    yield 1


@trace_xray_subsegment()
async def async_generator() -> AsyncIterator[int]:
    yield 1


@bind_context
def in_a_thread(number: int) -> int:
    return number


class Traced:
    @trace_xray_subsegment()
    def method(self, number: int) -> int:
        return number

    @classmethod
    @trace_xray_subsegment()
    def of_class(cls, number: int) -> Traced:
        return cls()

    @staticmethod
    @trace_xray_subsegment()
    def static(number: int) -> float:
        return number / 2


def check() -> None:
    assert_type(call(3, name="x"), str)
    assert_type(list(generator()), list[int])
    assert_type(in_a_thread(3), int)
    assert_type(Traced().method(3), int)
    assert_type(Traced.of_class(3), Traced)
    assert_type(Traced.static(3), float)
    with xray.subsegment("work", namespace="remote") as block:
        assert_type(block, xray.SubsegmentBlock)
        block.put_annotation("user", 7)
    xray.put_metadata("state", {"a": 1})
    assert_type(xray.get_parent_id(), "str | None")
    assert_type(xray.trace_header(), "str | None")


async def check_coroutines() -> None:
    assert_type(await coroutine(3), bytes)
    async for number in async_generator():
        assert_type(number, int)


def mistakes() -> None:
    call("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    call(3, nam="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Traced().method()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    in_a_thread("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    xray.put_annotations("user", 7)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    trace_xray_subsegment(skip_arg=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
