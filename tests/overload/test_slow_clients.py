"""Clients that are slow, silent, gone or very many: their places are free again, and others are served meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.api.places import raised_files_max
from app.bench.process_stats import descriptors
from tests.api.wire import HISTORY
from tests.builders import at
from tests.overload.clients import (
    PATIENCE_SECONDS,
    Client,
    Reply,
    a_long_order,
    a_service,
    bar_json,
    clients_of,
    megabytes,
    metric,
    sent_orders,
    steps_of,
    until_metric,
)

pytestmark = pytest.mark.spawns

POLLS = min(10_000, raised_files_max() // 2)
"""As many as there may be, where this process may open so many files."""
MEGABYTES_OF_POLLS = 600
"""That many connections, each with a request that waits, take some 40 KB each."""
WAITING: dict[str, Any] = {"start_time": at(HISTORY + 1).isoformat()}
"""Of an order whose first slice comes with the bar after the next one."""


def poll(order_id: str) -> tuple[str, str]:
    return "GET", f"/v1/orders/{order_id}/slices/next?wait=30"


async def answered(client: Client, method: str, path: str) -> Reply:
    """The answer, where nothing may be refused."""
    reply = await client.call(method, path)
    assert reply.status == 200, f"{reply.status}: {reply.body.decode()}"
    return reply


@pytest.mark.parametrize(("orders", "polls"), [(3, POLLS), (200, POLLS // 5)])
async def test_ten_thousand_polls_are_all_answered_with_the_slice(orders: int, polls: int, tmp_path: Path) -> None:
    """Of few orders, and fewer of many. Those whose time is over ask again, as clients do."""
    with a_service(tmp_path) as server:
        async with clients_of(server, 1) as [own]:
            bodies = [a_long_order(f"oms-{number}", **WAITING) for number in range(orders)]
            async with clients_of(server, 16) as senders:
                order_ids = await sent_orders(senders, bodies)
            files = descriptors(server.process.pid)
            async with clients_of(server, polls) as clients:

                async def slice_of(client: Client, order_id: str) -> int:
                    while (piece := (await answered(client, *poll(order_id))).json()["slice"]) is None:
                        pass
                    return int(piece["step"])

                waiting = [
                    asyncio.create_task(slice_of(client, order_ids[number % orders]))
                    for number, client in enumerate(clients)
                ]
                async with asyncio.timeout(PATIENCE_SECONDS):  # a machine that is too busy never has so many at once
                    while await metric(own, "lem_long_polls_open") < polls // 2:
                        assert (await own.call("GET", "/healthz")).status == 200
                assert (await own.call("POST", "/v1/bars", bar_json(0))).status == 200

                assert set(await asyncio.gather(*waiting)) == {1}
                assert megabytes(server) < MEGABYTES_OF_POLLS
            await until_metric(own, "lem_connections_open", 1)
            assert descriptors(server.process.pid) <= files + 64, "but for connections to the store"


async def test_clients_that_vanish_while_they_wait_leave_their_places_at_once(tmp_path: Path) -> None:
    with a_service(tmp_path) as server:
        async with clients_of(server, 1) as [own]:
            [order_id] = await sent_orders([own], [a_long_order("oms-1", **WAITING)])
            before = descriptors(server.process.pid)
            for _ in range(3):  # again and again: a place that is kept would be missed
                async with clients_of(server, 500) as clients:
                    for client in clients:
                        client.send(*poll(order_id))
                    await until_metric(own, "lem_long_polls_open", 500)
                    for client in clients:
                        client.vanish()
                await until_metric(own, "lem_long_polls_open", 0)

            await until_metric(own, "lem_connections_open", 1)
            assert descriptors(server.process.pid) <= before + 64
            assert (tmp_path / "serve.log").read_text() == "", "nothing of that is a failure"


async def test_half_sent_requests_and_silent_connections_keep_nobody_from_being_served(tmp_path: Path) -> None:
    halves = [
        b"",
        b"GET /healthz HT",
        b"POST /v1/bars HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 4000000\r\n\r\n{",
        b"POST /v1/orders HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{",
        b"POST /v1/quotes HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    ]
    with a_service(tmp_path) as server:
        async with clients_of(server, 1) as [own]:
            before = descriptors(server.process.pid), megabytes(server)
            async with clients_of(server, 50 * len(halves)) as clients:
                for number, client in enumerate(clients):
                    client.writer.write(halves[number % len(halves)])

                [order_id] = await sent_orders([own], [a_long_order("oms-1")])
                posted = await own.call("POST", "/v1/bars", bar_json(0))

                assert posted.status == 200
                assert await steps_of(own, [order_id]) == {2}
            await until_metric(own, "lem_connections_open", 1)
            assert descriptors(server.process.pid) <= before[0] + 64
            assert megabytes(server) < before[1] + 100


async def test_a_client_that_never_reads_its_answers_takes_little_and_nobody_elses_time(tmp_path: Path) -> None:
    """Thousands of requests ahead of their answers, on connections that are not read."""
    with a_service(tmp_path) as server:
        async with clients_of(server, 1) as [own]:
            order_ids = await sent_orders([own], [a_long_order(f"oms-{number}") for number in range(50)])
            before = megabytes(server)
            async with clients_of(server, 50) as clients:
                for client in clients:
                    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                    for order_id in order_ids * 40:
                        client.send("GET", f"/v1/orders/{order_id}")

                assert (await own.call("POST", "/v1/bars", bar_json(0))).status == 200
                assert await steps_of(own, order_ids) == {2}
                assert await metric(own, "lem_connections_refused_total") > 0
            assert megabytes(server) < before + 150
