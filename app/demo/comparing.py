"""The demo's orders beside what the rules without a model would have made of them, on the same bars and terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from app.backtest.comparison import Row, comparison, is_total
from app.backtest.job import LEM, FileResult
from app.backtest.order_batch import trailing_mean
from app.backtest.order_tables import ORDERS_SCHEMA, orders_table
from app.backtest.paired_orders import paired_orders
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.series import Series
from app.bundles.card import CARD_FILE, Card
from app.bundles.seen_days import Sample, seen_days_of
from app.decision.policies.registry import baseline
from app.decision.policy import Policy
from app.demo.oms import MAX_STEPS, Ticket
from app.demo.replay import Replay
from app.domain.order import Benchmark, Scenario, Side, SizeMode
from lem_client import Bar, Order

RULES = {"blind": "optimal_stopping", "TWAP": "twap"}
"""The baselines by the names that the demo gives them: one that stops without a model, and one that never stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`slippage_bps` are the orders' by policy, `lem` being the service, in the order of the tickets that have ended;
    `total` are the rows of `comparison` over all of them, by policy. `samples` say what the bundle knows of the bars,
    and are empty where the bars are simulated."""

    slippage_bps: dict[str, list[float]]
    total: dict[str, Row]
    samples: tuple[Sample, ...]


def compared(replay: Replay, tickets: Sequence[Ticket], bundle: Path) -> Compared:
    """The bundle is the one that decided in the service; its card is read, no more."""
    results: dict[str, list[FileResult]] = {name: [] for name in (LEM, *RULES)}
    starts: list[tuple[str, int]] = []
    for ticket, bars in zip(tickets, replay.windows, strict=False):
        order = ticket.order
        if order is None or order.slippage_bps is None:
            continue
        series, opened = series_of(replay, ticket.sent.instrument), bars[0].open_time
        starts.append((ticket.sent.instrument, int(opened.timestamp())))
        results[LEM].append(_result(series, _served(ticket, order, opened)))
        for name, rule in RULES.items():
            outcome = simulated(series, ticket, opened, baseline(rule))
            results[name].append(_result(series, orders_table(series, outcome)))
    orders = paired_orders(results, None)
    rows = comparison(orders)
    totals = [row for row in rows if is_total(row)] or rows
    return Compared(
        slippage_bps={name: table.column("slippage_bps").to_pylist() for name, table in orders.tables.items()},
        total={row["policy"]: row for row in totals},
        samples=() if replay.simulated else _samples(bundle, starts),
    )


def simulated(series: Series, ticket: Ticket, opened: datetime, policy: Policy) -> Outcome:
    """What the policy would make of the ticket's order, whose first window opens at `opened`."""
    start = int(opened.timestamp())
    setup = Setup(
        min_steps=(ticket.min_steps,),
        max_steps=MAX_STEPS,
        every=1,
        risk_aversion=policy.risk_aversion,
        scenarios=(_scenario(ticket),),
        max_slice_fraction=ticket.sent.limits.max_slice_fraction or Decimal(1),
        order_share=_share(series, ticket, int(np.searchsorted(series.open_time, start))),
        start=start,
        end=start + 1,
    )
    return run_series(series, policy, setup)


def _share(series: Series, ticket: Ticket, first: int) -> float:
    """The order's size as a share of the volume expected in its horizon, which a backtest bounds by all of it."""
    sent = ticket.sent
    quantity = float(sent.quantity or 0) or float(sent.notional or 0) / float(series.close[first - 1])
    expected = MAX_STEPS * float(trailing_mean(series.volume, np.array([first]))[0])
    return min(1.0, quantity / expected)


def series_of(replay: Replay, symbol: str) -> Series:
    """All bars of the instrument, as the backtest reads them from a file."""
    (terms,) = (each for each in replay.instruments if each.symbol == symbol)
    bars = [bar for bar in replay.history if bar.instrument == symbol]
    bars += [bar for window in replay.windows for bar in window if bar.instrument == symbol]
    columns = {name: np.array([float(getattr(bar, name)) for bar in bars]) for name in ("open", "high", "low", "close")}
    return Series(
        instrument=symbol,
        bar_seconds=terms.bar_seconds,
        open_time=np.array([int(bar.open_time.timestamp()) for bar in bars]),
        volume=np.array([float(bar.volume) for bar in bars]),
        notional=np.array([_notional(bar) for bar in bars]),
        trades=np.zeros(len(bars)),
        synthetic=np.zeros(len(bars), dtype=np.bool_),
        **columns,
    )


def _notional(bar: Bar) -> float:
    return float("nan") if bar.notional is None else float(bar.notional)


def _scenario(ticket: Ticket) -> Scenario:
    sent = ticket.sent
    mode = SizeMode.QUANTITY if sent.quantity is not None else SizeMode.NOTIONAL
    return Scenario(Side(sent.side), Benchmark(sent.benchmark), mode)


def _served(ticket: Ticket, order: Order, opened: datetime) -> pa.Table:
    """The order as the service answered it, as a row of `ORDERS_SCHEMA`."""
    sent, scenario = ticket.sent, _scenario(ticket)
    row = {
        "instrument": sent.instrument,
        "start_time": opened,
        "side": scenario.side.value,
        "benchmark": scenario.benchmark.value,
        "size_mode": scenario.size_mode.value,
        "min_steps": ticket.min_steps,
        "max_steps": MAX_STEPS,
        "steps_used": order.step,
        "avg_price": _float(order.avg_price),
        "benchmark_price": _float(order.benchmark_price),
        "slippage_bps": _float(order.slippage_bps),
    }
    return pa.Table.from_pylist([row], schema=ORDERS_SCHEMA)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _result(series: Series, orders: pa.Table) -> FileResult:
    first = int(np.searchsorted(series.open_time, orders.column("start_time")[0].as_py().timestamp()))
    last = first + MAX_STEPS - 1
    horizon_seconds = int(series.open_time[last] - series.open_time[first]) + series.bar_seconds
    return FileResult(orders=orders, horizon_seconds=horizon_seconds, skipped=0, decisions=0, fallbacks=0)


def _samples(bundle: Path, starts: Sequence[tuple[str, int]]) -> tuple[Sample, ...]:
    """What the bundle's card says of orders by instrument and start, each sample once."""
    card = Card.model_validate_json((bundle / CARD_FILE).read_bytes())
    seen = seen_days_of(card, card.name)
    found = {str(seen.samples(symbol, np.array([start]))[0]) for symbol, start in starts}
    return tuple(sample for sample in Sample if sample.value in found)
