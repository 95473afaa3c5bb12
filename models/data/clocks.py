"""Read dates and times that are not ISO 8601: of other orders, with names of months, without marks between the digits.

Whether 03/04/2024 is in March or in April is decided over all dates of a file. Where no date tells it the file is
refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from models.data.places import Places
from models.data.told import DateOrder

Counts = NDArray[np.int64]
Columns = dict[str, pa.Array]

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTHS_MAX = len(MONTHS)
NOON = 12
CLOCK = (
    r"(?:[T ,]\s*(?P<hour>\d{1,2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:\.(?P<fraction>\d+))?)?)?"
    r"\s*(?P<half>[AaPp])?(?:\.?[Mm]\.?)?)?\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?$"
)
PACKED_CLOCK = r"(?:[T ]?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?)?(?P<fraction>)(?P<half>)(?P<zone>Z)?$"
NUMERIC = r"^(?P<first>\d{1,2})[-/. ](?P<other>\d{1,2})[-/. ](?P<year>\d{4})"
MONTH_NAME = r"(?P<month_name>[A-Za-z]{3,9})\.?"
FORMS = (
    r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + CLOCK,
    r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + PACKED_CLOCK,
    r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + CLOCK,
    NUMERIC + CLOCK,
    rf"^(?P<day>\d{{1,2}})[-/. ]{MONTH_NAME}[-/. ,]+(?P<year>\d{{4}})" + CLOCK,
    rf"^{MONTH_NAME} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})" + CLOCK,
)
TWO_DIGITS = r"^\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3})[-/. ]\d{2}(?:\D|$)"
NAMED_ZONE = r"\d\s*\[?[A-Za-z]{2,}(?:/[A-Za-z_]+)*\]?$"
WRITE = "write times as ISO 8601, such as 2024-01-31T12:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """`seconds` [T] since the epoch, of times that are `zoned` or are taken as UTC; `notes` say how they were read."""

    seconds: Counts
    zoned: bool
    notes: tuple[str, ...]


def clocks_of(text: pa.Array, places: Places, told: DateOrder | None) -> Clocks:
    """The times of all cells, which must be written in one way. Raises InvalidInput with the first that is not."""
    form = next((form for form in FORMS if pc.match_substring_regex(text[:1], form)[0].as_py()), None)
    if form is None:
        raise _unreadable(text[0].as_py(), places.at(0))
    parts = pc.extract_regex(text, form)
    if parts.null_count:
        index = pc.index(parts.is_null(), True).as_py()
        if not any(pc.match_substring_regex(text[index : index + 1], other)[0].as_py() for other in FORMS):
            raise _unreadable(text[index].as_py(), places.at(index))
        raise _otherwise(text, index, places)
    columns: Columns = dict(zip(parts.type.names, parts.flatten(), strict=True))
    zones = pc.not_equal(columns["zone"], "")
    if len(pc.unique(zones)) > 1:
        raise _otherwise(text, pc.index(zones, pc.invert(zones[0])).as_py(), places)
    order, notes = _order(columns, text, places, told) if "first" in columns else (None, ())
    seconds, wrong = _seconds(columns, order)
    for bad, what in ((wrong, "is in no calendar"), (_numbers(columns, "fraction") > 0, "is not on a whole second")):
        if bad.any():
            index = int(np.argmax(bad))
            cell = f"the time {text[index].as_py()!r} in {places.at(index)}"
            raise InvalidInput("bad_timestamp", f"{cell} {what}: correct it or take the row out")
    return Clocks(seconds=seconds, zoned=bool(zones[0].as_py()), notes=notes)


def _order(
    columns: Columns, text: pa.Array, places: Places, told: DateOrder | None
) -> tuple[DateOrder, tuple[str, ...]]:
    def shown(index: int) -> str:
        return f"{text[index].as_py()} in {places.at(index)}"

    proofs = {DateOrder.DAY_FIRST: _numbers(columns, "first"), DateOrder.MONTH_FIRST: _numbers(columns, "other")}
    found = {order: int(np.argmax(days > MONTHS_MAX)) for order, days in proofs.items() if (days > MONTHS_MAX).any()}
    if len(found) > 1:
        day, month = (shown(found[order]) for order in DateOrder)
        raise InvalidInput("date_order", f"{day} has the day first and {month} the month: {WRITE}")
    if found and told not in (None, *found):
        order, index = next(iter(found.items()))
        raise InvalidInput("date_order", f"--dates {told}, but {shown(index)} is {order}")
    if found:
        order, index = next(iter(found.items()))
        return order, (f"dates are {order}, as {shown(index)} shows",)
    if told:
        return told, (f"dates are {told}, as --dates says",)
    raise InvalidInput(
        "date_order",
        f"{shown(0)} may have the day or the month first, and no date of the file tells which: give --dates day-first "
        f"or --dates month-first, or write dates as 2024-01-31",
    )


def _seconds(columns: Columns, order: DateOrder | None) -> tuple[Counts, NDArray[np.bool_]]:
    """[T]: seconds since the epoch, and which of the times no calendar and no clock has."""
    day_name, month_name = ("first", "other") if order is DateOrder.DAY_FIRST else ("other", "first")
    year, hour, minute, second = (_numbers(columns, name) for name in ("year", "hour", "minute", "second"))
    day = _numbers(columns, day_name if order else "day")
    if "month_name" in columns:
        short = pc.utf8_slice_codeunits(pc.utf8_lower(columns["month_name"]), 0, 3)
        month = pc.fill_null(pc.index_in(short, pa.array(MONTHS)), -1).to_numpy(zero_copy_only=False) + 1
    else:
        month = _numbers(columns, month_name if order else "month")
    half = pc.utf8_lower(columns["half"]).to_numpy(zero_copy_only=False)
    wrong = (month < 1) | (month > MONTHS_MAX) | (hour > 23) | (minute > 59) | (second > 59)
    wrong |= (half != "") & ((hour < 1) | (hour > NOON))
    hour = np.where(half == "", hour, hour % NOON + NOON * (half == "p"))
    months = (year - 1970) * MONTHS_MAX + np.clip(month, 1, MONTHS_MAX) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    date = first + (day - 1)
    wrong |= (day < 1) | (date.astype("datetime64[M]").astype(np.int64) != months)
    seconds = date.astype(np.int64) * DAY_SECONDS + hour * 3600 + minute * 60 + second - _ahead(columns["zone"])
    return seconds, wrong


def _ahead(zone: pa.Array) -> Counts:
    """[T]: by how many seconds the zones `Z`, `+05`, `+0530` and `+05:30` are ahead of UTC."""
    digits = pc.utf8_rpad(pc.replace_substring_regex(zone, r"[^0-9]", ""), 4, "0")
    value = digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
    sign = np.where(pc.starts_with(zone, "-").to_numpy(zero_copy_only=False), -1, 1)
    seconds: Counts = sign * (value // 100 * 3600 + value % 100 * 60)
    return seconds


def _numbers(columns: Columns, name: str) -> Counts:
    """[T]: the digits as numbers, 0 where there are none."""
    text = columns[name]
    values: Counts = pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values


def _otherwise(text: pa.Array, index: int, places: Places) -> InvalidInput:
    cells = f"{text[index].as_py()!r} in {places.at(index)} is written otherwise than {text[0].as_py()!r}"
    return InvalidInput("bad_timestamp", f"the time {cells}: {WRITE}, all with a zone or none")


def _unreadable(value: str, place: str) -> InvalidInput:
    advice = WRITE
    if pc.match_substring_regex(pa.array([value]), TWO_DIGITS)[0].as_py():
        advice = f"write the year with four digits; best, {WRITE}"
    elif pc.match_substring_regex(pa.array([value]), NAMED_ZONE)[0].as_py():
        advice = "write the zone as an offset such as -05:00, or leave the zone out and give --zone America/New_York"
    return InvalidInput("bad_timestamp", f"the time {value[:40]!r} in {place} cannot be read: {advice}")
