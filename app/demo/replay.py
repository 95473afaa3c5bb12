"""The demo's bars: real daily bars from a small package, or a simulation where the package is absent."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from importlib.util import find_spec

from lem_client import Bar, Instrument

PACKAGE = "bokeh_sampledata"
SIMULATED = ("SIM-A", "SIM-B", "SIM-C", "SIM-D")
SIMULATED_FROM = datetime(2025, 1, 6, tzinfo=UTC)
SEED = 7
COLUMNS = ("open", "high", "low", "close", "volume")
TICKERS = ("AAPL", "GOOG", "IBM", "MSFT")
COMMON_FROM = "2004-08-19"
"""The first session of all tickers."""
REPLAY_FROM = "2013-01-02"
"""The first session of the last year that the package covers: a choice made before any result was seen."""
TERMS = Instrument(symbol="-", bar_seconds=86_400, lot_size=Decimal(1), tick_size=Decimal("0.01"))
"""Of all instruments, but for their symbols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`history` are the bars before the demo's first order; `windows` holds, for every window after that, one bar of
    each instrument. `simulated` says that no market made them."""

    source: str
    simulated: bool
    instruments: tuple[Instrument, ...]
    history: list[Bar]
    windows: list[tuple[Bar, ...]]


def load_replay(history_count: int, window_count: int) -> Replay:
    """Bars of `history_count` windows, then of `window_count` more."""
    return _real(history_count, window_count) if find_spec(PACKAGE) else _simulated(history_count, window_count)


def _real(history_count: int, window_count: int) -> Replay:
    by_ticker: dict[str, list[Bar]] = {ticker: [] for ticker in TICKERS}
    with (files(PACKAGE) / "_data" / "stocks.csv.gz").open("rb") as packed, gzip.open(packed, "rt", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["Ticker"] in by_ticker and row["Date"] >= COMMON_FROM:
                by_ticker[row["Ticker"]].append(_daily_bar(row))
    windows = list(zip(*by_ticker.values(), strict=True))
    first = next(index for index, window in enumerate(windows) if window[0].open_time >= _opens(REPLAY_FROM))
    return Replay(
        source=f"real daily bars of {', '.join(TICKERS)} from {REPLAY_FROM} on ({PACKAGE})",
        simulated=False,
        instruments=tuple(replace(TERMS, symbol=ticker, calendar="XNYS") for ticker in TICKERS),
        history=[bar for window in windows[first - history_count : first] for bar in window],
        windows=windows[first : first + window_count],
    )


def _daily_bar(row: dict[str, str]) -> Bar:
    """The bar of one session."""
    return _bar(row["Ticker"], _opens(row["Date"]), (row[name.capitalize()] for name in COLUMNS))


def _opens(date: str) -> datetime:
    """The window opens at 14:30 UTC all year, since only the date of a daily bar counts."""
    return datetime.fromisoformat(f"{date}T14:30:00Z")


def _bar(symbol: str, open_time: datetime, texts: Iterable[str]) -> Bar:
    """`texts` are the numbers of `COLUMNS`."""
    opened, high, low, close, volume = map(Decimal, texts)
    return Bar(instrument=symbol, open_time=open_time, open=opened, high=high, low=low, close=close, volume=volume)


def _simulated(history_count: int, window_count: int) -> Replay:
    """Random walks, on which nothing can be forecast: only the choice of the end can earn anything."""
    from numpy.random import default_rng

    from app.bars.walks import Walk, simulate_bars

    walk, count = Walk(daily_swing=0.5), history_count + window_count
    made = simulate_bars(default_rng(SEED), walk, len(SIMULATED), count)
    windows = []
    for index in range(count):
        opens = SIMULATED_FROM + timedelta(seconds=walk.bar_seconds * index)
        windows.append(
            tuple(
                _bar(symbol, opens, (f"{getattr(made, name)[path, index]:.2f}" for name in COLUMNS))
                for path, symbol in enumerate(SIMULATED)
            )
        )
    return Replay(
        source=f"simulated random walks, 15-minute bars (for real bars install {PACKAGE})",
        simulated=True,
        instruments=tuple(replace(TERMS, symbol=symbol, bar_seconds=walk.bar_seconds) for symbol in SIMULATED),
        history=[bar for window in windows[:history_count] for bar in window],
        windows=windows[history_count:],
    )
