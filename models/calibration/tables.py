"""Tables of a card from the gains that were measured on a market's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby

from app.decision.quotes.calibration import CalibratedRow, CalibratedTable
from app.decision.quotes.gains import gains_of
from models.calibration.grid import OrderKind
from models.calibration.measuring import FileGains, KindGains, together
from models.calibration.tails import tails_of

ORDERS_MIN = 200
"""Fewer orders say nothing of the outer quantiles; no row is made of them."""


Gains = dict[OrderKind, KindGains]


def pooled(files: Sequence[FileGains]) -> Gains:
    """The gains of all files together, by kind."""
    kinds = list(dict.fromkeys(kind for file in files for kind in file.gains))
    return {kind: together([file.gains[kind] for file in files if kind in file.gains]) for kind in kinds}


def market_tables(
    market: str, files: Sequence[FileGains], earlier: Sequence[FileGains], span: tuple[date, date]
) -> list[CalibratedTable]:
    """One table for each benchmark, risk aversion and slice cap; empty where there are too few orders. `files` earned
    in the span what quotes say; `earlier` ones tell how times differ."""
    rows = {kind: gains for kind, gains in pooled(files).items() if len(gains) >= ORDERS_MIN}
    tails = tails_of(rows, pooled(earlier))
    return [
        CalibratedTable(
            market=market,
            bar_seconds=files[0].bar_seconds,
            benchmark=kinds[0].benchmark,
            risk_aversion=kinds[0].risk_aversion,
            slice_cap_multiple=kinds[0].slice_cap_multiple,
            start=_midnight(span[0]),
            end=_midnight(span[1]),
            rows=tuple(
                CalibratedRow(
                    max_steps=kind.max_steps,
                    min_steps=kind.min_steps,
                    orders=len(rows[kind]),
                    tails=tails[kind],
                    gains=gains_of(rows[kind].gain).with_tails(tails[kind]),
                )
                for kind in kinds
            ),
        )
        for kinds in _alike(list(rows))
    ]


def _alike(kinds: Sequence[OrderKind]) -> Iterator[list[OrderKind]]:
    """Kinds that differ in their horizon alone."""

    def terms(kind: OrderKind) -> tuple[str, float, float]:
        return kind.benchmark.value, kind.slice_cap_multiple or 0.0, kind.risk_aversion

    ordered = sorted(kinds, key=lambda kind: (*terms(kind), kind.max_steps, kind.min_steps))
    return (list(group) for _, group in groupby(ordered, key=terms))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
