"""An instrument that is deleted at one service is gone at all of them, and may be registered again at any."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.wire import HISTORY, SYMBOL, bars_json, instrument_json
from tests.builders import bars
from tests.processes.replicas import owner_pid, replicas, split, until
from tests.servers import a_server

pytestmark = pytest.mark.spawns

PATH = f"/v1/instruments/{SYMBOL}"


def test_an_instrument_is_deleted_at_a_service_that_does_not_own_it_and_comes_again(tmp_path: Path) -> None:
    made = bars(HISTORY + 1, bar_seconds=60)
    with a_server("redis") as url, replicas(tmp_path, url, 2) as started:
        started[0].prepared()
        owner, other = split(started, url)
        order = other.order()
        in_use = other.client.delete(PATH)
        other.post(f"/v1/orders/{order}/cancel", {})
        owner.feed(HISTORY)

        deleted, again = other.client.delete(PATH), owner.client.delete(PATH)
        lists = [each.client.get("/v1/instruments").json()["instruments"] for each in started]
        late = [each.client.post("/v1/bars", json=bars_json(bars(HISTORY + 2)[-1:])).status_code for each in started]
        until(lambda: all("lem_leases_held 0.0" in each.client.get("/metrics").text for each in started))
        created = owner.client.put(PATH, json=instrument_json(bar_seconds=60))
        taken = [other.post("/v1/bars", bars_json(made[:HISTORY])), owner.post("/v1/bars", bars_json(made[HISTORY:]))]
        order = other.order(client_order_id="oms-2")

        assert (in_use.status_code, in_use.json()["code"]) == (409, "instrument_in_use")
        assert (deleted.status_code, again.status_code) == (204, 404)
        assert (lists, late) == ([[], []], [404, 404])
        assert created.status_code == 201
        assert [(each["accepted"], "decided" in each) for each in taken] == [(HISTORY, False), (1, False)]
        assert owner.step(order) == 1
        assert owner_pid(url) in {each.pid for each in started}
