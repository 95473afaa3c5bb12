"""`lem demo`: serve, replay, trade, show."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx
from rich.console import Console
from rich.live import Live

from app.demo import oms as desk
from app.demo import replay as market
from app.demo.oms import Ticket
from app.demo.server import ServerFailed, serving
from app.demo.table import live_table, summary_table

HISTORY = 600
"""Windows before the first order."""
REPLAY = 8 + desk.MAX_STEPS
"""One order is sent at each of the first 8 windows."""
BARS_PER_POST = 2_000
TIMEOUT_SECONDS = 30.0
PLAIN_WIDTH = 100
"""Columns where there is no terminal to ask."""


class DemoFailed(Exception):
    """Why, in one line."""


def run(bundle: Path | None, bars_per_second: float) -> list[Ticket]:
    """Show it on the terminal, or print the end of it where there is none. Raises DemoFailed."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    try:
        feed = market.load(HISTORY, REPLAY)
        console.print(f"bars: {feed.source}")
        with (
            TemporaryDirectory(prefix="lem-demo-") as folder,
            serving(data_dir=Path(folder), bundle=bundle) as server,
            httpx.Client(base_url=server.address, timeout=TIMEOUT_SECONDS) as client,
        ):
            console.print(f"service: {server.address}, with an embedded store of its own")
            tickets = _trade(client, feed, console, 1.0 / bars_per_second)
    except (ServerFailed, desk.Refused, httpx.HTTPError) as error:
        raise DemoFailed(str(error)) from error
    _conclude(console, tickets)
    return tickets


def _trade(client: httpx.Client, feed: market.Replay, console: Console, pause_seconds: float) -> list[Ticket]:
    """Replay the bars: before each of the first ones an order is sent, after each all are polled."""
    desk.register(client, feed.symbols, feed.terms)
    for first in range(0, len(feed.history), BARS_PER_POST):
        desk.post_bars(client, feed.history[first : first + BARS_PER_POST])
    tickets = desk.tickets(feed.symbols)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for place, bars in enumerate(feed.replay):
            due = monotonic() + pause_seconds
            if place < len(tickets):
                desk.send(client, tickets[place])
            desk.post_bars(client, list(bars))
            for ticket in tickets[: place + 1]:
                desk.poll(client, ticket)
            _show(console, live, tickets, bars[0]["open_time"])
            sleep(max(0.0, due - monotonic()))
            if all(ticket.ended for ticket in tickets):
                break
    return tickets


def _show(console: Console, live: Live, tickets: list[Ticket], open_time: str) -> None:
    """The table where it can be drawn again and again; a line a bar where it cannot."""
    if console.is_terminal:
        live.update(live_table(tickets, f"bar {open_time}"), refresh=True)
        return
    statuses = Counter(ticket.order.get("status", "to come") for ticket in tickets)
    console.print(f"bar {open_time}: " + ", ".join(f"{count} {status}" for status, count in statuses.items()))


def _conclude(console: Console, tickets: list[Ticket]) -> None:
    console.print(summary_table(tickets))
    slippages = [Decimal(ticket.order["slippage_bps"]) for ticket in tickets if ticket.order["slippage_bps"]]
    steps = sum(ticket.order["step"] for ticket in tickets)
    console.print(
        f"{len(tickets)} orders, {steps} slices; slippage {sum(slippages):+.1f} bps in sum,"
        f" {mean(slippages):+.1f} in the mean (negative: better than the benchmark).\n"
        "Eight orders show how it works, not how good it is: for that, see the backtest in the README."
    )
