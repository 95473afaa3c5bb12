"""The calibration of a bundle: as the card holds it, and as quotes read it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from app.bundles.card import CalibrationCard, CalibrationTable
from app.bundles.errors import BundleError
from app.decision.quotes.calibration import CalibratedRow, CalibratedTable, Calibration
from app.domain.order import Benchmark
from app.domain.quote import LEVELS, Gains, Tails

DECIMALS = 3
"""Of gains in the card: a thousandth of sigma * sqrt(N) is far below what so few orders can tell."""


def calibration_of(card: CalibrationCard) -> Calibration:
    """Raises BundleError where the card's lists do not belong together or hold what no orders could have earned."""
    if card.tables and tuple(card.levels) != LEVELS:
        raise BundleError(f"the calibration's levels are {card.levels}; this service needs {list(LEVELS)}")
    try:
        return Calibration(tables=tuple(_table_of(each) for each in card.tables))
    except ValueError as error:
        raise BundleError(f"the card's calibration is wrong: {error}") from error


def calibration_card(tables: Sequence[CalibratedTable]) -> CalibrationCard:
    """What the card holds of the tables."""
    return CalibrationCard(levels=list(LEVELS), tables=[_card_of(each) for each in tables])


def _table_of(card: CalibrationTable) -> CalibratedTable:
    columns = (
        card.max_steps,
        card.min_steps,
        card.orders,
        card.tails,
        card.mean,
        card.std,
        card.quantiles,
    )
    rows = []
    for max_steps, min_steps, orders, tails, mean, std, quantiles in zip(*columns, strict=True):
        if not 1 <= min_steps <= max_steps:
            raise ValueError(f"min_steps {min_steps} is not within 1 and max_steps {max_steps}")
        if not all(math.isfinite(value) for value in (mean, std, *quantiles)):
            raise ValueError("a gain is not finite")
        gains = Gains(mean=mean, std=std, quantiles=tuple(quantiles))
        rows.append(
            CalibratedRow(max_steps=max_steps, min_steps=min_steps, orders=orders, tails=Tails(*tails), gains=gains)
        )
    return CalibratedTable(
        market=card.market,
        bar_seconds=card.bar_seconds,
        benchmark=Benchmark(card.benchmark),
        risk_aversion=card.risk_aversion,
        slice_cap_multiple=card.slice_cap_multiple,
        start=_midnight(card.start),
        end=_midnight(card.end),
        rows=tuple(rows),
    )


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)


def _card_of(table: CalibratedTable) -> CalibrationTable:
    gains = [row.gains for row in table.rows]
    return CalibrationTable(
        market=table.market,
        bar_seconds=table.bar_seconds,
        benchmark=table.benchmark.value,
        risk_aversion=table.risk_aversion,
        slice_cap_multiple=table.slice_cap_multiple,
        start=table.start.date().isoformat(),
        end=table.end.date().isoformat(),
        max_steps=[row.max_steps for row in table.rows],
        min_steps=[row.min_steps for row in table.rows],
        orders=[row.orders for row in table.rows],
        tails=[[round(row.tails.below, DECIMALS), round(row.tails.above, DECIMALS)] for row in table.rows],
        mean=[round(each.mean, DECIMALS) for each in gains],
        std=[round(each.std, DECIMALS) for each in gains],
        quantiles=[[round(value, DECIMALS) for value in each.quantiles] for each in gains],
    )
