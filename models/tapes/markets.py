"""Reads the tapes of a plan's markets: the bars that train, and the bars that choose."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from app.bars.bar_files import bar_files
from app.bars.reader import read_series
from models.settings.sizes import LemConfig
from models.settings.train_plan import TrainMarket
from models.tapes.tapes import MarketTapes, TapeSpan, read_tapes


def training_tapes(name: str, market: TrainMarket, config: LemConfig) -> MarketTapes:
    """The bars before `train_end`."""
    return _tapes(name, market, config, TapeSpan(start=None, end=_midnight(market.train_end)))


def validation_tapes(name: str, market: TrainMarket, config: LemConfig) -> MarketTapes:
    """The bars from `train_end` to `validation_end`."""
    span = TapeSpan(start=_midnight(market.train_end), end=_midnight(market.validation_end))
    return _tapes(name, market, config, span)


def span_of(market: TrainMarket) -> str:
    """From the first bar of the market's files to the last, in words."""
    opens = [read_series(path).open_time for path in bar_files([market.path])]
    ends = min(each[0] for each in opens), max(each[-1] for each in opens)
    first, last = (f"{datetime.fromtimestamp(int(each), UTC):%Y-%m-%d %H:%M}" for each in ends)
    return f"from {first} to {last} UTC"


def _tapes(name: str, market: TrainMarket, config: LemConfig, span: TapeSpan) -> MarketTapes:
    tapes, images = read_tapes(bar_files([market.path]), config, span, market.step_seconds)
    return MarketTapes(name=name, tapes=tuple(tapes), mirrored=tuple(images), weight=market.weight)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
