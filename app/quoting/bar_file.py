"""Feeds the newest bars of a file to an engine, as a feed would have sent them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np

from app.bars.gaps import round_the_clock
from app.bars.reader import read_series
from app.bars.series import Series
from app.domain.errors import InvalidInput
from app.domain.instrument import Instrument
from app.engine.engine import Engine
from app.engine.results import FeedBar

SMALLEST = Decimal("1e-8")
"""The lot and the tick of an instrument of which only bars are known: what a file's numbers are rounded to."""
ROUND_THE_CLOCK = "24/7"
BARS_PER_POST = 2_000


def newest_bars(path: Path, until: datetime | None) -> Series:
    """The bars of the file that close by `until`. Raises InvalidInput where the file cannot be read or has none."""
    series = read_series(path)
    if until is None:
        return series
    count = int(np.searchsorted(series.open_time + series.bar_seconds, until.timestamp(), side="right"))
    if not count:
        raise InvalidInput("no_bars", f"{path} has no bar that closes by {until.isoformat()}")
    return series.part(0, count)


def instrument_of(series: Series, calendar: str | None) -> Instrument:
    """The instrument of the bars. Raises InvalidInput where they rest at night or on weekends and no calendar says
    when."""
    if calendar is None and not round_the_clock(series):
        raise InvalidInput(
            "unknown_calendar", "the bars rest at night or on weekends: name their exchange, such as --calendar XNYS"
        )
    return Instrument(
        symbol=series.instrument,
        bar_seconds=series.bar_seconds,
        lot_size=SMALLEST,
        tick_size=SMALLEST,
        calendar=calendar or ROUND_THE_CLOCK,
    )


async def feed(engine: Engine, series: Series, instrument: Instrument, bars: int) -> None:
    """Register the instrument and send its newest `bars`."""
    await engine.instruments.put(instrument)
    sent = list(_feed_bars(series.part(max(0, len(series) - bars), len(series))))
    for first in range(0, len(sent), BARS_PER_POST):
        await engine.bars.post(sent[first : first + BARS_PER_POST])


def _feed_bars(series: Series) -> Iterator[FeedBar]:
    for index in range(len(series)):
        notional = float(series.notional[index])
        yield FeedBar(
            instrument=series.instrument,
            open_time=datetime.fromtimestamp(int(series.open_time[index]), UTC),
            open=_decimal(series.open[index]),
            high=_decimal(series.high[index]),
            low=_decimal(series.low[index]),
            close=_decimal(series.close[index]),
            volume=_decimal(series.volume[index]),
            notional=_decimal(notional) if np.isfinite(notional) else None,
            trades=int(series.trades[index]),
        )


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(SMALLEST)
