"""Orders of a whole session in New York, given by times, through `lem serve` as a real process."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.demo.server import serving
from tests.api.wire import SYMBOL, Json, bars_json, instrument_json, order_json
from tests.clock.session_bars import session_bars
from tests.processes.replicas import PATIENT_SECONDS

pytestmark = pytest.mark.spawns

NEW_YORK = ZoneInfo("America/New_York")
FIVE_MINUTES, HALF_HOUR = 300, 1_800
FULL_DAY, HALF_DAY = "2024-11-27", "2024-11-29"
"""The day before Thanksgiving, and the day after it, which closes at 13:00."""
made_once = cache(session_bars)


def in_new_york(day: str, clock: str) -> str:
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=NEW_YORK).isoformat()


def whole_day(day: str, earliest: str) -> Json:
    """An order until the usual close, in steps of half an hour."""
    ends = {"earliest_end": in_new_york(day, earliest), "latest_end": in_new_york(day, "16:00")}
    return order_json(client_order_id=day, horizon=ends | {"step_seconds": HALF_HOUR})


def feed(client: httpx.Client, since: str, until: str) -> None:
    """The bars that open in that time, as New York's clock has it."""
    first, end = (datetime.fromisoformat(each).replace(tzinfo=NEW_YORK) for each in (since, until))
    every = made_once("XNYS", FIVE_MINUTES, "2024-11-12", "2024-11-30")
    made = [bar for bar in every if first <= bar.open_time < end]
    response = client.post("/v1/bars", json=bars_json(made))
    assert response.status_code == 200, response.text
    assert response.json()["accepted"] == len(made)


def windows(client: httpx.Client, order_id: str) -> list[Any]:
    steps = client.get(f"/v1/orders/{order_id}/schedule").json()["steps"]
    return [(step["window"]["start"], step["window"]["end"]) for step in steps if step["slice"]]


def test_a_whole_day_ends_with_its_session_on_a_full_day_and_on_half_a_day(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json(bar_seconds=FIVE_MINUTES, calendar="XNYS"))
        feed(client, "2024-11-12", "2024-11-27")
        full = client.post("/v1/orders", json=whole_day(FULL_DAY, "16:00"))
        feed(client, f"{FULL_DAY} 09:30", f"{FULL_DAY} 12:20")

    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        again = client.post("/v1/orders", json=whole_day(FULL_DAY, "16:00"))
        feed(client, f"{FULL_DAY} 12:20", HALF_DAY)
        half = client.post("/v1/orders", json=whole_day(HALF_DAY, "16:00"))
        feed(client, HALF_DAY, "2024-11-30")
        ended = {each["client_order_id"]: each for each in client.get("/v1/orders").json()["orders"]}
        traded = {day: windows(client, each["order_id"]) for day, each in ended.items()}

    assert (full.status_code, again.status_code, half.status_code) == (201, 200, 201)
    assert [each.json()["horizon"] for each in (full, again)] == [
        {
            "min_steps": 13,
            "max_steps": 13,
            "step_seconds": HALF_HOUR,
            "earliest_end": "2024-11-27T21:00:00Z",
            "latest_end": "2024-11-27T21:00:00Z",
        }
    ] * 2
    assert (half.json()["horizon"]["min_steps"], half.json()["horizon"]["max_steps"]) == (7, 7)
    assert {day: (each["status"], each["step"]) for day, each in ended.items()} == {
        FULL_DAY: ("completed", 13),
        HALF_DAY: ("completed", 7),
    }
    assert (traded[FULL_DAY][0][0], traded[FULL_DAY][-1][1]) == ("2024-11-27T14:30:00Z", "2024-11-27T21:00:00Z")
    assert (traded[HALF_DAY][0][0], traded[HALF_DAY][-1][1]) == ("2024-11-29T14:30:00Z", "2024-11-29T18:00:00Z")
    assert not any(each["benchmark_partial"] for each in ended.values())
