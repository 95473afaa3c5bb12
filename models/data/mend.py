"""Mend raw bars: sort them, drop repeats, compute a notional, aggregate on request. Each change is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from app.bars.reader import bar_seconds_of
from app.bars.series import Series, Vector, aggregated
from app.domain.errors import InvalidInput
from models.data.column_names import NUMBERS
from models.data.findings import repeated
from models.data.raw import RawBars
from models.data.wording import length_of, utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """`rows` are the mended rows, before they were aggregated."""

    series: Series
    rows: RawBars
    changes: tuple[str, ...]


def mend(instrument: str, raw: RawBars, step_seconds: int | None = None) -> Mended:
    """The bars with rows sorted and repeated rows dropped. A missing notional becomes VWAP x volume, or without a VWAP
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
    return Mended(series=series, rows=rows, changes=tuple(changes))


def as_series(instrument: str, rows: RawBars) -> Series:
    """The series of rows that are sorted by time, at least two, no time twice."""
    columns: dict[str, Any] = {name: rows.columns[name] for name in NUMBERS}
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
    """Windows of `step_seconds`, aligned to multiples of it since the epoch, and how many bars lie in no window.

    Each window has all its bars: no bar is filled in, and no window reaches over a night. Raises InvalidInput where
    there are no two windows.
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
    names = [field.name for field in fields(Series) if isinstance(getattr(parts[0], field.name), np.ndarray)]
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(parts[0], **arrays)


def _in_order(instrument: str, raw: RawBars) -> tuple[RawBars, list[str]]:
    changes = ["rows sorted by time"] if (np.diff(raw.open_time) < 0).any() else []
    rows = raw.pick(np.argsort(raw.open_time, kind="stable"))
    repeats, differs = repeated(rows)
    if differs.any():
        index = int(np.argmax(differs))
        both = f"{rows.places.in_file(index - 1)} and {rows.places.in_file(index)}"
        time = utc(int(rows.open_time[index]))
        raise InvalidInput("conflicting_times", f"{instrument}: two bars of {time} differ, {both}")
    if repeats.any():
        changes.append(f"{int(repeats.sum())} repeated rows dropped")
    return rows.pick(np.flatnonzero(~repeats)), changes


def _notional(rows: RawBars) -> tuple[Vector, list[str]]:
    """The notional of each bar from its best source, and a line for each source but the notional itself."""
    high, low, close, volume = (rows.columns[name] for name in ("high", "low", "close", "volume"))
    nothing = np.full(len(rows), np.nan)
    sources = {
        "": rows.columns.get("notional", nothing),
        "VWAP x volume": rows.columns.get("vwap", nothing) * volume,
        "(high + low + close) / 3 x volume": (high + low + close) / 3.0 * volume,
    }
    notional, changes = nothing, []
    for formula, values in sources.items():
        taken = np.isnan(notional) & np.isfinite(values)
        notional = np.where(taken, values, notional)
        if formula and taken.any():
            changes.append(f"notional of {int(taken.sum())} bars computed as {formula}")
    return notional, changes
