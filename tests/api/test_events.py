"""`GET /v1/events` and `/v1/orders/{order_id}/events`: an OMS that listens knows all that happened, in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.access.api_keys import Scope
from app.api.events import places, sse
from app.outbox.log import EventLog
from app.store import keys
from tests.api.keyed import Keyed, bearing, code_of
from tests.api.streaming import Served, listening
from tests.api.wire import Json, bars_json, prepared, sent
from tests.builders import START, an_api_key, bars
from tests.outbox.following import clock_moves_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Accept": "application/json"}
HISTORY = 30
"""Bars: too few for the model, which is not what is asked about."""
NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Heard:
    id: str
    event: str
    data: Json


async def heard(answer: httpx.Response, count: int) -> list[Heard]:
    """The next events of the stream."""
    assert answer.status_code == 200, await answer.aread()
    found: list[Heard] = []
    lines: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if not line and "data" in lines:
            found.append(Heard(lines["id"], lines["event"], json.loads(lines["data"])))
            lines = {}
        elif value and name:
            lines[name] = value
        if len(found) == count:
            break
    return found


@dataclass(frozen=True, slots=True)
class Oms:
    """Trades an instrument of its own. `begun` is the place of the newest event before its first order."""

    served: Served
    symbol: str
    begun: str

    @property
    def client(self) -> httpx.AsyncClient:
        return self.served.client

    @property
    def log(self) -> EventLog:
        log: EventLog = self.served.application.state.services.tail.log
        return log

    async def order(self, name: str) -> Json:
        return await sent(self.client, client_order_id=f"{self.symbol}-{name}", instrument=self.symbol)

    async def a_day(self, orders: int = 2, name: str = "oms") -> list[str]:
        """Some orders and two bars: the ids of the orders."""
        made = [await self.order(f"{name}-{number}") for number in range(orders)]
        for bar in bars(HISTORY + 2)[HISTORY:]:
            await self.client.post("/v1/bars", json=bars_json([bar], self.symbol))
        return [order["order_id"] for order in made]

    async def page(self, path: str = "/v1/events", **asked: str | int) -> Json:
        """From `begun` on, where nothing else is asked for."""
        answer = await self.client.get(path, params={"after": self.begun, **asked}, headers=JSON)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found


async def an_oms(served: Served) -> Oms:
    symbol = f"OMS-{next(NUMBERS)}"
    await prepared(served.client, HISTORY, symbol)
    await clock_moves_on(served.application.state.services.tail.log)
    newest = (await served.client.get("/v1/events", params={"limit": 1_000}, headers=JSON)).json()
    assert not newest["more"]
    return Oms(served, symbol, newest["last_event_id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with listening(tmp_path_factory.mktemp("shared")) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def oms(shared: Served) -> Oms:
    """At a service that the OMSs of other tests use too. Nothing happens to their orders, since no bars come."""
    return await an_oms(shared)


@pytest_asyncio.fixture(loop_scope="module")
async def alone(tmp_path: Path) -> AsyncIterator[Oms]:
    """At a service of the test's own."""
    async with listening(tmp_path) as served:
        yield await an_oms(served)


async def test_a_stream_without_an_id_starts_now(oms: Oms) -> None:
    await oms.order("before")
    await clock_moves_on(oms.log)
    async with oms.client.stream("GET", "/v1/events") as stream:
        order = await oms.order("after")
        events = await heard(stream, 3)

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [each.event for each in events] == ["order.accepted", "order.working", "slice.committed"]
    assert {each.data["order_id"] for each in events} == {order["order_id"]}
    assert [each.data.get("status") for each in events] == ["accepted", "working", None]
    assert (events[2].data["step"], events[2].data["final"]) == (1, False)


async def test_a_stream_tells_where_it_begins_so_that_whoever_loses_it_at_once_misses_nothing(oms: Oms) -> None:
    async with oms.client.stream("GET", "/v1/events") as stream:
        lines = stream.aiter_lines()
        opening = [await anext(lines) for _ in range(2)]
    order = await oms.order("oms")
    place = opening[1].removeprefix("id: ")

    missed = (await oms.page(after=place))["events"]

    assert opening[0].startswith("retry: ")
    assert [each["event"] for each in missed] == ["order.accepted", "order.working", "slice.committed"]
    assert {each["data"]["order_id"] for each in missed} == {order["order_id"]}


async def test_a_client_that_connects_again_with_the_newest_id_misses_nothing_and_hears_nothing_twice(
    oms: Oms,
) -> None:
    await oms.a_day()
    every = [each["id"] for each in (await oms.page())["events"]]

    for seen in range(1, len(every)):
        again = {"Last-Event-ID": every[seen - 1]}
        async with oms.client.stream("GET", "/v1/events", headers=again) as stream:
            assert [each.id for each in await heard(stream, len(every) - seen)] == every[seen:]


async def test_a_stream_goes_from_what_lies_behind_to_what_happens_now(oms: Oms) -> None:
    await oms.order("before")
    async with oms.client.stream("GET", "/v1/events", params={"after": oms.begun}) as stream:
        behind = await heard(stream, 3)
    async with oms.client.stream("GET", "/v1/events", headers={"Last-Event-ID": behind[0].id}) as stream:
        await oms.order("after")
        events = await heard(stream, 5)

    rest_of_the_first = ["order.working", "slice.committed"]
    assert [each.event for each in events] == [*rest_of_the_first, "order.accepted", "order.working", "slice.committed"]


