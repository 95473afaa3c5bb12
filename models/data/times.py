"""Read times in tables, however they are written, as whole seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from models.data.clocks import clocks_of
from models.data.places import Places
from models.data.told import Told
from models.data.zones import from_local

Seconds = NDArray[np.int64]

MICROSECONDS = 1_000_000
EPOCH_MAX = {1: 1e11, 1_000: 1e14, MICROSECONDS: 1e17}
"""Parts of a second: the number that an epoch in these parts stays below for thousands of years."""

PACKED_DATES = ((19_000_101, 21_001_231), (190_001_010_000, 210_012_312_359), (19_000_101_000_000, 21_001_231_235_959))
"""Numbers in these ranges are dates such as 20240115 or 20240115093000, and no epochs: those would all lie in 1970, in
1976 or after 2570."""
SHEET_DAYS = (20_000, 80_000)
SHEET_STEP_MAX = 31
"""Days since 1900, as spreadsheets count them, lie in this range and are days apart; epochs would be of one day in
1970."""

EARLIEST, LATEST = -2_208_988_800, 7_258_118_400
"""1900 and 2200: no bar opens before or after, so a time that does was misread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """`seconds` [T] since the epoch. `zoned` says whether the times name their zone or need none: dates alone are those
    of the exchange. Other times are taken as UTC. `notes` say how the times were read where it was not the usual way.
    """

    seconds: Seconds
    zoned: bool
    notes: tuple[str, ...] = ()


def times_of(column: pa.ChunkedArray, places: Places, told: Told | None = None) -> Times:
    """The opens of bars.

    Accepts timestamps, dates, ISO 8601 text, dates of other orders (clocks.py), and epochs in seconds, milliseconds,
    microseconds or nanoseconds. The size of each value tells its unit, since sources change their unit midway. Raises
    InvalidInput with the first bad row.
    """
    if not len(column):
        return Times(seconds=np.zeros(0, dtype=np.int64), zoned=True)
    if column.null_count:
        _refuse(column.is_null().to_numpy(), "is empty", places)
    told = told or Told()
    times = _times(column, places, told)
    _refuse((times.seconds < EARLIEST) | (times.seconds > LATEST), "is not between 1900 and 2200", places)
    if times.zoned or not (times.seconds % DAY_SECONDS).any():
        return Times(seconds=times.seconds, zoned=True, notes=times.notes)
    if told.zone is None:
        return times
    seconds = from_local(times.seconds, told.zone, places)
    return Times(seconds=seconds, zoned=True, notes=(*times.notes, f"times are those of {told.zone}"))


def _times(column: pa.ChunkedArray, places: Places, told: Told) -> Times:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return Times(seconds=_whole(_microseconds(column), places), zoned=kind.tz is not None)
    if pa.types.is_date(kind):
        return Times(seconds=_whole(_microseconds(column.cast(pa.timestamp("us"))), places), zoned=False)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_numbers(column, places, told)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(pc.utf8_trim_whitespace(column.cast(pa.string())), places, told)
    raise InvalidInput("bad_timestamp", f"the time column holds {kind}; must be times, text or epochs")


def _from_text(text: pa.ChunkedArray, places: Places, told: Told) -> Times:
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    else:
        return _from_numbers(numbers, places, told)
    text = pc.replace_substring_regex(text, r"\s*(UTC|GMT)$", "Z")
    for zone in ("UTC", None):
        try:
            return Times(
                seconds=_whole(_microseconds(text.cast(pa.timestamp("us", tz=zone))), places), zoned=zone is not None
            )
        except pa.ArrowInvalid:
            pass
    return _from_clocks(text, places, told)


def _from_numbers(column: pa.ChunkedArray, places: Places, told: Told) -> Times:
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
    if any(((low <= values) & (values <= high)).all() for low, high in PACKED_DATES):
        return _from_clocks(column.cast(pa.int64()).cast(pa.string()), places, told)
    low, high = SHEET_DAYS
    near = len(values) < 2 or np.median(np.abs(np.diff(values))) <= SHEET_STEP_MAX
    if near and ((low <= values) & (values <= high)).all():
        raise InvalidInput(
            "bad_timestamp",
            f"the time {values[0]:g} in {places.at(0)} is a spreadsheet's number of a day: write dates as 2024-01-31",
        )
    return Times(seconds=_from_epoch(values, places), zoned=True)


def _from_epoch(values: NDArray[np.float64], places: Places) -> Seconds:
    """Opens from epochs. Double precision is exact for microseconds until the year 2255, and for whole seconds in
    nanoseconds."""
    _refuse(~np.isfinite(values), "is no number", places)
    size = np.abs(values)
    parts = np.select([size < bound for bound in EPOCH_MAX.values()], list(EPOCH_MAX), default=1_000 * MICROSECONDS)
    _refuse(values % parts != 0.0, "is not on a whole second", places)
    seconds: Seconds = (values // parts).astype(np.int64)
    return seconds


def _from_clocks(text: pa.ChunkedArray, places: Places, told: Told) -> Times:
    clocks = clocks_of(text.combine_chunks(), places, told.dates)
    return Times(seconds=clocks.seconds, zoned=clocks.zoned, notes=clocks.notes)


def _microseconds(column: pa.ChunkedArray) -> NDArray[np.int64]:
    cast = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
    values: NDArray[np.int64] = cast.to_numpy()
    return values


def _whole(microseconds: NDArray[np.int64], places: Places) -> Seconds:
    _refuse(microseconds % MICROSECONDS != 0, "is not on a whole second", places)
    seconds: Seconds = microseconds // MICROSECONDS
    return seconds


def _refuse(bad: NDArray[np.bool_], what: str, places: Places) -> None:
    if bad.any():
        place = places.at(int(np.argmax(bad)))
        raise InvalidInput("bad_timestamp", f"the time in {place} {what}: correct it or take the row out")
