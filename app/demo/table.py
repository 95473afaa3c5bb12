"""How the demo looks."""

from __future__ import annotations

from decimal import Decimal

from rich.table import Table

from app.demo.desk import Ticket

WHY = {"model": "model chose to", "early": "pace was done", "max_steps": "max_steps"}


def live_table(tickets: list[Ticket], title: str) -> Table:
    """Where every order stands now."""
    table = _table(title, "slice now", "slippage bps", "status", "stopped by")
    for ticket in tickets:
        order = ticket.order
        if not order:
            table.add_row(*_head(ticket), "", "", "", "to come", "")
            continue
        table.add_row(
            *_head(ticket),
            f"{order['step']}/{order['horizon']['max_steps']}",
            f"{_done(order) * 100:.1f}",
            _slice(ticket),
            _bps(order["slippage_bps"]),
            order["status"],
            WHY.get(order["stop_reason"] or "", ""),
        )
    return table


def summary_table(tickets: list[Ticket]) -> Table:
    """How every order ended."""
    table = _table("Summary (slippage: positive is a cost)", "avg price", "benchmark", "slippage bps", "stopped by")
    for ticket in tickets:
        order = ticket.order
        horizon = order["horizon"]
        table.add_row(
            *_head(ticket),
            f"{order['step']} of {horizon['min_steps']}..{horizon['max_steps']}",
            f"{_done(order) * 100:.1f}",
            _price(order["avg_price"]),
            _price(order["benchmark_price"]),
            _bps(order["slippage_bps"]),
            WHY.get(order["stop_reason"] or "", ""),
        )
    return table


def _table(title: str, *last: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("order", "instrument", "scenario"):
        table.add_column(name)
    for name in ("steps", "done %", *last[:3]):
        table.add_column(name, justify="right", no_wrap=True)
    for name in last[3:]:
        table.add_column(name)
    return table


def _head(ticket: Ticket) -> tuple[str, str, str]:
    body = ticket.body
    size_mode = "quantity" if "quantity" in body else "notional"
    return body["client_order_id"], body["instrument"], f"{body['side']} {body['benchmark']} {size_mode}"


def _done(order: dict[str, str]) -> Decimal:
    size = Decimal(order["quantity"] or order["notional"])
    return 1 - Decimal(order["leaves"]) / size


def _slice(ticket: Ticket) -> str:
    if ticket.slice is None:
        return ""
    fixed = "quantity" if "quantity" in ticket.body else "notional"
    mark = "" if ticket.slice["basis"] == "model" else " (fallback)"
    return f"{Decimal(ticket.slice[fixed]):,.0f}{mark}"


def _price(text: str | None) -> str:
    return f"{Decimal(text):,.4f}" if text else ""


def _bps(text: str | None) -> str:
    return f"{round(Decimal(text), 1) + 0:+}" if text else ""
