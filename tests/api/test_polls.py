"""`slices/next` is what an OMS asks most often: its answer is made by hand, and no thread is asked on the way."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from app.api.slices.bodies import NextSliceOut, next_slice_json
from app.domain.lifecycle import Status, StopReason
from app.domain.projection import Bound
from app.domain.slice import Basis, Slice
from app.domain.transitions import take
from app.engine.results import NextSlice
from tests.api.wire import prepared, sent
from tests.builders import PRICE, a_decided, a_projection, a_window, an_order_state

DECIDED = a_decided(model='a "model"\n\u20ac', allocation="nan", decided_on=None)


def a_slice() -> Slice:
    piece = take(an_order_state(), a_projection(123), a_window(), a_decided(), PRICE).current
    assert piece is not None
    return piece


@pytest.mark.parametrize(
    "piece",
    [
        None,
        a_slice(),
        replace(a_slice(), decided=DECIDED),
        replace(a_slice(), decided=replace(DECIDED, basis=Basis.FALLBACK, fallback_reason="policy_failed: \\u0000")),
        replace(
            a_slice(), stop_reason=StopReason.EARLY, bound_by=Bound.LEAVES, final=True, limit_price=Decimal("1E+2")
        ),
        replace(a_slice(), quantity=Decimal("-0E-20"), fraction=Decimal(1) / 3, notional=Decimal("1.2500")),
    ],
)
def test_the_text_of_an_answer_is_that_of_its_model(piece: Slice | None) -> None:
    found = NextSlice(order_id="an-id", status=Status.WORKING, slice=piece)

    assert next_slice_json(found).decode() == NextSliceOut.of(found).model_dump_json()


@pytest.mark.parametrize("query", ["", "wait=0", "wait=0.5", "wait=00.000", "wait=0e0", "wait=%30"])
async def test_a_poll_is_answered_alike_however_its_wait_is_written(client: httpx.AsyncClient, query: str) -> None:
    order = await sent(await prepared(client))
    path = f"/v1/orders/{order['order_id']}/slices/next"

    answer = await client.get(f"{path}?{query}")

    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (await client.get(path, params={"wait": "0"})).content
    assert answer.json()["slice"]["step"] == 1


@pytest.mark.parametrize(
    "query", ["wait=30.5", "wait=31", "wait=-1", "wait=", "wait=1&wait=99", "until=1", "wait=1&x=1"]
)
async def test_a_poll_that_asks_for_what_there_is_not_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/orders/any/slices/next?{query}")

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_an_order_id_that_is_too_long_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v1/orders/{'x' * 65}/slices/next")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "order_id")


async def test_no_call_of_an_oms_runs_in_a_thread_of_the_web_framework(client: httpx.AsyncClient) -> None:
    order = await sent(await prepared(client))
    await client.get(f"/v1/orders/{order['order_id']}/slices/next")
    await client.get("/v1/orders")
    await client.get("/readyz")

    assert [thread.name for thread in threading.enumerate() if "AnyIO" in thread.name] == []
