"""`lem demo`: serve, replay, trade, compare, show; and stay where that is asked for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx
from pydantic import ValidationError
from rich.live import Live

from app.demo.comparing import compared
from app.demo.conclusion import conclusion
from app.demo.interrupts import Stopped
from app.demo.oms import MAX_STEPS, Ticket, poll, send, tickets_of
from app.demo.replay import Replay, load_replay
from app.demo.server import Server, ServerFailed, serving
from app.demo.table import live_table, name_of, summary_table
from app.demo.terminal import Screen, open_browser
from app.domain.errors import LemError
from app.settings import Settings, said_of
from lem_client import Client, ClientError

HISTORY_WINDOWS = 600
"""Windows before the first order."""
REPLAY_WINDOWS = 8 + MAX_STEPS
"""One order is sent at each of the first 8 windows."""
BARS_PER_POST = 2_000
TIMEOUT_SECONDS = 30.0
BARS_PER_LINE = 5
"""In a log, which has no room for a line for each bar."""
LINKS_WIDTH = 100
"""Columns that have room for the whole address of an order's page."""
WHY = (
    "An order may end early here, and its benchmark ends with it: the service holds an option on the end, which a plain"
    " TWAP throws away. A model trades 8 orders, one of each kind, on bars that are replayed at speed. At the end each"
    " order stands beside what a plain TWAP and blind stopping, a rule without a model, would have made of it on the"
    " same bars. Positive slippage is a cost."
)


class DemoFailed(Exception):
    """The message says why in one line."""


def run_demo(bundle: Path | None, bars_per_second: float, *, stay: bool = False) -> list[Ticket]:
    """Run the demo with a live table on a terminal, or with a line for a few bars elsewhere. Raises DemoFailed.

    With `stay` the service goes on after the summary until Stopped is raised, which then ends the demo as asked.
    """
    screen = Screen()
    screen.say(WHY)
    try:
        decides = bundle or Settings().bundle
        with (
            TemporaryDirectory(prefix="lem-demo-") as folder,
            serving(data_dir=Path(folder), bundle=decides) as server,
            # A transport of its own asks no proxy of the environment: the service is on the loopback.
            Client(server.address, timeout_seconds=TIMEOUT_SECONDS, transport=httpx.HTTPTransport()) as lem,
        ):
            screen.say(_addresses(server.address, stay=stay))
            if stay:
                open_browser(screen, f"{server.address}/desk")
            replay = load_replay(HISTORY_WINDOWS, REPLAY_WINDOWS)
            screen.say(f"bars: {replay.source}")
            tickets = _trade(lem, replay, screen, 1.0 / bars_per_second)
            _conclude(screen, replay, tickets, decides)
            if stay:
                _stay(screen, server, tickets)
    except ValidationError as error:
        raise DemoFailed(said_of(error)) from error
    except (ServerFailed, ClientError, LemError) as error:
        raise DemoFailed(str(error)) from error
    return tickets


def _addresses(address: str, *, stay: bool) -> str:
    until = "until Ctrl-C" if stay else "until the summary; --stay keeps it"
    return f"\nservice: {address}, with an embedded store of its own\ndesk page: {address}/desk ({until})"


def _trade(lem: Client, replay: Replay, screen: Screen, pause_seconds: float) -> list[Ticket]:
    """Replay the bars. One more order is sent before each of the first bars; all orders are polled after each bar."""
    for instrument in replay.instruments:
        lem.put_instrument(instrument)
    for first in range(0, len(replay.history), BARS_PER_POST):
        lem.post_bars(replay.history[first : first + BARS_PER_POST])
    tickets = tickets_of(tuple(instrument.symbol for instrument in replay.instruments))
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        for index, bars in enumerate(replay.windows):
            due = monotonic() + pause_seconds
            if index < len(tickets):
                send(lem, tickets[index])
            lem.post_bars(bars)
            for ticket in tickets[: index + 1]:
                poll(lem, ticket)
            ended = all(ticket.ended for ticket in tickets)
            if screen.redraws or ended or index % BARS_PER_LINE == 0:
                _show(screen, live, tickets, f"{bars[0].open_time:%Y-%m-%d %H:%M}")
            sleep(max(0.0, due - monotonic()))
            if ended:
                break
    return tickets


def _show(screen: Screen, live: Live, tickets: list[Ticket], open_time: str) -> None:
    """Redraw the table on a terminal; print one line for the bar elsewhere."""
    if screen.redraws:
        live.update(live_table(tickets, open_time, screen.width), refresh=True)
        return
    statuses = Counter(ticket.order.status if ticket.order else "to come" for ticket in tickets)
    screen.say(f"bar {open_time}: " + ", ".join(f"{count} {status}" for status, count in statuses.items()))


def _conclude(screen: Screen, replay: Replay, tickets: list[Ticket], bundle: Path) -> None:
    found = compared(replay, tickets, bundle)
    screen.print()
    screen.print(summary_table(tickets, found, screen.width))
    screen.print()
    for line in conclusion(found):
        screen.say(line)


def _stay(screen: Screen, server: Server, tickets: list[Ticket]) -> None:
    """Wait until a signal asks for the end, or the service is gone. Raises ServerFailed for the latter."""
    link = f"{server.address if screen.width >= LINKS_WIDTH else ''}/desk/orders/"
    try:
        screen.say(f"\nThe orders have ended, and each has its page below {server.address}:")
        for ticket in tickets:
            if ticket.order is not None:
                screen.say(f"{name_of(ticket):<24} {link}{ticket.order.order_id}")
        screen.say("The service goes on. Ctrl-C ends it.")
        raise ServerFailed(f"the service ended with exit code {server.process.wait()}")
    except Stopped:
        screen.say("Ended.")
