"""The example of the documentation trades an order to its end with a real service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.demo.server import serving
from docs.oms_example import work
from lem_client import Client, Fills, Horizon, Order, Status
from tests.api.wire import HISTORY, SYMBOL
from tests.client.desk import an_instrument, an_order, bars

pytestmark = pytest.mark.spawns

EXAMPLE = Path(__file__).parents[2] / "docs" / "oms_example.py"


class MarketMovesOn(Client):
    """A client behind whose back the next bar comes as soon as a slice is done."""

    bars_sent = count(HISTORY)

    def close_slice(self, order_id: str, step: int) -> Order:
        closed = super().close_slice(order_id, step)
        self.post_bars(bars(1, first=next(self.bars_sent)))
        return closed


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving(data_dir=tmp_path / "data") as server:
        yield server.address


def test_the_example_trades_an_order_to_its_end_and_may_be_started_again(address: str) -> None:
    terms: dict[str, Any] = {"client_order_id": f"example-{SYMBOL}-10", "horizon": Horizon(min_steps=4, max_steps=12)}
    with MarketMovesOn(address, timeout_seconds=60.0) as lem:
        lem.put_instrument(an_instrument())
        lem.post_bars(bars(HISTORY))

        ended = work(lem, an_order(fills=Fills.REPORTED, **terms), poll_seconds=0.01)
    again = subprocess.run(
        [sys.executable, str(EXAMPLE), address, SYMBOL, "10"],
        env={"PYTHONPATH": str(EXAMPLE.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (ended.status, ended.filled_quantity, ended.leaves) == (Status.COMPLETED, Decimal(10), 0)
    assert 4 <= ended.step <= 12
    assert again.stdout.startswith(f"completed: 10 at {ended.avg_price}, slippage ")
