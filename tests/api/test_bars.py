"""Bars come as one document or as lines; both are all or nothing, and idempotent."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from app.api.bars import BARS_MAX
from app.domain.errors import InvalidInput
from app.main import services
from app.metrics import ServiceMetrics
from app.settings import ClockKind, Settings
from tests.api.wire import HISTORY, SYMBOL, bar_json, bars_json, instrument_json, next_slice, prepared, sent
from tests.builders import a_bar, an_instrument, bars
from tests.engine.desk import sent as to_feed

NDJSON = {"content-type": "application/x-ndjson"}


async def test_a_repeated_request_changes_nothing_and_says_so(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    body = bars_json(bars(3))

    first = await client.post("/v1/bars", json=body)
    again = await client.post("/v1/bars", json=body)

    assert first.json() == {"accepted": 3, "duplicates": 0, "gaps_filled": 0, "revised": 0}
    assert again.json() == {"accepted": 0, "duplicates": 3, "gaps_filled": 0, "revised": 0}


async def test_a_missing_bar_is_filled_and_counted(client: httpx.AsyncClient) -> None:
    await prepared(client, history=3)

    response = await client.post("/v1/bars", json=bars_json([a_bar(5)]))

    assert response.json() == {"accepted": 1, "duplicates": 0, "gaps_filled": 2, "revised": 0}


async def test_lines_of_bars_are_bars(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    lines = "\n".join(json.dumps(bar_json(bar)) for bar in bars(5)) + "\n\n"

    response = await client.post("/v1/bars", content=lines, headers=NDJSON)

    assert response.json() == {"accepted": 5, "duplicates": 0, "gaps_filled": 0, "revised": 0}


async def test_a_wrong_line_refuses_all_lines_and_is_pointed_at(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    lines = json.dumps(bar_json(a_bar(0))) + "\n" + json.dumps(bar_json(a_bar(1), volume=-1))

    refused = await client.post("/v1/bars", content=lines, headers=NDJSON)
    after = await client.post("/v1/bars", json=bars_json([a_bar(0)]))

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/bars/1/volume"
    assert after.json()["accepted"] == 1


async def test_a_request_has_a_bound_on_its_bars(client: httpx.AsyncClient) -> None:
    lines = "{}\n" * (BARS_MAX + 1)

    as_lines = await client.post("/v1/bars", content=lines, headers=NDJSON)
    as_document = await client.post("/v1/bars", json={"bars": [{}] * (BARS_MAX + 1)})

    assert (as_lines.status_code, as_lines.json()["code"]) == (422, "too_many")
    assert as_document.status_code == 422


async def test_bars_of_several_instruments_travel_together(client: httpx.AsyncClient) -> None:
    for symbol in ("A", "B"):
        await client.put(f"/v1/instruments/{symbol}", json=instrument_json())
    both = [bar_json(a_bar(step), symbol) for step in range(2) for symbol in ("A", "B")]

    response = await client.post("/v1/bars", json={"bars": both})

    assert response.json()["accepted"] == 4


async def test_a_revised_bar_is_told_and_does_not_hold_up_the_next_one(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon={"min_steps": 4, "max_steps": 8})
    revised = bar_json(bars(HISTORY)[-1], volume="77")

    response = await client.post("/v1/bars", json={"bars": [revised, *bars_json(bars(HISTORY + 1)[HISTORY:])["bars"]]})

    assert (response.status_code, response.json()["accepted"], response.json()["revised"]) == (200, 1, 1)
    assert (await client.get(f"/v1/orders/{order['order_id']}")).json()["step"] == 2


async def test_the_problem_of_a_wrong_bar_points_to_it(client: httpx.AsyncClient) -> None:
    await prepared(client, history=10)
    await sent(client)
    older, good = a_bar(-1), a_bar(10)

    out_of_order = await client.post("/v1/bars", json=bars_json([good, older]))
    nobodys = await client.post("/v1/bars", json={"bars": [bar_json(good), bar_json(good, "NOBODY")]})

    assert (out_of_order.status_code, out_of_order.json()["code"]) == (409, "bar_out_of_order")
    assert out_of_order.json()["errors"][0]["pointer"] == "#/bars/1"
    assert (nobodys.status_code, nobodys.json()["errors"][0]["pointer"]) == (404, "#/bars/1")


async def test_history_may_come_after_the_first_live_bar(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    await client.post("/v1/bars", json=bars_json(bars(HISTORY)[-1:]))

    response = await client.post("/v1/bars", json=bars_json(bars(HISTORY)))
    order = await sent(client)

    assert response.json() == {"accepted": HISTORY - 1, "duplicates": 1, "gaps_filled": 0, "revised": 0}
    assert (await next_slice(client, order["order_id"]))["slice"]["basis"] == "model"


@pytest.mark.parametrize("lines", [False, True])
async def test_wrong_bars_are_left_out_of_a_partial_request(client: httpx.AsyncClient, lines: bool) -> None:
    await prepared(client, history=3)
    good = [bar_json(bar) for bar in bars(6)]
    request = [good[3], good[4] | {"close": 100}, good[4] | {"high": "1"}, {"nonsense": 1}, good[4], good[5]]
    content = "\n".join(map(json.dumps, request)) if lines else json.dumps({"bars": request})
    headers = NDJSON if lines else {"content-type": "application/json"}

    response = await client.post("/v1/bars?partial=true", content=content, headers=headers)

    answer = response.json()
    assert (response.status_code, answer["accepted"]) == (200, 3)
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
        (1, "decimal_not_a_string"),
        (2, "high_below_low"),
        (3, "field_missing"),
    ]
    assert answer["rejected"][0]["detail"].startswith("close: ")


async def test_a_partial_request_of_which_no_bar_can_be_read_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/bars?partial=true", json={"bars": [bar_json(a_bar(0), close=1), 1]})

    pointers = [each["pointer"] for each in response.json()["errors"]]
    assert (response.status_code, response.json()["code"]) == (422, "decimal_not_a_string")
    assert pointers == ["#/bars/0/close", "#/bars/1"]


async def test_a_whole_number_may_come_with_a_point(client: httpx.AsyncClient) -> None:
    """A language without whole numbers may write 31220.0, which is the same number to JSON."""
    await prepared(client, history=3)
    good = bar_json(a_bar(3))

    first = await client.post("/v1/bars", json={"bars": [good | {"trades": 31220}]})
    again = await client.post("/v1/bars", json={"bars": [good | {"trades": 31220.0}]})

    assert (first.json()["accepted"], again.json()["duplicates"]) == (1, 1)


async def test_a_misspelled_partial_is_refused(client: httpx.AsyncClient) -> None:
    """Taken for nothing, it would hold up the right bars behind a wrong one."""
    response = await client.post("/v1/bars?partail=true", json={"bars": [bar_json(a_bar(0))]})

    assert (response.status_code, response.json()["code"]) == (422, "unknown_field")
    assert response.json()["errors"][0]["parameter"] == "partail"


async def test_a_partial_request_without_a_right_bar_changes_nothing(client: httpx.AsyncClient) -> None:
    nobodys = await client.post("/v1/bars?partial=true", json=bars_json([a_bar(0)], "NOBODY"))

    assert (nobodys.status_code, nobodys.json()["rejected"][0]["code"]) == (200, "unknown_instrument")


async def test_a_partial_request_is_bounded_as_any_other(client: httpx.AsyncClient) -> None:
    too_many = await client.post("/v1/bars?partial=true", json={"bars": [{}] * (BARS_MAX + 1)})
    no_json = await client.post("/v1/bars?partial=true", content="{", headers={"content-type": "application/json"})

    assert (too_many.status_code, too_many.json()["code"]) == (422, "too_many")
    assert no_json.json()["code"] == "bad_json"


async def test_the_settings_of_late_bars_and_gaps_reach_the_engine(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, clock=ClockKind.BARS, grace_seconds=7, gap_days_max=3)
    async with services(settings, ServiceMetrics()) as parts:
        await parts.engine.instruments.put(an_instrument())
        await parts.engine.bars.post([to_feed(a_bar(0))])

        with pytest.raises(InvalidInput):
            await parts.engine.bars.post([to_feed(a_bar(4 * 96))])

        assert parts.engine.late_slices._lateness.grace(an_instrument()).total_seconds() == 7
