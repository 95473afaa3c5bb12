"""Reads the tapes of a plan's markets: the bars that train, and the bars that choose."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from app.bars.bar_files import bar_files, told_span
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
    return told_span(bar_files([market.path]))


def _tapes(name: str, market: TrainMarket, config: LemConfig, span: TapeSpan) -> MarketTapes:
    tapes, images = read_tapes(bar_files([market.path]), config, span, market.step_seconds)
    return MarketTapes(name=name, tapes=tuple(tapes), mirrored=tuple(images), weight=market.weight)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
