"""A store that stops for seconds: requests are refused in time, nothing acknowledged is lost, and all goes on after."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.bench.process_stats import children_of, working_folder
from app.demo.server import Server
from tests.overload.clients import PATIENCE_SECONDS, Reply, a_book, a_long_order, bar_json, insist

pytestmark = pytest.mark.spawns


@contextmanager
def stopped_store(server: Server, folder: Path) -> Iterator[None]:
    """The embedded store answers nobody inside."""
    [store] = [pid for pid in children_of(server.process.pid) if working_folder(pid) == folder.resolve()]
    os.kill(store, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(store, signal.SIGCONT)


async def test_while_the_store_stands_still_requests_are_refused_and_operators_answered(tmp_path: Path) -> None:
    bodies = [a_long_order(f"oms-{number}") for number in range(50)]
    async with a_book(tmp_path, clients=200, bodies=bodies) as book:
        own = book.own
        assert (await own.call("GET", "/readyz")).status == 200
        asked: list[tuple[str, str, Any]] = [
            ("POST", "/v1/orders", a_long_order("later")),
            ("GET", f"/v1/orders/{book.order_ids[0]}", None),
            ("GET", f"/v1/orders/{book.order_ids[1]}/slices/next", None),
            ("POST", "/v1/bars", bar_json(0)),
            ("GET", "/v1/orders", None),
        ]

        with stopped_store(book.server, tmp_path):
            waiting = [
                asyncio.create_task(client.call(*asked[number % len(asked)]))
                for number, client in enumerate(book.others)
            ]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (ready := await own.call("GET", "/readyz")).status == 200:
                    assert (await own.call("GET", "/healthz")).status == 200
                scraped = await own.call("GET", "/metrics")
            replies: list[Reply] = await asyncio.gather(*waiting)
        recovered = await insist(own, "POST", "/v1/bars", bar_json(0))
        later = await insist(own, "POST", "/v1/orders", a_long_order("later"))

        assert "store_unavailable" in ready.json()["reasons"]
        assert b"\nlem_store_up 0.0" in scraped.body
        assert {reply.code for reply in replies} <= {"store_unavailable", "overloaded", "feed_too_fast", "busy"}
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in replies)
        assert recovered.status == 200
        assert later.status in (200, 201)
        assert await book.steps() == {2}
        assert book.megabytes_more < 100


async def test_a_short_stop_of_the_store_refuses_nobody(tmp_path: Path) -> None:
    bodies = [a_long_order(f"oms-{number}") for number in range(19)]
    async with a_book(tmp_path, clients=20, bodies=bodies) as book:
        with stopped_store(book.server, tmp_path):
            asking = [
                asyncio.create_task(client.call("GET", f"/v1/orders/{order_id}"))
                for client, order_id in zip(book.others, book.order_ids, strict=True)
            ]
            feeding = asyncio.create_task(book.own.call("POST", "/v1/bars", bar_json(0)))
            await asyncio.sleep(0.5)
        replies = [await feeding, *await asyncio.gather(*asking)]

        assert {reply.status for reply in replies} == {200}
        assert await book.steps() == {2}
