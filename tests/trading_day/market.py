"""Eight instruments and their bars of 15 minutes, made by a seed: six trade around the clock, two in New York."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from app.clock.calendars import calendar
from lem_client import Bar, Instrument

BAR_SECONDS = 900
BAR = timedelta(seconds=BAR_SECONDS)
BARS_A_DAY = 96
HISTORY = 160
"""Bars before the day: more than the shipped model needs to decide."""
OPENS = datetime(2025, 1, 6, 18, tzinfo=UTC)
"""A Monday in the afternoon of New York, so that a day has the end of one session and the begin of the next."""
CENT = LOT = Decimal("0.01")
MEAN_VOLUME = 50
ROUND_THE_CLOCK = ("ADA-USDT", "BTC-USDT", "DOT-USDT", "ETH-USDT", "SOL-USDT", "XRP-USDT")
IN_NEW_YORK = ("ACME", "EMCA")
SYMBOLS = (*ROUND_THE_CLOCK, *IN_NEW_YORK)


def instruments() -> list[Instrument]:
    """With lots of 0.01, and a minimum for some."""
    return [
        Instrument(
            symbol=symbol,
            bar_seconds=BAR_SECONDS,
            lot_size=LOT,
            tick_size=CENT,
            min_notional=Decimal(5 * (number % 2)),
            calendar="XNYS" if symbol in IN_NEW_YORK else "24/7",
        )
        for number, symbol in enumerate(SYMBOLS)
    ]


@dataclass(frozen=True, slots=True)
class Market:
    """`history` is what was before the day, `closing` the bars that close at the end of each quarter of an hour."""

    history: Sequence[Bar]
    closing: Sequence[Sequence[Bar]]
    closes: Sequence[dict[str, Decimal]]
    """The newest close of each instrument at those times."""

    def now(self, quarter: int) -> datetime:
        """When that quarter of an hour is over."""
        return OPENS + (quarter + 1) * BAR


def a_market(seed: int, quarters: int) -> Market:
    until = OPENS + quarters * BAR
    history: list[Bar] = []
    closing: list[list[Bar]] = [[] for _ in range(quarters)]
    for symbol in SYMBOLS:
        opens = list(_opens(symbol, until))
        first = next((number for number, each in enumerate(opens) if each >= OPENS), len(opens))
        walk = _walk(symbol, opens[max(0, first - HISTORY) :], Random(f"{seed}/{symbol}"))
        for bar in walk:
            if bar.open_time < OPENS:
                history.append(bar)
            else:
                closing[(bar.open_time - OPENS) // BAR].append(bar)
    closes, newest = [], {bar.instrument: bar.close for bar in history}
    for some in closing:
        newest = newest | {bar.instrument: bar.close for bar in some}
        closes.append(newest)
    return Market(history, closing, closes)


def _opens(symbol: str, until: datetime) -> Iterator[datetime]:
    """When its bars open, from long enough before the day on."""
    if symbol in ROUND_THE_CLOCK:
        yield from (OPENS + number * BAR for number in range(-HISTORY, (until - OPENS) // BAR))
        return
    sessions = calendar("XNYS")
    opens = OPENS - timedelta(days=14)
    while (opens := sessions.first_open(opens, BAR_SECONDS, None)) < until:
        yield opens
        opens = sessions.close_of(opens, BAR_SECONDS)


def _walk(symbol: str, opens: Sequence[datetime], random: Random) -> Iterator[Bar]:
    last = Decimal(random.randrange(5_000, 20_000)) / 100
    for open_time in opens:
        close = (last * Decimal(1 + random.gauss(0, 0.002))).quantize(CENT)
        volume = Decimal(random.randrange(20 * MEAN_VOLUME, 180 * MEAN_VOLUME)) / 100
        yield Bar(
            instrument=symbol,
            open_time=open_time,
            open=last,
            high=max(last, close) + 5 * CENT,
            low=min(last, close) - 5 * CENT,
            close=close,
            volume=volume,
            notional=volume * (last + close) / 2,
            trades=random.randrange(1, 500),
        )
        last = close
