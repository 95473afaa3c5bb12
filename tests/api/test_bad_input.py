"""Every kind of bad input gets a 4xx with a stable code, and changes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.conftest import serving
from tests.api.wire import HISTORY, SYMBOL, Json, bar_json, instrument_json, order_json, prepared
from tests.builders import a_bar, at

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEXT = HISTORY
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """One service for all cases: that none of them changes it is what they are about."""
    folder: Path = tmp_path_factory.mktemp("service")
    async with serving(folder) as client:
        yield await prepared(client)


async def everything(client: httpx.AsyncClient) -> list[Any]:
    """All that a refused request could have changed, but for the count of refusals."""
    counted = [
        line
        for line in (await client.get("/metrics")).text.splitlines()
        if line.startswith(("lem_bars", "lem_gaps", "lem_decisions", "lem_orders", "lem_commits_total"))
        and "refused" not in line
        and "_created" not in line
    ]
    return [(await client.get("/v1/orders")).json(), (await client.get("/v1/instruments")).json(), counted]


def nested(path: str, value: object) -> Json:
    """An order with one field of an object in it changed."""
    name, field = path.split(".")
    inner: Json = {"horizon": {"min_steps": 1, "max_steps": 12}, "limits": {}}[name] | {field: value}
    return order_json(**{name: inner})


def in_time(first: int, last: int, **changes: object) -> Json:
    """An order that ends between the closes of two bars."""
    times = {"earliest_end": at(first).isoformat(), "latest_end": at(last).isoformat()}
    return order_json(horizon=times | changes)


ORDERS: list[tuple[str, Json, str]] = [
    ("both sizes", order_json(notional="1000"), "size_ambiguous"),
    ("no size", order_json(quantity=None), "size_missing"),
    ("no client_order_id", order_json(client_order_id=None), "field_missing"),
    ("an empty client_order_id", order_json(client_order_id=""), "bad_text"),
    ("a client_order_id too long", order_json(client_order_id="x" * 129), "bad_text"),
    ("a control character", order_json(client_order_id="a\x00b"), "bad_text"),
    ("half a surrogate pair", order_json(client_order_id="\ud800"), "bad_text"),
    ("an unknown field", order_json(urgency="high"), "unknown_field"),
    ("an unknown side", order_json(side="hold"), "unknown_value"),
    ("an enum in upper case", order_json(side="BUY"), "unknown_value"),
    ("an unknown benchmark", order_json(benchmark="close"), "unknown_value"),
    ("a truth for a side", order_json(side=True), "unknown_value"),
    ("a number for a quantity", order_json(quantity=10), "decimal_not_a_string"),
    ("a truth for a quantity", order_json(quantity=False), "decimal_not_a_string"),
    ("an exponent", order_json(quantity="1e1"), "not_a_decimal"),
    ("NaN", order_json(quantity="NaN"), "not_finite"),
    ("infinity", order_json(quantity="Infinity"), "not_finite"),
    ("a quantity of zero", order_json(quantity="0"), "not_positive"),
    ("a negative quantity", order_json(quantity="-1"), "not_positive"),
    ("a part of a lot", order_json(quantity="1.005"), "not_whole_lots"),
    ("a part of a notional step", order_json(quantity=None, notional="1000.001"), "not_whole_lots"),
    ("min above max", nested("horizon.min_steps", 13), "horizon_inverted"),
    ("a min of zero", nested("horizon.min_steps", 0), "bad_horizon"),
    ("a text for steps", nested("horizon.max_steps", "12"), "wrong_type"),
    ("a truth for steps", nested("horizon.min_steps", True), "wrong_type"),
    ("a part of a step", nested("horizon.max_steps", 12.5), "wrong_type"),
    ("more steps than the model knows", nested("horizon.max_steps", 1_000), "horizon_too_long"),
    ("steps without end", nested("horizon.max_steps", 10**30), "out_of_range"),
    ("a step that is no multiple of the bar", nested("horizon.step_seconds", 1000), "step_seconds_unsupported"),
    ("neither steps nor times", order_json(horizon={}), "field_missing"),
    ("one of the times", order_json(horizon={"latest_end": at(NEXT + 4).isoformat()}), "field_missing"),
    ("steps and times", nested("horizon.latest_end", at(NEXT + 4).isoformat()), "horizon_ambiguous"),
    ("a time beside the times", in_time(NEXT + 2, NEXT + 4, until="18:00"), "unknown_field"),
    ("an earliest end after the latest", in_time(NEXT + 4, NEXT + 3), "horizon_inverted"),
    ("a latest end before the first step's", in_time(NEXT, NEXT), "horizon_too_short"),
    ("more steps to the latest end than the model knows", in_time(NEXT + 2, NEXT + 1_000), "horizon_too_long"),
    ("a naive end", in_time(NEXT, NEXT, latest_end="2025-01-07T18:00:00"), "naive_time"),
    ("an end that is no time", in_time(NEXT, NEXT, earliest_end="18:00"), "bad_time"),
    ("a number for an end", in_time(NEXT, NEXT, earliest_end=1_736_272_800), "bad_time"),
    ("a list for a horizon", order_json(horizon=[1, 12]), "wrong_type"),
    ("no horizon", order_json(horizon=None), "field_missing"),
    ("a naive start", order_json(start_time="2025-01-07T00:00:00"), "naive_time"),
    ("a start that is no time", order_json(start_time="tomorrow"), "bad_time"),
    ("a cap above one", nested("limits.max_slice_fraction", "1.1"), "above_one"),
    ("a cap of zero", nested("limits.max_slice_fraction", "0"), "not_positive"),
    ("a cap that cannot finish", nested("limits.max_slice_fraction", "0.05"), "slice_cap_infeasible"),
    ("a negative limit price", nested("limits.limit_price", "-1"), "not_positive"),
    ("a limit price between two ticks", nested("limits.limit_price", "100.005"), "off_tick"),
    ("a start long ago", order_json(start_time=at(0).isoformat()), "start_time_past"),
    ("more than the market could trade", order_json(quantity="1000000000000"), "size_implausible"),
    ("a negative risk aversion", order_json(risk_aversion="-0.1"), "negative"),
    ("a list for limits", order_json(limits=[]), "wrong_type"),
    ("an unknown instrument", order_json(instrument="NOPE"), "unknown_instrument"),
]


@pytest.mark.parametrize(("body", "code"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS])
async def test_a_bad_order_is_refused(client: httpx.AsyncClient, body: Json, code: str) -> None:
    await assert_refused(client, "POST", "/v1/orders", body, code)


def bar(**changes: Any) -> Json:
    return {"bars": [bar_json(a_bar(NEXT), **changes)]}


BARS: list[tuple[str, Json, str]] = [
    ("no bars", {"bars": []}, "empty"),
    ("no list", {}, "field_missing"),
    ("a list alone", [], "wrong_type"),  # type: ignore[list-item]
    ("a number for a price", bar(close=100), "decimal_not_a_string"),
    ("a NaN price", bar(close="NaN"), "not_finite"),
    ("a negative price", bar(low="-1"), "not_positive"),
    ("a negative volume", bar(volume="-1"), "negative"),
    ("a negative notional", bar(notional="-1"), "negative"),
    ("an infinite volume", bar(volume="Infinity"), "not_finite"),
    ("negative trades", bar(trades=-1), "out_of_range"),
    ("a part of a trade", bar(trades=1.5), "wrong_type"),
    ("high below low", bar(high="90", low="95", open="92", close="92"), "high_below_low"),
    ("a close above high", bar(close="120"), "price_outside_range"),
    ("a naive time", bar(open_time="2025-01-06T20:00:00"), "naive_time"),
    ("a time off the grid", bar(open_time="2025-01-06T20:00:01Z"), "misaligned_bar"),
    ("a synthetic bar", bar(synthetic=True), "unknown_field"),
    ("an unknown instrument", bar(instrument="NOPE"), "unknown_instrument"),
    ("a bar of the year 2198", bar(open_time="2198-01-06T20:00:00Z"), "bar_too_far_ahead"),
    ("more traded than can be counted", bar(volume="999999999999999"), "out_of_range"),
    (
        "a bad bar after a good one",
        {"bars": [bar_json(a_bar(NEXT)), bar_json(a_bar(NEXT + 1), close="0")]},
        "not_positive",
    ),
]


@pytest.mark.parametrize(("body", "code"), [case[1:] for case in BARS], ids=[case[0] for case in BARS])
async def test_a_bad_bar_is_refused_with_all_of_its_request(client: httpx.AsyncClient, body: Json, code: str) -> None:
    await assert_refused(client, "POST", "/v1/bars", body, code)


INSTRUMENTS: list[tuple[str, str, Json, str]] = [
    ("no lot", SYMBOL, {"bar_seconds": 900, "tick_size": "0.01"}, "field_missing"),
    ("a lot of zero", SYMBOL, instrument_json(lot_size="0"), "not_positive"),
    ("a negative minimum", SYMBOL, instrument_json(min_notional="-1"), "negative"),
    ("a maximum of zero", SYMBOL, instrument_json(max_order_notional="0"), "not_positive"),
    ("a text for seconds", SYMBOL, instrument_json(bar_seconds="900"), "wrong_type"),
    ("bars longer than a day", SYMBOL, instrument_json(bar_seconds=86_401), "bad_bar_seconds"),
    ("a grace as long as the bars", SYMBOL, instrument_json(grace_seconds=900), "bad_grace_seconds"),
    ("a negative grace", SYMBOL, instrument_json(grace_seconds=-1), "out_of_range"),
    ("a text for a grace", SYMBOL, instrument_json(grace_seconds="20"), "wrong_type"),
    ("an unknown calendar", "NEW", instrument_json(calendar="MOON"), "unknown_calendar"),
    ("a symbol with a blank", "A%20B", instrument_json(), "bad_symbol"),
    ("a symbol with a line break", "A%0AB", instrument_json(), "bad_symbol"),
    ("a symbol with braces", "%7BA%7D", instrument_json(), "bad_symbol"),
    ("a symbol with an empty part", "A%2F%2FB", instrument_json(), "bad_symbol"),
    ("a symbol with a part of dots", "A%2F..%2FB", instrument_json(), "bad_symbol"),
    ("a symbol that ends in a slash", "A%2F", instrument_json(), "bad_symbol"),
    ("a symbol too long", "A%2F" + "B" * 63, instrument_json(), "bad_symbol"),
]


@pytest.mark.parametrize(
    ("symbol", "body", "code"), [case[1:] for case in INSTRUMENTS], ids=[case[0] for case in INSTRUMENTS]
)
async def test_a_bad_instrument_is_refused(client: httpx.AsyncClient, symbol: str, body: Json, code: str) -> None:
    await assert_refused(client, "PUT", f"/v1/instruments/{symbol}", body, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=open", "unknown_value"),
        ("limit=0", "out_of_range"),
        ("limit=1001", "out_of_range"),
        ("limit=ten", "wrong_type"),
        ("state=working", "unknown_field"),
        ("cursor=nonsense", "bad_cursor"),
        ("cursor=nonsense&client_order_id=oms-1", "bad_cursor"),
    ],
)
async def test_a_bad_question_for_orders_is_refused(client: httpx.AsyncClient, query: str, code: str) -> None:
    response = await client.get(f"/v1/orders?{query}")

    assert (response.status_code, response.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    "position",
    [
        b"[" * 180, b'["X",' + b"9" * 180 + b"]", b'["X",-5]', b'["X",true]', b'["X",1e400]', b'["X",1.0]',
        b'["X",null]', b'["\\ud800"]', b'{"X":1}', b"1", b"\xff", b"",
    ],
)  # fmt: skip
async def test_a_made_up_cursor_is_refused(client: httpx.AsyncClient, position: bytes) -> None:
    cursor = base64.urlsafe_b64encode(position).decode() or "="

    response = await client.get("/v1/orders", params={"cursor": cursor})

    assert (response.status_code, response.json()["code"]) == (422, "bad_cursor")
    assert response.json()["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "soon"])
async def test_a_wait_outside_its_bound_is_refused(client: httpx.AsyncClient, wait: str) -> None:
    response = await client.get(f"/v1/orders/any/slices/next?wait={wait}")

    assert response.status_code == 422


async def assert_refused(client: httpx.AsyncClient, method: str, path: str, body: Any, code: str) -> None:
    before = await everything(client)

    response = await client.request(method, path, content=json.dumps(body), headers=JSON)

    assert 400 <= response.status_code < 500, response.text
    assert response.json()["code"] == code, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert_told_where(response.json()["errors"][0], body)
    assert await everything(client) == before


def assert_told_where(error: Json, body: Any) -> None:
    """The error names a parameter, or points to a field that the body has or lacks."""
    parts = error.get("pointer", "#").split("/")[1:]
    for part in parts[:-1]:
        body = body[int(part) if isinstance(body, list) else part]
    assert "pointer" in error or error["parameter"] in ("symbol", "cursor")


async def test_after_all_that_the_next_bar_is_accepted(client: httpx.AsyncClient) -> None:
    """The refused bars left the feed where it was: bar NEXT is still the next one, and fills no gap."""
    response = await client.post("/v1/bars", json=bar())

    assert response.json() == {"accepted": 1, "duplicates": 0, "gaps_filled": 0, "revised": 0}
    assert at(NEXT) == a_bar(NEXT).open_time
