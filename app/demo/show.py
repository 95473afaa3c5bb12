"""`lem demo`: serve, replay, trade, show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from rich.console import Console
from rich.live import Live

from app.demo.oms import MAX_STEPS, Ticket, poll, send, tickets_of
from app.demo.replay import Replay, load_replay
from app.demo.server import ServerFailed, serving
from app.demo.table import live_table, summary_table
from lem_client import Client, ClientError

HISTORY_WINDOWS = 600
"""Windows before the first order."""
REPLAY_WINDOWS = 8 + MAX_STEPS
"""One order is sent at each of the first 8 windows."""
BARS_PER_POST = 2_000
TIMEOUT_SECONDS = 30.0
PLAIN_WIDTH = 100
"""Columns of the output where there is no terminal."""


class DemoFailed(Exception):
    """The message says why in one line."""


def run_demo(bundle: Path | None, bars_per_second: float) -> list[Ticket]:
    """Run the demo with a live table on a terminal, or with a line for each bar elsewhere. Raises DemoFailed."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    try:
        replay = load_replay(HISTORY_WINDOWS, REPLAY_WINDOWS)
        console.print(f"bars: {replay.source}")
        with (
            TemporaryDirectory(prefix="lem-demo-") as folder,
            serving(data_dir=Path(folder), bundle=bundle) as server,
            Client(server.address, timeout_seconds=TIMEOUT_SECONDS) as lem,
        ):
            console.print(f"service: {server.address}, with an embedded store of its own")
            tickets = _trade(lem, replay, console, 1.0 / bars_per_second)
    except (ServerFailed, ClientError) as error:
        raise DemoFailed(str(error)) from error
    _conclude(console, tickets)
    return tickets


def _trade(lem: Client, replay: Replay, console: Console, pause_seconds: float) -> list[Ticket]:
    """Replay the bars. One more order is sent before each of the first bars; all orders are polled after each bar."""
    for instrument in replay.instruments:
        lem.put_instrument(instrument)
    for first in range(0, len(replay.history), BARS_PER_POST):
        lem.post_bars(replay.history[first : first + BARS_PER_POST])
    tickets = tickets_of(tuple(instrument.symbol for instrument in replay.instruments))
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for index, bars in enumerate(replay.windows):
            due = monotonic() + pause_seconds
            if index < len(tickets):
                send(lem, tickets[index])
            lem.post_bars(bars)
            for ticket in tickets[: index + 1]:
                poll(lem, ticket)
            _show(console, live, tickets, f"{bars[0].open_time:%Y-%m-%d %H:%M}")
            sleep(max(0.0, due - monotonic()))
            if all(ticket.ended for ticket in tickets):
                break
    return tickets


def _show(console: Console, live: Live, tickets: list[Ticket], open_time: str) -> None:
    """Redraw the table on a terminal; print one line for the bar elsewhere."""
    if console.is_terminal:
        live.update(live_table(tickets, f"bar {open_time}"), refresh=True)
        return
    statuses = Counter(ticket.order.status if ticket.order else "to come" for ticket in tickets)
    console.print(f"bar {open_time}: " + ", ".join(f"{count} {status}" for status, count in statuses.items()))


def _conclude(console: Console, tickets: list[Ticket]) -> None:
    console.print(summary_table(tickets))
    orders = [ticket.order for ticket in tickets if ticket.order is not None]
    slippages = [order.slippage_bps for order in orders if order.slippage_bps is not None]
    steps = sum(order.step for order in orders)
    console.print(
        f"{len(orders)} orders, {steps} slices; slippage {sum(slippages):+.1f} bps in sum,"
        f" {mean(slippages):+.1f} in the mean (negative: better than the benchmark).\n"
        "Eight orders show how it works, not how good it is: for that, see the results in the README."
    )
