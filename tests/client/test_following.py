"""A client that follows events hears each of them once, however often its streams are lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from lem_client import (
    AsyncClient,
    Client,
    Event,
    NotFound,
    Refused,
    Retries,
    Status,
    UnexpectedAnswer,
    Unreachable,
)
from lem_client.calls import follow_events
from lem_client.following import Following
from tests.api.streaming import SOON_SECONDS, Served, listening
from tests.api.wire import prepared
from tests.client.desk import an_order
from tests.client.way import AT_ONCE

DATA = {"order_id": "an-id", "instrument": "BTC-USDT", "at": "2025-01-06T14:30:00Z", "version": 2, "status": "paused"}
LINES = ["id: 7-0-A", "event: order.paused", f"data: {json.dumps(DATA)}", ""]
ASKED = httpx.Request("GET", "http://lem/v1/events")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with listening(tmp_path) as served:
        await prepared(served.client)
        yield served


async def some(events: AsyncIterator[Event], count: int) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(SOON_SECONDS):
        while len(found) < count:
            found.append(await anext(events))
    return found


def following(after: str | None = None, retries: Retries = AT_ONCE) -> Following:
    return Following(follow_events(None), after, retries, lambda: 0.0, lambda: 0.0)


def read(found: Following, lines: list[str]) -> list[Event]:
    return [event for line in lines if (event := found.event(line)) is not None]


async def test_a_stream_that_is_lost_is_asked_for_again_and_nothing_is_missed(served: Served) -> None:
    async with AsyncClient(served.address, retries=AT_ONCE) as lem:
        async with contextlib.aclosing(lem.follow_events(after="0")) as events:
            heard: list[Event] = []
            for number in range(4):
                await lem.post_order(an_order(client_order_id=f"oms-{number}"))
                heard += await some(events, 3)
                for connection in list(served.state.connections):
                    connection.transport.abort()
        kept = [event async for event in lem.list_events()]

    assert heard == kept
    assert len({event.id for event in heard}) == 12


async def test_events_of_an_order_come_in_pages(served: Served) -> None:
    async with AsyncClient(served.address, retries=AT_ONCE) as lem:
        orders = [await lem.post_order(an_order(client_order_id=f"oms-{number}")) for number in range(3)]
        found = [event async for event in lem.list_order_events(orders[1].order_id, page_size=1)]

    assert [event.event for event in found] == ["order.accepted", "order.working", "slice.committed"]
    assert {event.data.order_id for event in found} == {orders[1].order_id}
    assert [event.data.status for event in found] == [Status.ACCEPTED, Status.WORKING, None]
    assert found[2].data.final is False


async def test_an_unknown_order_cannot_be_followed(served: Served) -> None:
    async with AsyncClient(served.address) as lem:
        with pytest.raises(NotFound):
            await anext(lem.follow_events(order_id="none"))


def test_the_client_that_waits_follows_events_too() -> None:
    """Here on a way that loses the first stream behind its first event."""
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        number = len(asked)
        lines = [line.replace("7-0-A", f"{number}-0-A") for line in LINES]
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text="\n".join([*lines, ""]))

    with Client("http://lem", transport=httpx.MockTransport(answer), retries=AT_ONCE) as lem:
        events: Iterator[Event] = lem.follow_events()
        heard = [next(events).id for _ in range(3)]

    assert heard == ["1-0-A", "2-0-A", "3-0-A"]
    assert asked == [None, "1-0-A", "2-0-A"]


def test_lines_are_read_as_the_events_that_they_are() -> None:
    found = following()

    [event] = read(found, ["retry: 1000", "id: 6-0-A", "", ":", "id: 6-1-A", "", *LINES])

    assert (event.id, event.event, event.data.status) == ("7-0-A", "order.paused", Status.PAUSED)
    assert found.after == "7-0-A"


def test_a_stream_that_is_lost_before_its_first_event_goes_on_where_it_began() -> None:
    found = following()

    assert read(found, ["retry: 1000", "id: 6-1-A", ""]) == []

    assert found.request(1.0)["headers"]["last-event-id"] == "6-1-A"


def test_half_an_event_is_not_taken_for_one() -> None:
    found = following()

    read(found, LINES[:-1])

    assert found.request(1.0)["headers"] == {"accept": "text/event-stream"}
    assert read(found, ["", *LINES]) != []


def test_an_event_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(UnexpectedAnswer, match="event"):
        read(following(), ["id: 1-0-A", "event: order.paused", "data: {}", ""])


def test_a_client_is_patient_until_it_has_heard_nothing_for_too_long() -> None:
    found = following(retries=Retries(attempts_max=3))

    pauses = [found.pause_seconds(httpx.ReadError("lost", request=ASKED)) for _ in range(2)]

    assert pauses == [0.2, 0.4]
    with pytest.raises(Unreachable):
        found.pause_seconds(None)


def test_hearing_anything_makes_a_client_patient_again() -> None:
    found = following(retries=Retries(attempts_max=2))
    found.pause_seconds(None)

    read(found, [":", ""])

    assert found.pause_seconds(None) == 0.2


def test_a_refusal_that_stays_one_ends_it() -> None:
    body = {"type": "t", "title": "Gone", "status": 410, "detail": "d", "code": "events_gone", "instance": "/v1/events"}
    answer = httpx.Response(410, json=body, headers={"content-type": "application/problem+json"}, request=ASKED)

    with pytest.raises(Refused) as refused:
        following("1-0-A").pause_seconds(answer)

    assert refused.value.code == "events_gone"
