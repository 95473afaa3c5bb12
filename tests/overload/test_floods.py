"""Floods of requests, and a feed at many times its rate: accepted orders go on, and the service recovers by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.engine.feed_lines import REQUESTS_MAX
from tests.api.wire import SYMBOL
from tests.overload.clients import Client, Reply, a_book, a_long_order, bar_json, insist

pytestmark = pytest.mark.spawns

BOOK = [a_long_order(f"book-{number}") for number in range(300)]
FLOODING = 64
MEGABYTES_MORE_MAX = 150
"""What a flood may leave behind or take; without bounds it is gigabytes."""
Asked = Callable[[int], tuple[Any, ...]]


def floods(order_ids: Sequence[str]) -> dict[str, Asked]:
    return {
        "quotes": lambda _: ("POST", "/v1/quotes", a_long_order("quote")),
        "schedules": lambda number: ("GET", f"/v1/orders/{order_ids[number % len(order_ids)]}/schedule"),
        "pages": lambda _: ("GET", "/v1/orders?limit=1000"),
        "orders": lambda number: ("POST", "/v1/orders", a_long_order(f"flood-{number}", "OTHER")),
    }


@asynccontextmanager
async def flooding(clients: Sequence[Client], asked: Asked) -> AsyncIterator[list[Reply]]:
    """Every client asks again as soon as it is answered, whatever the answer is."""
    replies: list[Reply] = []
    over, under_way = asyncio.Event(), asyncio.Event()

    async def ask(client: Client) -> None:
        while not over.is_set():
            replies.append(await client.call(*asked(len(replies))))
            if len(replies) > FLOODING:
                under_way.set()

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(ask(client))
        await under_way.wait()
        yield replies
        over.set()


@pytest.mark.parametrize("kind", ["quotes", "schedules", "pages", "orders"])
async def test_a_flood_keeps_no_bar_from_its_slices_and_passes_by(kind: str, tmp_path: Path) -> None:
    async with a_book(tmp_path, clients=FLOODING + 1, bodies=BOOK, symbols=(SYMBOL, "OTHER")) as book:
        asked = floods(book.order_ids)[kind]

        async with flooding(book.others, asked) as replies:
            for index in range(3):
                assert (await book.own.call("POST", "/v1/bars", bar_json(index))).status == 200
                assert (await book.own.call("GET", "/healthz")).status == 200
                assert await book.steps(20) == {index + 2}
        refused = [reply for reply in replies if reply.status not in (200, 201)]

        assert {(reply.status, reply.code) for reply in refused} <= {
            *((503, code) for code in ("overloaded", "too_many_quotes", "quote_too_slow")),
        }
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        assert kind == "orders" or refused, "a flood of what is expensive is refused for the most part"
        assert book.megabytes_more < MEGABYTES_MORE_MAX
        assert (await insist(book.own, *asked(10**6))).status in (200, 201)


async def test_a_feed_that_does_not_await_its_answers_is_told_to_and_loses_no_slice(tmp_path: Path) -> None:
    """Every bar comes from many connections at a time, as fast as they can send."""
    async with a_book(tmp_path, clients=4 * REQUESTS_MAX, bodies=BOOK) as book:
        own, seen = book.own, Counter[tuple[int, str]]()

        for index in range(12):
            feeds = (each.call("POST", "/v1/bars", bar_json(index)) for each in (own, *book.others))
            replies = await asyncio.gather(*feeds)
            seen.update((reply.status, reply.code) for reply in replies)
            assert all("retry-after" in reply.headers for reply in replies if reply.status != 200)
            assert (await insist(own, "POST", "/v1/bars", bar_json(index))).json()["accepted"] == 0
        recovered = await own.call("POST", "/v1/bars", bar_json(12))

        assert seen[200, ""] > 0
        assert seen[429, "feed_too_fast"] > 0
        assert set(seen) == {(200, ""), (429, "feed_too_fast")}
        assert recovered.json()["accepted"] == 1
        assert await book.steps() == {14}
        assert book.megabytes_more < MEGABYTES_MORE_MAX


async def test_feeds_of_many_instruments_at_full_speed_leave_every_order_with_its_slice(tmp_path: Path) -> None:
    symbols = [f"I-{number}" for number in range(24)]
    bodies = [a_long_order(f"{symbol}-{number}", symbol) for symbol in symbols for number in range(10)]
    async with a_book(tmp_path, clients=len(symbols), bodies=bodies, symbols=symbols) as book:

        async def feed(client: Client, symbol: str) -> None:
            for index in range(15):
                assert (await insist(client, "POST", "/v1/bars", bar_json(index, symbol))).json()["accepted"] <= 1

        async with asyncio.TaskGroup() as group:
            for client, symbol in zip((book.own, *book.others), symbols, strict=True):
                group.create_task(feed(client, symbol))

        assert await book.steps() == {16}
        assert book.megabytes_more < MEGABYTES_MORE_MAX