async def test_a_stream_of_an_order_has_its_events_alone(oms: Oms) -> None:
    _, order_id = await oms.a_day()
    whole = await oms.page(f"/v1/orders/{order_id}/events")
    async with oms.client.stream("GET", f"/v1/orders/{order_id}/events", params={"after": "0"}) as stream:
        events = await heard(stream, len(whole["events"]))

    assert {each.data["order_id"] for each in events} == {order_id}
    assert [(each.id, each.event, each.data) for each in events] == [
        (each["id"], each["event"], each["data"]) for each in whole["events"]
    ]
    assert not whole["more"]


async def test_pages_follow_each_other_without_a_gap(oms: Oms) -> None:
    await oms.a_day()
    whole = await oms.page()
    found, after, more = [], oms.begun, True

    while more:
        part = await oms.page(after=after, limit=3)
        assert len(part["events"]) <= 3
        found += part["events"]
        after, more = part["last_event_id"], part["more"]

    assert found == whole["events"]
    assert len(found) > 6


async def test_an_event_tells_what_was_filled_by_then(oms: Oms) -> None:
    order_id, _ = await oms.a_day()
    newest = (await oms.page(f"/v1/orders/{order_id}/events"))["events"][-1]["data"]
    order = (await oms.client.get(f"/v1/orders/{order_id}")).json()

    assert newest["filled_quantity"] == order["filled_quantity"]


async def test_what_cannot_be_told_is_refused(oms: Oms) -> None:
    wrong = ["garbage", "1-2", "x" * 300, "1-99999999999999999999-A", ""]
    answers = [await oms.client.get("/v1/events", headers=JSON | {"Last-Event-ID": last}) for last in wrong]
    beside = await oms.client.get("/v1/events?after=garbage", headers=JSON | {"Last-Event-ID": "0"})
    image = await oms.client.get("/v1/events", headers={"Accept": "image/png"})
    unknown = await oms.client.get("/v1/orders/none/events")

    assert [answer.status_code for answer in answers] == [422] * len(wrong)
    assert {answer.json()["code"] for answer in answers} == {"bad_cursor", "bad_text"}
    assert code_of(beside) == (422, "bad_cursor")
    assert code_of(image) == (406, "not_acceptable")
    assert code_of(unknown) == (404, "unknown_order")


async def test_the_head_of_a_stream_ends(oms: Oms) -> None:
    answer = await oms.client.head("/v1/events")

    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_more_streams_than_may_be_are_refused(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "STREAMS_MAX", 1)
    async with oms.client.stream("GET", "/v1/events"):
        answer = await oms.client.get("/v1/events")

    assert (answer.status_code, answer.json()["code"]) == (503, "too_many_event_streams")
    assert answer.headers["Retry-After"]


async def test_a_stream_ends_when_the_service_does(alone: Oms) -> None:
    async with alone.client.stream("GET", "/v1/events") as stream:
        alone.served.application.state.services.tail.close()
        async for _ in stream.aiter_lines():
            pass

    assert stream.is_stream_consumed


async def test_a_stream_ends_when_its_key_is_revoked(
    alone: Oms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.01)
    keyed = Keyed(alone.client, tmp_path)
    made, text = an_api_key(scopes=frozenset({Scope.READ}))
    await keyed.record(made)
    async with alone.client.stream("GET", "/v1/events", headers=bearing(text)) as stream:
        await keyed.record(replace(made, revoked_at=START))
        await alone.served.application.state.services.access.ring.look()
        async for _ in stream.aiter_lines():
            pass

    assert stream.status_code == 200
    assert (await alone.client.get("/v1/events", headers=bearing(text))).status_code == 401


async def test_events_that_are_gone_are_not_passed_over_in_silence(alone: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    await alone.a_day()
    first = (await alone.page(after="0"))["events"][0]["id"]
    monkeypatch.setattr(keys, "EVENTS_KEPT", 2)
    await alone.a_day(orders=60, name="many")

    gone = await alone.client.get("/v1/events", headers=JSON | {"Last-Event-ID": first})

    assert (gone.status_code, gone.json()["code"]) == (410, "events_gone")
    assert (await alone.page(after="0"))["events"][0]["id"] != first


async def test_an_account_hears_of_its_own_orders_alone(alone: Oms, tmp_path: Path) -> None:
    keyed = Keyed(alone.client, tmp_path)
    one, two = [await keyed.key(Scope.ORDERS, account=account) for account in ("desk-1", "desk-2")]
    house = await keyed.key(Scope.READ)
    async with (
        alone.client.stream("GET", "/v1/events", headers=one) as own,
        alone.client.stream("GET", "/v1/events", headers=house) as all_of_them,
    ):
        for key, name in ((two, "theirs"), (one, "ours")):
            body = {"client_order_id": name, "instrument": alone.symbol, "side": "buy", "quantity": "1"}
            more = {"benchmark": "vwap", "horizon": {"min_steps": 1, "max_steps": 2}}
            assert (await alone.client.post("/v1/orders", json=body | more, headers=key)).status_code == 201
        events, every = await heard(own, 3), await heard(all_of_them, 6)

    assert [each.id for each in events] == [each.id for each in every[3:]]
    foreign = every[0].data["order_id"]
    assert (await alone.client.get(f"/v1/orders/{foreign}/events", headers=one)).status_code == 404
    assert START.year < 2026 <= int(every[0].data["at"][:4]), "events have the time of the wall clock"
