"""The answer to a new order is written by hand, and a wrong order is told what it would be told by FastAPI."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal

import httpx
import pytest

from app.api.orders.bodies import OrderOut
from app.api.orders.order_text import order_text
from app.domain.lifecycle import Status
from app.domain.order import Benchmark, Fills, HorizonInTime, Limits, Side, SizeMode
from app.domain.order_words import Completion, RiskAversion
from app.domain.state import OrderState
from app.domain.transitions import close_window, take
from tests.api.wire import order_json, prepared
from tests.builders import PRICE, START, a_decided, a_projection, a_window, an_order, an_order_state, at, bars

EAST = START.astimezone(timezone(timedelta(hours=5)))
LIMITS = Limits(max_slice_fraction=Decimal("0.500"), max_participation_rate=Decimal(1), limit_price=Decimal("123.4500"))

DESK_LIMITS = Limits(finish_price=Decimal("99.50"), avoid_open_minutes=0, avoid_close_minutes=10)


def taken(state: OrderState) -> OrderState:
    return take(state, a_projection(123), a_window(), a_decided(), PRICE)


@pytest.mark.parametrize(
    "state",
    [
        an_order_state(),
        taken(an_order_state()),
        close_window(taken(an_order_state()), bars(3)[-1]),
        close_window(taken(an_order_state(an_order(side=Side.SELL))), bars(3)[-1]),
        an_order_state(an_order(size_mode=SizeMode.NOTIONAL, size=Decimal("1000.50"), benchmark=Benchmark.TWAP)),
        an_order_state(an_order(limits=LIMITS, risk_aversion=Decimal("0.10"), start_time=EAST)),
        an_order_state(an_order(fills=Fills.REPORTED, report_delay_seconds=60)),
        an_order_state(an_order(limits=DESK_LIMITS, risk_aversion=RiskAversion.TRACKING, completion=Completion.ALWAYS)),
        replace(an_order_state(), out_of_reach=Decimal("1.50")),
        an_order_state(an_order(client_order_id='a "name"\n\u20ac')),
        an_order_state(an_order(horizon_in_time=HorizonInTime(earliest_end=at(4), latest_end=at(8)))),
        replace(an_order_state(), status=Status.EXPIRED, over_filled=Decimal("1E+2"), arrival_price=Decimal(1) / 3),
        replace(an_order_state(), filled_notional=Decimal("-0E-20")),
    ],
)
def test_the_text_of_an_answer_is_that_of_its_model(state: OrderState) -> None:
    assert order_text(state).decode() == OrderOut.of(state).model_dump_json()


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_an_order_is_answered_alike_however_its_content_type_is_written(
    client: httpx.AsyncClient, kind: str
) -> None:
    await prepared(client)

    answer = await client.post("/v1/orders", json=order_json(), headers={"content-type": kind})
    again = await client.post("/v1/orders", json=order_json())

    assert (answer.status_code, again.status_code) == (201, 200)
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == again.content == (await client.get(f"/v1/orders/{answer.json()['order_id']}")).content


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "field_missing"),
        (b"{", 422, "bad_json"),
        (b"[]", 422, "wrong_type"),
        (b'{"side": "buy", "side": "sell"}', 422, "repeated_field"),
        (b'{"note": "' + b"x" * 200_000 + b'"}', 413, "payload_too_large"),
    ],
)
async def test_what_is_no_order_is_refused_with_the_reason(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await client.post("/v1/orders", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
