"""Valid values with defaults: a test names only what it is about.

Times are UTC and start on a Monday at midnight; bars are of 15 minutes; prices are near 100.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from app.access.api_keys import ApiKey, Scope, digest_of, new_key_text
from app.domain.bar import Bar
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.order import Benchmark, Horizon, Order, Side, SizeMode, order_id_of
from app.domain.projection import Projection, Room
from app.domain.slice import Basis, Decided, Window
from app.domain.state import OrderState
from app.domain.transitions import accept

START = datetime(2025, 1, 6, tzinfo=UTC)
BAR_SECONDS = 900
PRICE = Decimal(100)


def at(step: int, bar_seconds: int = BAR_SECONDS) -> datetime:
    """The open of the bar `step` bars after START; the close of the one before."""
    return START + timedelta(seconds=step * bar_seconds)


def a_window(step: int = 0, bar_seconds: int = BAR_SECONDS) -> Window:
    return Window(at(step, bar_seconds), at(step + 1, bar_seconds))


def an_instrument(**changes: Any) -> Instrument:
    """Lots of 0.01, no minimum, bars of 15 minutes, round the clock."""
    defaults: dict[str, Any] = {
        "symbol": "BTC-USDT",
        "bar_seconds": BAR_SECONDS,
        "lot_size": Decimal("0.01"),
        "tick_size": Decimal("0.01"),
    }
    return Instrument(**(defaults | changes))


def a_bar(step: int = 0, *, price: Decimal | int | str = PRICE, bar_seconds: int = BAR_SECONDS, **changes: Any) -> Bar:
    """Bar number `step`, flat at `price`, with 50 traded in it."""
    defaults: dict[str, Any] = {
        "open_time": at(step, bar_seconds),
        "close_time": at(step + 1, bar_seconds),
        **dict.fromkeys(("open", "high", "low", "close"), Decimal(price)),
        "volume": Decimal(50),
    }
    return Bar(**(defaults | changes))


def bars(count: int, *, first: int = 0, seed: int = 0, bar_seconds: int = BAR_SECONDS) -> list[Bar]:
    """Consecutive bars from number `first` on: a seeded random walk with true ranges, notional and trades."""
    return list(_walk(count, first, seed, bar_seconds))


@cache
def _walk(count: int, first: int, seed: int, bar_seconds: int) -> list[Bar]:
    random = Random(seed)
    made, last = [], PRICE
    for step in range(first, first + count):
        close = (last * Decimal(1 + random.gauss(0, 0.002))).quantize(Decimal("0.01"))
        volume = Decimal(random.randrange(1_000, 9_000)) / 100
        made.append(
            a_bar(
                step,
                bar_seconds=bar_seconds,
                open=last,
                high=max(last, close) + Decimal("0.05"),
                low=min(last, close) - Decimal("0.05"),
                close=close,
                volume=volume,
                notional=volume * (last + close) / 2,
                trades=random.randrange(1, 500),
            )
        )
        last = close
    return made


def an_order(*, client_order_id: str = "oms-1", min_steps: int = 1, max_steps: int = 12, **changes: Any) -> Order:
    """Buy 10 against VWAP, assumed fills, no limits."""
    defaults: dict[str, Any] = {
        "order_id": order_id_of(client_order_id),
        "client_order_id": client_order_id,
        "instrument": "BTC-USDT",
        "side": Side.BUY,
        "size": Decimal(10),
        "size_mode": SizeMode.QUANTITY,
        "benchmark": Benchmark.VWAP,
        "horizon": Horizon(min_steps=min_steps, max_steps=max_steps),
    }
    return Order(**(defaults | changes))


def an_order_state(
    order: Order | None = None, instrument: Instrument | None = None, *, last_price: Decimal | str = PRICE
) -> OrderState:
    """An order just accepted, its first window being bar 0's."""
    return accept(order or an_order(), instrument or an_instrument(), START, Decimal(last_price))


def a_room(**changes: Any) -> Room:
    """Step 1 of 1..12 of an untouched order of 1000 lots without limits. `leaves` and `slice_cap` follow `total`."""
    total = changes.get("total", 1000)
    defaults: dict[str, Any] = {"step": 1, "min_steps": 1, "max_steps": 12, "total": total}
    return Room(**(defaults | {"leaves": total, "slice_cap": total} | changes))


def a_projection(lots: int, **changes: Any) -> Projection:
    """A plain slice that ends nothing and that nothing bound."""
    defaults: dict[str, Any] = {"stopping": False, "final": False, "bound_by": None, "stop_reason": None}
    return Projection(lots=lots, **(defaults | changes))


def a_decided(**changes: Any) -> Decided:
    """A proposal of the model `lem-test`, made at START on the bar before it."""
    defaults: dict[str, Any] = {
        "model": "lem-test",
        "basis": Basis.MODEL,
        "allocation": "0.1",
        "stop_probability": "0.0",
        "decided_on": at(-1),
        "decided_at": START,
    }
    return Decided(**(defaults | changes))


def an_api_key(**changes: Any) -> tuple[ApiKey, str]:
    """A key with every scope that is made at START, and its text."""
    prefix, text = new_key_text()
    defaults: dict[str, Any] = {
        "prefix": prefix,
        "digest": digest_of(text.encode()),
        "name": "oms",
        "scopes": frozenset(Scope),
        "created_at": START,
    }
    return ApiKey(**(defaults | changes)), text


def a_fill(state: OrderState, **changes: Any) -> Fill:
    """A report of 1 at 100 on the newest slice of `state`."""
    defaults: dict[str, Any] = {
        "execution_id": "exec-1",
        "slice_id": f"{state.order_id}-{state.step}",
        "quantity": Decimal(1),
        "price": PRICE,
        "executed_at": state.next_open,
    }
    return Fill(**(defaults | changes))
