"""Raw bars to the project's: sorted, without repeats, with a notional, aggregated on request. Each change is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from app.bars.reader import bar_seconds_of
from app.bars.series import Series, Vector, aggregated
from app.domain.errors import InvalidInput
from models.data.columns import NUMBERS
from models.data.findings import repeated
from models.data.raw import RawBars
from models.data.wording import length_of, utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    series: Series
    changes: tuple[str, ...]


def mend(instrument: str, raw: RawBars, step_seconds: int | None = None) -> Mended:
    """Rows are sorted and repeated ones dropped; a missing notional becomes VWAP x volume, or without a VWAP
    (high + low + close) / 3 x volume. Raises InvalidInput where rows of one time disagree or no two bars are left."""
    rows, changes = _in_order(instrument, raw)
    if len(rows) < 2:
        raise InvalidInput("too_few_bars", f"{instrument}: {len(rows)} bars; at least 2 are needed")
    changes += _notional(rows)[1]
    series = as_series(instrument, rows)
    if step_seconds not in (None, series.bar_seconds):
        whole, left_out = aggregate_whole(series, step_seconds)
        lengths = f"bars of {length_of(series.bar_seconds)} made {length_of(step_seconds)}"
        changes.append(f"{lengths}, {left_out} bars left out")
        series = whole
    return Mended(series=series, changes=tuple(changes))


def as_series(instrument: str, rows: RawBars) -> Series:
    """Of rows sorted by time, two at least, no time twice."""
    columns = {name: rows.columns[name] for name in NUMBERS}
    return Series(
        instrument=instrument,
        bar_seconds=bar_seconds_of(rows.open_time),
        open_time=rows.open_time,
        **columns,
        notional=_notional(rows)[0],
        trades=np.nan_to_num(rows.columns.get("trades", np.zeros(len(rows)))),
        synthetic=np.zeros(len(rows), dtype=np.bool_),
    )


def aggregate_whole(series: Series, step_seconds: int) -> tuple[Series, int]:
    """Windows of `step_seconds`, aligned to multiples of it since the epoch, and how many bars lie in none of them.

    Only windows of which every bar is there are made: nothing is filled, and none reaches over a night. Raises
    InvalidInput where there is none.
    """
    cuts = np.flatnonzero(np.diff(series.open_time) != series.bar_seconds) + 1
    edges = [0, *cuts.tolist(), len(series)]
    parts = [aggregated(series.part(first, end), step_seconds) for first, end in pairwise(edges)]
    parts = [part for part in parts if len(part)]
    if sum(map(len, parts)) < 2:
        raise InvalidInput("no_windows", f"{series.instrument}: no two windows of {length_of(step_seconds)} are whole")
    whole = _concatenated(parts)
    return whole, len(series) - len(whole) * (step_seconds // series.bar_seconds)


def _concatenated(parts: Sequence[Series]) -> Series:
    def every(name: str) -> Vector:
        values: Vector = np.concatenate([getattr(part, name) for part in parts])
        return values

    return replace(
        parts[0],
        open_time=np.concatenate([part.open_time for part in parts]),
        open=every("open"),
        high=every("high"),
        low=every("low"),
        close=every("close"),
        volume=every("volume"),
        notional=every("notional"),
        trades=every("trades"),
        synthetic=np.concatenate([part.synthetic for part in parts]),
    )


def _in_order(instrument: str, raw: RawBars) -> tuple[RawBars, list[str]]:
    changes = ["rows sorted by time"] if (np.diff(raw.open_time) < 0).any() else []
    rows = raw.pick(np.argsort(raw.open_time, kind="stable"))
    repeats, differs = repeated(rows)
    if differs.any():
        time = utc(int(rows.open_time[np.argmax(differs)]))
        raise InvalidInput("conflicting_times", f"{instrument}: two bars of {time} differ")
    if repeats.any():
        changes.append(f"{int(repeats.sum())} repeated rows dropped")
    return rows.pick(np.flatnonzero(~repeats)), changes


def _notional(rows: RawBars) -> tuple[Vector, list[str]]:
    """The best that each bar has, and what had to be computed."""
    high, low, close, volume = (rows.columns[name] for name in ("high", "low", "close", "volume"))
    nothing = np.full(len(rows), np.nan)
    sources = {
        "": rows.columns.get("notional", nothing),
        "VWAP x volume": rows.columns.get("vwap", nothing) * volume,
        "(high + low + close) / 3 x volume": (high + low + close) / 3.0 * volume,
    }
    notional, told = nothing, []
    for formula, values in sources.items():
        taken = np.isnan(notional) & np.isfinite(values)
        notional = np.where(taken, values, notional)
        if formula and taken.any():
            told.append(f"notional of {int(taken.sum())} bars computed as {formula}")
    return notional, told
