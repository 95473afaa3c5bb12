"""One report per file: its bars, its gaps, its faults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.bars.file_names import bar_file_name, instrument_of, symbol_of
from app.bars.gaps import Missing, missing, off_grid, round_the_clock
from app.bars.reader import read_series
from app.bars.series import Series
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from models.data.findings import Finding, at_rows, faults, warnings
from models.data.jumps import jumps
from models.data.lost_days import LostDays, lost_days, lost_days_text, second_of_its_day
from models.data.mend import as_series
from models.data.raw import RawBars
from models.data.reading import is_parquet, read_bars
from models.data.told import Told
from models.data.wording import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """`bars` are missing after the bar that opens at `after` (seconds since the epoch). With `new_history` the gap is
    too long for the bars around it to be neighbours, and the bars after it are read as a history of their own."""

    after: int
    bars: int
    new_history: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`first` and `last` are opens in seconds since the epoch; None, like `bar_seconds`, where there are too few rows.
    `round_the_clock` and `gaps` follow the rule of `app.bars.gaps`; in sessions, a gap is a hole inside a session, or
    longer than any holiday. `missing_days` are the other dates on which a session is missing, as in 2024-01-31.
    `symbol` is what the file itself calls the instrument; `read_as` says how the file was read where not as usual."""

    name: str
    bars: int
    symbol: str = ""
    read_as: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    bar_seconds: int | None = None
    round_the_clock: bool = False
    gaps: tuple[Gap, ...] = ()
    missing_days: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def examine_file(path: Path, told: Told | None = None) -> list[Report]:
    """The report on each instrument of one file. An unreadable file has a fault; nothing in a file raises. A Parquet
    file has no fault exactly when the backtest and the training accept the file."""
    try:
        reports = [examine(str(path), raw) for raw in read_bars(path, told)]
        if not is_parquet(path):
            return reports
        if not any(report.faults for report in reports):
            read_series(path)
    except InvalidInput as error:
        return [Report(name=str(path), bars=0, faults=(_note(error.code, error.detail),))]
    return [_with_cut_name(path, report) for report in reports]


def _with_cut_name(path: Path, report: Report) -> Report:
    """With a warning where the file's name is cut in the middle of its symbol."""
    instrument, symbol = instrument_of(path), symbol_of(path)
    if instrument == symbol or report.faults:
        return report
    cut = f"the file is read as {instrument}, since a dash ends the instrument: name it {bar_file_name(path)}"
    return replace(report, warnings=(*report.warnings, _note("cut_name", cut)))


def examine(name: str, raw: RawBars) -> Report:
    times = np.unique(raw.open_time)
    if len(times) < 2:
        few = _note("too_few_bars", f"{len(times)} bars; at least 2 are needed")
        return Report(name=name, bars=len(raw), symbol=raw.symbol, read_as=raw.notes, faults=(few, *faults(raw)))
    order = np.argsort(raw.open_time, kind="stable")
    firsts = np.searchsorted(raw.open_time, times, sorter=order)
    series = as_series(name, raw.pick(order[firsts]))
    always = round_the_clock(series)
    found = faults(raw) + (_off_grid(raw, series) if always else [])
    absent = missing(series)
    lost = [] if always else lost_days(series, absent)
    return Report(
        name=name,
        bars=len(raw),
        symbol=raw.symbol,
        read_as=raw.notes,
        first=int(times[0]),
        last=int(times[-1]),
        bar_seconds=series.bar_seconds,
        round_the_clock=always,
        gaps=_gaps(series, absent),
        missing_days=tuple(date(day) for run in lost for day in run.days),
        faults=tuple(found),
        warnings=()
        if found
        else (*_of_source(raw), *warnings(raw), *jumps(raw), *(() if always else _of_days(raw, series, lost))),
    )


def _gaps(series: Series, absent: Missing) -> tuple[Gap, ...]:
    times, windows, new = series.open_time, absent.windows, absent.new_history
    return tuple(
        Gap(after=int(times[index]), bars=int(windows[index]), new_history=bool(new[index]))
        for index in np.flatnonzero(windows)
    )


def _of_days(raw: RawBars, series: Series, lost: list[LostDays]) -> list[Finding]:
    found = []
    if lost:
        row = int(np.argmax(raw.open_time == lost[0].before))
        count = sum(len(run.days) for run in lost)
        found.append(Finding(code="missing_days", count=count, row=int(raw.places.row[row]), text=lost_days_text(lost)))
    twice = np.isin(raw.open_time, series.open_time[second_of_its_day(series)])
    if twice.any():
        found.append(at_rows(raw, "day_twice", twice, "have the date of the bar before", "keep one for each day"))
    return found


def _off_grid(raw: RawBars, series: Series) -> list[Finding]:
    """A fault for bars off the grid of the first bar, on which gaps of a series round the clock are filled."""
    beside = np.isin(raw.open_time, series.open_time[off_grid(series)])
    if not beside.any():
        return []
    daily = series.bar_seconds == DAY_SECONDS
    what = "have the date of the bar before" if daily else "do not open a whole number of bars after the first one"
    return [at_rows(raw, "off_grid", beside, what, "take them out")]


def _of_source(raw: RawBars) -> list[Finding]:
    found = []
    if not raw.zoned:
        found.append(
            _note("no_zone", "the times name no zone and are read as UTC; convert needs --utc or --zone for them")
        )
    if not {"notional", "vwap"} & set(raw.columns):
        found.append(_note("no_notional", "there is no notional: convert computes (high + low + close) / 3 x volume"))
    return found


def _note(code: str, text: str) -> Finding:
    """A finding about the whole file."""
    return Finding(code=code, count=1, row=0, text=text)
