"""A full day of bars, orders and harm, after which every order is known from its events alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trading_day.day import trade

pytestmark = pytest.mark.spawns

ORDERS = 500


async def test_the_events_of_a_full_day_rebuild_every_order_though_the_service_is_killed_meanwhile(
    tmp_path: Path,
) -> None:
    told = await trade(tmp_path / "data", seed=0, orders=ORDERS)

    assert told.failures == []
    assert told.counts["order"] == ORDERS
    for kind in ("pause", "resume", "replace", "cancel", "bust", "correction", "late fill", "close", "fill again"):
        assert told.counts[kind], kind
    assert told.counts["restart after SIGKILL"] == told.counts["restart after SIGTERM"] == 1
