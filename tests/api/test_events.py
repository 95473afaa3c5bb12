"""`GET /v1/events` and `/v1/orders/{order_id}/events`: an OMS that listens knows all that happened, in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from app.access.api_keys import Scope
from app.api.events import places, sse
from app.store import keys
from tests.api.keyed import Keyed, bearing, code_of
from tests.api.streaming import Served, listening
from tests.api.wire import HISTORY, Json, bars_json, prepared, sent
from tests.builders import START, an_api_key, bars

JSON = {"Accept": "application/json"}


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


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with listening(tmp_path) as served:
        await prepared(served.client)
        yield served


async def a_day(served: Served, orders: int = 2, name: str = "oms") -> list[str]:
    """Some orders and two bars: the ids of the orders."""
    made = [await sent(served.client, client_order_id=f"{name}-{number}") for number in range(orders)]
    for bar in bars(HISTORY + 2)[HISTORY:]:
        await served.client.post("/v1/bars", json=bars_json([bar]))
    return [order["order_id"] for order in made]


async def page(served: Served, path: str = "/v1/events", **asked: str | int) -> Json:
    answer = await served.client.get(path, params=asked, headers=JSON)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_a_stream_without_an_id_starts_now(served: Served) -> None:
    await sent(served.client, client_order_id="before")
    async with served.client.stream("GET", "/v1/events") as stream:
        order = await sent(served.client, client_order_id="after")
        events = await heard(stream, 2)

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [each.event for each in events] == ["order.working", "slice.committed"]
    assert {each.data["order_id"] for each in events} == {order["order_id"]}
    assert events[0].data["status"] == "working"
    assert (events[1].data["step"], events[1].data["final"]) == (1, False)


async def test_a_stream_tells_where_it_begins_so_that_whoever_loses_it_at_once_misses_nothing(served: Served) -> None:
    async with served.client.stream("GET", "/v1/events") as stream:
        lines = stream.aiter_lines()
        opening = [await anext(lines) for _ in range(2)]
    order = await sent(served.client)
    place = opening[1].removeprefix("id: ")

    missed = (await page(served, after=place))["events"]

    assert opening[0].startswith("retry: ")
    assert [each["event"] for each in missed] == ["order.working", "slice.committed"]
    assert {each["data"]["order_id"] for each in missed} == {order["order_id"]}


async def test_a_client_that_connects_again_with_the_newest_id_misses_nothing_and_hears_nothing_twice(
    served: Served,
) -> None:
    await a_day(served)
    every = [each["id"] for each in (await page(served, after="0"))["events"]]

    for seen in range(1, len(every)):
        again = {"Last-Event-ID": every[seen - 1]}
        async with served.client.stream("GET", "/v1/events", headers=again) as stream:
            assert [each.id for each in await heard(stream, len(every) - seen)] == every[seen:]


async def test_a_stream_goes_from_what_lies_behind_to_what_happens_now(served: Served) -> None:
    await sent(served.client, client_order_id="before")
    async with served.client.stream("GET", "/v1/events", params={"after": "0"}) as stream:
        behind = await heard(stream, 2)
    async with served.client.stream("GET", "/v1/events", headers={"Last-Event-ID": behind[0].id}) as stream:
        await sent(served.client, client_order_id="after")
        events = await heard(stream, 3)

    assert [each.event for each in events] == ["slice.committed", "order.working", "slice.committed"]


async def test_a_stream_of_an_order_has_its_events_alone(served: Served) -> None:
    _, order_id = await a_day(served)
    whole = await page(served, f"/v1/orders/{order_id}/events")
    async with served.client.stream("GET", f"/v1/orders/{order_id}/events", params={"after": "0"}) as stream:
        events = await heard(stream, len(whole["events"]))

    assert {each.data["order_id"] for each in events} == {order_id}
    assert [(each.id, each.event, each.data) for each in events] == [
        (each["id"], each["event"], each["data"]) for each in whole["events"]
    ]
    assert not whole["more"]


async def test_pages_follow_each_other_without_a_gap(served: Served) -> None:
    await a_day(served)
    whole = await page(served)
    found, after, more = [], "0", True

    while more:
        part = await page(served, after=after, limit=3)
        assert len(part["events"]) <= 3
        found += part["events"]
        after, more = part["last_event_id"], part["more"]

    assert found == whole["events"]
    assert len(found) > 6


async def test_an_event_tells_what_was_filled_by_then(served: Served) -> None:
    order_id, _ = await a_day(served)
    newest = (await page(served, f"/v1/orders/{order_id}/events"))["events"][-1]["data"]
    order = (await served.client.get(f"/v1/orders/{order_id}")).json()

    assert newest["filled_quantity"] == order["filled_quantity"]


async def test_what_cannot_be_told_is_refused(served: Served) -> None:
    wrong = ["garbage", "1-2", "x" * 300, "1-99999999999999999999-A", ""]
    answers = [await served.client.get("/v1/events", headers=JSON | {"Last-Event-ID": last}) for last in wrong]
    image = await served.client.get("/v1/events", headers={"Accept": "image/png"})
    unknown = await served.client.get("/v1/orders/none/events")

    assert [answer.status_code for answer in answers] == [422] * len(wrong)
    assert {answer.json()["code"] for answer in answers} == {"bad_cursor", "bad_text"}
    assert code_of(image) == (406, "not_acceptable")
    assert code_of(unknown) == (404, "unknown_order")


async def test_the_head_of_a_stream_ends(served: Served) -> None:
    answer = await served.client.head("/v1/events")

    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_more_streams_than_may_be_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "STREAMS_MAX", 1)
    async with served.client.stream("GET", "/v1/events"):
        answer = await served.client.get("/v1/events")

    assert (answer.status_code, answer.json()["code"]) == (503, "too_many_event_streams")
    assert answer.headers["Retry-After"]


async def test_a_stream_ends_when_the_service_does(served: Served) -> None:
    async with served.client.stream("GET", "/v1/events") as stream:
        served.application.state.services.tail.close()
        async for _ in stream.aiter_lines():
            pass

    assert stream.is_stream_consumed


async def test_a_stream_ends_when_its_key_is_revoked(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.01)
    keyed = Keyed(served.client, tmp_path)
    made, text = an_api_key(scopes=frozenset({Scope.READ}))
    await keyed.record(made)
    async with served.client.stream("GET", "/v1/events", headers=bearing(text)) as stream:
        await keyed.record(replace(made, revoked_at=START))
        await served.application.state.services.access.ring.look()
        async for _ in stream.aiter_lines():
            pass

    assert stream.status_code == 200
    assert (await served.client.get("/v1/events", headers=bearing(text))).status_code == 401


async def test_events_that_are_gone_are_not_passed_over_in_silence(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_day(served)
    first = (await page(served))["events"][0]["id"]
    monkeypatch.setattr(keys, "EVENTS_KEPT", 2)
    await a_day(served, orders=60, name="many")

    gone = await served.client.get("/v1/events", headers=JSON | {"Last-Event-ID": first})

    assert (gone.status_code, gone.json()["code"]) == (410, "events_gone")
    assert (await page(served))["events"][0]["id"] != first


async def test_an_account_hears_of_its_own_orders_alone(served: Served, tmp_path: Path) -> None:
    keyed = Keyed(served.client, tmp_path)
    one, two = [await keyed.key(Scope.ORDERS, account=account) for account in ("desk-1", "desk-2")]
    house = await keyed.key(Scope.READ)
    async with (
        served.client.stream("GET", "/v1/events", headers=one) as own,
        served.client.stream("GET", "/v1/events", headers=house) as all_of_them,
    ):
        for key, name in ((two, "theirs"), (one, "ours")):
            body = {"client_order_id": name, "instrument": "BTC-USDT", "side": "buy", "quantity": "1"}
            more = {"benchmark": "vwap", "horizon": {"min_steps": 1, "max_steps": 2}}
            assert (await served.client.post("/v1/orders", json=body | more, headers=key)).status_code == 201
        events, every = await heard(own, 2), await heard(all_of_them, 4)

    assert [each.id for each in events] == [each.id for each in every[2:]]
    foreign = every[0].data["order_id"]
    assert (await served.client.get(f"/v1/orders/{foreign}/events", headers=one)).status_code == 404
    assert START.year < 2026 <= int(every[0].data["at"][:4]), "events have the time of the wall clock"
