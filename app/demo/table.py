"""The tables of the demo, at most 80 columns wide."""

from __future__ import annotations

from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.demo.oms import Ticket
from lem_client import Basis, Order

FALLBACK_MARK = "*"


def live_table(tickets: list[Ticket], bar: str) -> Table:
    """The state of every order now."""
    title = f"bar {bar}; bps: slippage so far, positive is a cost; {FALLBACK_MARK} fallback"
    table = _table(title, "steps", "done %", "slice now", "bps", "status", "stop")
    for ticket in tickets:
        order = ticket.order
        if order is None:
            table.add_row(_name(ticket), "", "", "", "", "to come", "")
            continue
        steps, done = f"{order.step}/{order.horizon.max_steps}", f"{_done(order) * 100:.1f}"
        now = (_slice(ticket), _bps(order.slippage_bps), order.status, order.stop_reason or "")
        table.add_row(_name(ticket), steps, done, *now)
    return table


def summary_table(tickets: list[Ticket]) -> Table:
    """The end of every order: its steps, out of the least and the most, and its slippage."""
    title = "Summary; bps: slippage against the benchmark, positive is a cost"
    table = _table(title, "steps", "avg price", "benchmark", "bps", "stop")
    for ticket in tickets:
        order = ticket.order
        if order is None:
            continue
        steps = f"{order.step} of {order.horizon.min_steps}..{order.horizon.max_steps}"
        prices = (_price(order.avg_price), _price(order.benchmark_price))
        table.add_row(_name(ticket), steps, *prices, _bps(order.slippage_bps), order.stop_reason or "")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("order", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="left" if name in ("status", "stop") else "right", no_wrap=True)
    return table


def _name(ticket: Ticket) -> str:
    """The instrument and the scenario of the order."""
    sent = ticket.sent
    return f"{sent.instrument} {sent.side} {sent.benchmark} {'quantity' if sent.quantity else 'notional'}"


def _done(order: Order) -> Decimal:
    """The share of the order that is filled."""
    return 1 - order.leaves / (order.quantity or order.notional or order.leaves)


def _slice(ticket: Ticket) -> str:
    if ticket.slice is None:
        return ""
    mark = "" if ticket.slice.basis is Basis.MODEL else FALLBACK_MARK
    size = ticket.slice.quantity if ticket.sent.quantity else ticket.slice.notional
    return f"{size:,.0f}{mark}"


def _price(price: Decimal | None) -> str:
    return "" if price is None else f"{price:,.4f}"


def _bps(bps: Decimal | None) -> str:
    return "" if bps is None else f"{round(bps, 1) + 0:+}"
