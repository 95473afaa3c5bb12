"""Read times in tables, however they are written, as whole seconds since the epoch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.domain.errors import InvalidInput

Seconds = NDArray[np.int64]

MICROSECONDS = 1_000_000
EPOCH_MAX = {1: 1e11, 1_000: 1e14, MICROSECONDS: 1e17}
"""Parts of a second: the number that an epoch in these parts stays below for thousands of years."""

YEAR_MONTH_DAY = (19_000_101, 21_001_231)
"""Numbers in this range are dates such as 20240115 and no epochs, which would all lie in 1970."""


EARLIEST, LATEST = -2_208_988_800, 7_258_118_400
"""1900 and 2200: no bar opens before or after, so a time that does was misread."""


def seconds_of(column: pa.ChunkedArray) -> tuple[Seconds, bool]:
    """Opens in seconds since the epoch, and whether the column names their zone.

    Accepts timestamps, dates, ISO 8601 text, and epochs in seconds, milliseconds, microseconds or nanoseconds. The size
    of each value tells its unit, since sources change their unit midway. Raises InvalidInput with the first bad row.
    """
    _refuse_empty(column)
    seconds, zoned = _seconds(column)
    _refuse((seconds < EARLIEST) | (seconds > LATEST), "is not between 1900 and 2200")
    return seconds, zoned


def _seconds(column: pa.ChunkedArray) -> tuple[Seconds, bool]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _whole(_microseconds(column)), kind.tz is not None
    if pa.types.is_date(kind):
        return _whole(_microseconds(column.cast(pa.timestamp("us")))), False
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_epoch(column), True
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(column)
    raise InvalidInput("bad_timestamp", f"the time column holds {kind}; must be times, text or epochs")


def _from_text(column: pa.ChunkedArray) -> tuple[Seconds, bool]:
    text = pc.utf8_trim_whitespace(column)
    try:
        return _from_epoch(text.cast(pa.float64())), True
    except pa.ArrowInvalid:
        pass
    text = pc.replace_substring_regex(text, r"\s*(UTC|GMT)$", "Z")
    try:
        return _whole(_microseconds(text.cast(pa.timestamp("us", tz="UTC")))), True
    except pa.ArrowInvalid:
        pass
    try:
        return _whole(_microseconds(text.cast(pa.timestamp("us")))), False
    except pa.ArrowInvalid as error:
        reason = str(error).split(" as a scalar")[0]
        raise InvalidInput(
            "bad_timestamp", f"write times as ISO 8601 (2024-01-31T12:00:00Z), all with a zone or none: {reason}"
        ) from None


def _from_epoch(column: pa.ChunkedArray) -> Seconds:
    """Opens from epochs. Double precision is exact for microseconds until the year 2255, and for whole seconds in
    nanoseconds."""
    values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
    low, high = YEAR_MONTH_DAY
    if len(values) and ((low <= values) & (values <= high)).all():
        raise InvalidInput("bad_timestamp", f"times such as {values[0]:.0f} are no epoch: write dates as 2024-01-31")
    _refuse(~np.isfinite(values), "is no number")
    size = np.abs(values)
    parts = np.select([size < bound for bound in EPOCH_MAX.values()], list(EPOCH_MAX), default=1_000 * MICROSECONDS)
    _refuse(values % parts != 0.0, "is not on a whole second")
    seconds: Seconds = (values // parts).astype(np.int64)
    return seconds


def _microseconds(column: pa.ChunkedArray) -> NDArray[np.int64]:
    cast = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
    values: NDArray[np.int64] = cast.to_numpy()
    return values


def _whole(microseconds: NDArray[np.int64]) -> Seconds:
    _refuse(microseconds % MICROSECONDS != 0, "is not on a whole second")
    seconds: Seconds = microseconds // MICROSECONDS
    return seconds


def _refuse_empty(column: pa.ChunkedArray) -> None:
    if column.null_count:
        _refuse(column.is_null().to_numpy(), "is empty")


def _refuse(bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise InvalidInput(
            "bad_timestamp", f"the time {what} in row {int(np.argmax(bad))}: correct it or take the row out"
        )
