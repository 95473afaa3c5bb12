"""The tables of the demo, at most 80 columns wide, and with fewer columns on a narrower terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.backtest.job import LEM
from app.demo.comparing import RULES, Compared
from app.demo.oms import Ticket
from lem_client import Basis, Order

FALLBACK_MARK = "*"
WHOLE_WIDTH = 80
"""Columns of a terminal that has room for all columns of a table."""
WORDS = ("status", "stop")
NARROW_WITHOUT = ("done %", "status", "stop")


def live_table(tickets: list[Ticket], bar: str, width: int) -> Table:
    """The state of every order now."""
    rows = [_live_row(ticket) for ticket in tickets]
    heads = ("steps", "done %", "slice now", "bps", "status", "stop")
    return _table(f"bar {bar}; bps: slippage so far; {FALLBACK_MARK} fallback", heads, rows, width)


def summary_table(tickets: Sequence[Ticket], found: Compared, width: int) -> Table:
    """The end of every order: its steps, out of the least and the most, and its slippage beside that of the rules;
    below them the mean and the spread."""
    policies = (LEM, *RULES)
    ended = [(ticket, ticket.order) for ticket in tickets if ticket.order and ticket.order.slippage_bps is not None]
    rows = []
    for index, (ticket, order) in enumerate(ended):
        bps = (_bps(found.slippage_bps[policy][index]) for policy in policies)
        rows.append((name_of(ticket), _steps(order, width), *bps, order.stop_reason or ""))
    heads = ("steps", *(policy.upper() if policy == LEM else policy for policy in policies), "stop")
    table = _table("Summary: slippage in bps", heads, rows, width)
    table.add_section()
    means = (_bps(found.total[policy]["slippage_bps_mean"]) for policy in policies)
    spreads = (f"{found.total[policy]['slippage_bps_std']:.1f}" for policy in policies)
    table.add_row(f"mean of {len(ended)} orders", "", *means)
    table.add_row("standard deviation", "", *spreads)
    return table


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True
    )
    table.add_column("order", no_wrap=True)
    shown = [place for place, head in enumerate(heads) if width >= WHOLE_WIDTH or head not in NARROW_WITHOUT]
    for place in shown:
        table.add_column(heads[place], justify="left" if heads[place] in WORDS else "right", no_wrap=True)
    for name, *cells in rows:
        table.add_row(name, *(cells[place] for place in shown))
    return table


def _live_row(ticket: Ticket) -> tuple[str, ...]:
    order = ticket.order
    if order is None:
        return (name_of(ticket), "", "", "", "", "to come", "")
    steps, done = f"{order.step}/{order.horizon.max_steps}", f"{_done(order) * 100:.1f}"
    now = (_slice(ticket), _bps(order.slippage_bps), order.status, order.stop_reason or "")
    return (name_of(ticket), steps, done, *now)


def name_of(ticket: Ticket) -> str:
    """The instrument and the scenario of the order."""
    sent = ticket.sent
    return f"{sent.instrument} {sent.side} {sent.benchmark} {'quantity' if sent.quantity else 'notional'}"


def _steps(order: Order, width: int) -> str:
    """The step of the end, and between which steps the order could end."""
    horizon = order.horizon
    if width < WHOLE_WIDTH:
        return f"{order.step}/{horizon.max_steps}"
    return f"{order.step} of {horizon.min_steps}..{horizon.max_steps}"


def _done(order: Order) -> Decimal:
    """The share of the order that is filled."""
    return 1 - order.leaves / (order.quantity or order.notional or order.leaves)


def _slice(ticket: Ticket) -> str:
    if ticket.slice is None:
        return ""
    mark = "" if ticket.slice.basis is Basis.MODEL else FALLBACK_MARK
    size = ticket.slice.quantity if ticket.sent.quantity else ticket.slice.notional
    return f"{size:,.0f}{mark}"


def _bps(bps: Decimal | float | None) -> str:
    return "" if bps is None else f"{float(bps):+z.1f}"
