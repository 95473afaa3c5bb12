"""A small order management system: `python docs/oms_example.py URL INSTRUMENT QUANTITY`."""

import os
import sys
import time
from decimal import Decimal

from lem_client import Benchmark, Client, Fill, Fills, Horizon, NewOrder, Order, Side, Slice


def traded(piece: Slice) -> Fill:
    """Your venue stands here. This one fills all at the last close, as soon as the window opens."""
    return Fill(
        execution_id=f"{piece.slice_id}-1",
        slice_id=piece.slice_id,
        quantity=piece.quantity,
        price=round(piece.notional / piece.quantity, 2),
        executed_at=piece.window.start,
    )


def work(lem: Client, order: NewOrder, poll_seconds: float = 1.0) -> Order:
    """Trade the order to its end. To start again after a crash is safe: an order and a fill are each taken once."""
    order_id, newest = lem.post_order(order).order_id, ""
    while True:
        found = lem.next_slice(order_id, wait_seconds=30)
        if found.slice is not None and found.slice.slice_id != newest:
            newest = found.slice.slice_id
            if found.slice.quantity:
                lem.post_fill(order_id, traded(found.slice))
            lem.close_slice(order_id, found.slice.step)
        elif found.status.live:
            time.sleep(poll_seconds)  # this window's slice is done; the next one comes with the next bar
        else:
            return lem.get_order(order_id)


if __name__ == "__main__":
    url, symbol, size = sys.argv[1:]
    bought = NewOrder(
        client_order_id=f"example-{symbol}-{size}",
        instrument=symbol,
        side=Side.BUY,
        quantity=Decimal(size),
        benchmark=Benchmark.VWAP,
        horizon=Horizon(min_steps=4, max_steps=12),
        fills=Fills.REPORTED,
    )
    with Client(url, api_key=os.environ.get("LEM_API_KEY")) as client:
        end = work(client, bought)
    print(f"{end.status}: {end.filled_quantity} at {end.avg_price}, slippage {end.slippage_bps} bps")
