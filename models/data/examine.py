"""One report per file: its bars, its gaps, its faults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.bars.gaps import GAP_WINDOWS_MAX, round_the_clock
from app.bars.reader import read_series
from app.bars.series import DAY_SECONDS
from app.domain.errors import InvalidInput
from models.data.findings import Finding, faults, warnings
from models.data.mend import as_series
from models.data.raw import RawBars
from models.data.reading import is_parquet, read_bars
from models.data.wording import utc

Seconds = NDArray[np.int64]

USUAL_SHARE = 0.5
"""A time of day belongs to the sessions if on this share of the days a bar opens then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """`bars` are missing after the bar that opens at `after` (seconds since the epoch). With `new_history` the gap is
    too long to fill, and the bars after it are read as a history of their own."""

    after: int
    bars: int
    new_history: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`first` and `last` are opens in seconds since the epoch; None, like `bar_seconds`, where there are too few rows.
    `round_the_clock` follows the rule of `app.bars.gaps`; in sessions, a gap is a hole inside a day's session."""

    name: str
    bars: int
    first: int | None = None
    last: int | None = None
    bar_seconds: int | None = None
    round_the_clock: bool = False
    gaps: tuple[Gap, ...] = ()
    faults: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def examine_file(path: Path, columns: dict[str, str]) -> Report:
    """The report on one file. An unreadable file has a fault; nothing in a file raises. A Parquet file has no fault
    exactly when the backtest and the training accept the file."""
    try:
        report = examine(str(path), read_bars(path, columns))
        if is_parquet(path) and not report.faults:
            read_series(path)
    except InvalidInput as error:
        return Report(name=str(path), bars=0, faults=(_note(error.code, error.detail),))
    return report


def examine(name: str, raw: RawBars) -> Report:
    times = np.unique(raw.open_time)
    if len(times) < 2:
        few = _note("too_few_bars", f"{len(times)} bars; at least 2 are needed")
        return Report(name=name, bars=len(raw), faults=(few, *faults(raw)))
    order = np.argsort(raw.open_time, kind="stable")
    firsts = np.searchsorted(raw.open_time, times, sorter=order)
    series = as_series(name, raw.pick(order[firsts]))
    always = round_the_clock(series)
    found = faults(raw) + (_off_grid(raw, times, series.bar_seconds) if always else [])
    return Report(
        name=name,
        bars=len(raw),
        first=int(times[0]),
        last=int(times[-1]),
        bar_seconds=series.bar_seconds,
        round_the_clock=always,
        gaps=_gaps(times, series.bar_seconds) if always else _session_gaps(times, series.bar_seconds),
        faults=tuple(found),
        warnings=() if found else (*_of_source(raw), *warnings(raw)),
    )


def _gaps(times: Seconds, bar_seconds: int) -> tuple[Gap, ...]:
    missing = np.maximum(-(-np.diff(times) // bar_seconds) - 1, 0)
    return tuple(
        Gap(after=int(times[index]), bars=int(missing[index]), new_history=bool(missing[index] > GAP_WINDOWS_MAX))
        for index in np.flatnonzero(missing)
    )


def _session_gaps(times: Seconds, bar_seconds: int) -> tuple[Gap, ...]:
    """Runs of missing bars between two bars of the same day (UTC), at times of day that usually have a bar: nights,
    late opens, early closes and lunch breaks are no gaps."""
    slots, counts = np.unique(times % DAY_SECONDS, return_counts=True)
    usual = slots[counts >= USUAL_SHARE * len(np.unique(times // DAY_SECONDS))]
    same_day = np.diff(times // DAY_SECONDS) == 0
    before, after = times[:-1] % DAY_SECONDS, times[1:] % DAY_SECONDS
    between = np.searchsorted(usual, after, side="left") - np.searchsorted(usual, before, side="right")
    missing = np.where(same_day & (np.diff(times) > bar_seconds), between, 0)
    return tuple(
        Gap(after=int(times[index]), bars=int(missing[index]), new_history=False)
        for index in np.flatnonzero(missing > 0)
    )


def _off_grid(raw: RawBars, times: Seconds, bar_seconds: int) -> list[Finding]:
    """A fault for bars off the grid of the first bar, on which gaps of a series round the clock are filled."""
    off_grid = (raw.open_time - times[0]) % bar_seconds != 0
    if not off_grid.any():
        return []
    row = int(np.argmax(off_grid))
    text = f"do not open a whole number of bars after the first one; first row {row} ({utc(int(raw.open_time[row]))})"
    count = int(off_grid.sum())
    return [Finding(code="off_grid", count=count, row=row, text=f"{count} of {len(raw)} rows {text}")]


def _of_source(raw: RawBars) -> list[Finding]:
    found = []
    if not raw.zoned:
        found.append(_note("no_zone", "the times name no zone and are read as UTC; convert needs --utc for them"))
    if not {"notional", "vwap"} & set(raw.columns):
        found.append(_note("no_notional", "there is no notional: convert computes (high + low + close) / 3 x volume"))
    return found


def _note(code: str, text: str) -> Finding:
    """A finding about the whole file."""
    return Finding(code=code, count=1, row=0, text=text)
