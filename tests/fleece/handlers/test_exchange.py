"""The messages of ASGI."""

import asyncio

from fleece.handlers._asgi import Exchange, read_body


def test_the_client_stays_until_it_has_its_answer():
    """An application that waits for the client to go away waits until the answer is complete."""

    async def talk():
        exchange = Exchange(b"body")
        assert await read_body(exchange.receive) == b"body"
        gone = asyncio.ensure_future(exchange.receive())
        await exchange.send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await exchange.send({"type": "http.response.body", "body": b"1", "more_body": True})
        await asyncio.sleep(0)
        assert (gone.done(), exchange.response) == (False, None)
        await exchange.send({"type": "http.response.body", "body": b"2"})
        assert await gone == {"type": "http.disconnect"}
        return exchange.response

    assert asyncio.run(talk()) == (200, [("a", "b")], b"12")


def test_a_body_in_parts():
    """A body may come in any number of messages."""
    parts = iter([b"1", b"", b"2"])

    async def receive():
        part = next(parts)
        return {"type": "http.request", "body": part, "more_body": part != b"2"}

    assert asyncio.run(read_body(receive)) == b"12"
