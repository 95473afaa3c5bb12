"""Requests of a kind share a lane: some are at work, some wait for a bounded time, and the next one is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api import lanes
from app.api.lane_routes import LANES
from app.api.lanes import Lane, LaneSize
from app.domain.errors import Unavailable
from app.engine.right_of_way import RightOfWay
from app.main import create_app
from app.settings import Settings
from tests.api.conftest import serving
from tests.api.wire import order_json, prepared

SOON_SECONDS = 10


class Seen:
    """Metrics that a test can read."""

    def __init__(self) -> None:
        self.waiting: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def requests_waiting(self, lane: str, change: int) -> None:
        self.waiting[lane] += change

    def request_refused(self, lane: str) -> None:
        self.refused[lane] += 1


def a_lane(**changes: Any) -> Lane:
    """Two at work, none of them beside bars; three wait."""
    size: dict[str, Any] = {
        "name": "quotes",
        "at_once": 2,
        "beside_bars": 0,
        "waiting_max": 3,
        "seconds_max": 30.0,
    } | changes
    return Lane(LaneSize(**size), Seen())


async def entering(lane: Lane, right_of_way: RightOfWay, count: int) -> list[asyncio.Task[None]]:
    """So many requests, as far as each of them comes by itself."""
    tasks = [asyncio.create_task(lane.enter(right_of_way)) for _ in range(count)]
    await turns()
    return tasks


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def begun(tasks: list[asyncio.Task[None]]) -> list[bool]:
    return [task.done() and task.exception() is None for task in tasks]


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_requests_begin_in_the_order_in_which_they_came() -> None:
    lane = a_lane()
    tasks = await entering(lane, RightOfWay(), 4)
    at_first = begun(tasks)

    lane.leave()
    await turns()

    assert at_first == [True, True, False, False]
    assert begun(tasks) == [True, True, True, False]
    await ended(tasks)


async def test_a_request_is_refused_where_too_many_wait_already() -> None:
    lane = a_lane()
    tasks = await entering(lane, RightOfWay(), 5)

    with pytest.raises(Unavailable) as refused:
        await lane.enter(RightOfWay())

    assert refused.value.code == "overloaded"
    await ended(tasks)


async def test_a_request_whose_turn_does_not_come_in_time_is_refused_and_leaves_its_place() -> None:
    lane = a_lane(seconds_max=0.01, at_once=1)
    tasks = await entering(lane, RightOfWay(), 1)

    with pytest.raises(Unavailable) as refused:
        await lane.enter(RightOfWay())
    lane.leave()

    assert refused.value.code == "overloaded"
    await asyncio.wait_for(lane.enter(RightOfWay()), SOON_SECONDS)
    await ended(tasks)


async def test_who_gives_up_in_the_moment_of_its_turn_passes_the_turn_on() -> None:
    lane = a_lane(at_once=1)
    tasks = await entering(lane, RightOfWay(), 3)

    lane.leave()
    tasks[1].cancel()
    await turns()

    assert begun(tasks[2:]) == [True]
    await ended(tasks)


async def test_while_bars_move_orders_no_request_begins_and_afterwards_all_that_may_do() -> None:
    lane, right_of_way = a_lane(), RightOfWay()

    with right_of_way.held():
        tasks = await entering(lane, right_of_way, 3)
        beside_bars = begun(tasks)
    await turns()

    assert beside_bars == [False, False, False]
    assert begun(tasks) == [True, True, False]
    await ended(tasks)


async def test_a_lane_with_places_beside_bars_goes_on() -> None:
    lane, right_of_way = a_lane(beside_bars=1), RightOfWay()

    with right_of_way.held():
        tasks = await entering(lane, right_of_way, 2)
        assert begun(tasks) == [True, False]

        lane.leave()
        await turns()

        assert begun(tasks) == [True, True]
    await ended(tasks)


async def test_bars_without_end_stop_nobody_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", 0.01)
    lane, right_of_way = a_lane(), RightOfWay()

    with right_of_way.held():
        for _ in range(2):
            await asyncio.wait_for(lane.enter(right_of_way), SOON_SECONDS)
            lane.leave()


def test_every_lane_is_that_of_a_route_that_there_is() -> None:
    paths = create_app(Settings()).openapi()["paths"]

    served = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    assert set(LANES) <= served
    assert {path for _, path in served - set(LANES)} == {
        *("/healthz", "/readyz", "/metrics"),
        "/v1/orders/{order_id}/slices/next",
        "/v1/bars/stream",  # each of its messages is in the lane of bars
    }


async def test_a_refused_request_says_when_to_ask_again_and_its_body_is_not_read(tmp_path: Path) -> None:
    read = 0

    async def body() -> Any:
        nonlocal read
        read += 1
        yield b"{}"

    async with serving(tmp_path) as client:
        await prepared(client, history=20)
        lane = lane_of(client, "/v1/quotes")
        waiting = [asyncio.create_task(lane.enter(RightOfWay())) for _ in range(16)]
        await turns()

        refused = await client.post("/v1/quotes", content=body())
        order = await client.post("/v1/orders", json=order_json())
        alive = await client.get("/healthz")
        metrics = (await client.get("/metrics")).text
        await ended(waiting)
        for _ in range(2):
            lane.leave()
        again = await client.post("/v1/quotes", json=order_json())

    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
        503,
        "too_many_quotes",
        "1",
    )
    assert read == 0
    assert (order.status_code, alive.status_code, again.status_code) == (201, 200, 200)
    assert 'lem_requests_waiting{lane="quotes"} 14.0' in metrics
    assert 'lem_requests_refused_total{lane="quotes"} 1.0' in metrics


def lane_of(client: httpx.AsyncClient, path: str) -> Lane:
    transport: Any = client._transport
    [route] = [each for each in transport.app.routes if getattr(each, "path", "") == path]
    lane: Lane = route.app.lanes[0]
    return lane


async def test_a_place_is_free_again_once_the_answer_is_there(client: httpx.AsyncClient) -> None:
    for _ in range(40):
        assert (await client.get("/v1/models")).status_code == 200

    assert lane_of(client, "/v1/models")._at_work == 0
