"""The state of each open instrument's feed: the age of its newest bar, and how long the next bar is overdue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.domain.bar import Bar
from app.domain.errors import InvalidInput
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.live_orders import LiveOrders
from app.engine.ports import Clock

SILENT_SECONDS_MIN = 10.0


@dataclass(frozen=True, slots=True)
class Feed:
    """`age_seconds` since the newest bar closed; `overdue_seconds` since the bar after that should have closed, 0
    before then. `silent`: orders await that bar, and it is overdue by more than 10 s and more than a bar."""

    symbol: str
    age_seconds: float
    overdue_seconds: float
    silent: bool


class Feeds:
    """The feeds by the engine's clock: with `--clock bars` nothing is ever overdue, since time stands still until a bar
    comes."""

    def __init__(self, instruments: LiveInstruments, live_orders: LiveOrders, clock: Clock) -> None:
        self._instruments = instruments
        self._live_orders = live_orders
        self._clock = clock
        self._expected: dict[str, tuple[Bar, datetime | None]] = {}

    def all(self) -> list[Feed]:
        """The feed of every instrument that has bars and is owned by this process."""
        return list(self._feeds())

    def silent(self) -> list[str]:
        """The instruments whose orders await a feed that is silent, by name."""
        return sorted(feed.symbol for feed in self._feeds() if feed.silent)

    def _feeds(self) -> Iterator[Feed]:
        for live in self._instruments.opened:
            if live.owned and live.newest is not None:
                yield self._feed(live)

    def _feed(self, live: LiveInstrument) -> Feed:
        now, expected = self._clock.now(live.last.close_time), self._expected_close(live)
        overdue = max(0.0, (now - expected).total_seconds()) if expected else 0.0
        too_long = overdue > max(SILENT_SECONDS_MIN, live.instrument.bar_seconds)
        return Feed(
            symbol=live.symbol,
            age_seconds=max(0.0, (now - live.last.close_time).total_seconds()),
            overdue_seconds=overdue,
            silent=too_long and self._live_orders.has_orders(live.symbol),
        )

    def _expected_close(self, live: LiveInstrument) -> datetime | None:
        """When the bar after the newest one closes, looked up once a bar; None beyond the end of the calendar."""
        known = self._expected.get(live.symbol)
        if known is None or known[0] is not live.last:
            try:
                expected = live.close_of(live.frontier, live.instrument.bar_seconds)
            except InvalidInput:
                expected = None
            known = self._expected[live.symbol] = (live.last, expected)
        return known[1]
