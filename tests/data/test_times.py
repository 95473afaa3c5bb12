"""Every way in which sources write the time, and those that are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from app.domain.errors import InvalidInput
from models.data.places import places_of
from models.data.times import times_of
from models.data.told import DateOrder, Told

OPEN = 1_704_499_200  # 2024-01-06 00:00 UTC


def read(*values: object, told: Told | None = None) -> tuple[list[int], bool]:
    times = times_of(pa.chunked_array([pa.array(values)]), places_of(len(values)), told)
    return times.seconds.tolist(), times.zoned


@pytest.mark.parametrize(
    "written",
    [
        OPEN, OPEN * 1_000, OPEN * 1_000_000, OPEN * 1_000_000_000, float(OPEN),
        str(OPEN), f"{OPEN}.0", f"{OPEN}000", "1.7044992E9",
        "2024-01-06T00:00:00Z", "2024-01-06 00:00:00+00:00", "2024-01-06 05:30+0530", " 2024-01-06 00:00:00 UTC ",
        "2024-01-06T00:00:00.000Z",
    ],
)  # fmt: skip
def test_an_instant_is_an_instant_however_it_is_written(written: object) -> None:
    assert read(written) == ([OPEN], True)


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-06 00:15", "2024-01-06T00:15:00.000000", "2024/01/06 00:15", "2024.01.06 00:15:00",
        "20240106 001500", "20240106001500", "20240106T0015", "202401060015",
        "Jan 6, 2024 00:15", "06-Jan-2024 00:15:00", "6 January 2024 12:15 AM",
    ],
)  # fmt: skip
def test_a_time_without_a_zone_says_so(written: object) -> None:
    assert read(written) == ([OPEN + 900], False)


@pytest.mark.parametrize(
    "written", ["2024-01-06", date(2024, 1, 6), "2024/1/6", "20240106", 20240106, "Jan 06, 2024", "6-Jan-2024"]
)
def test_a_date_alone_needs_no_zone(written: object) -> None:
    """A daily bar has the exchange's date, whatever its zone."""
    assert read(written) == ([OPEN], True)


@pytest.mark.parametrize(
    "written",
    [
        ("06/01/2024 14:30Z", "31/01/2024 14:30Z"), ("1/6/2024 2:30 PM +00:00", "1/31/2024 2:30 PM +00:00"),
        ("06.01.2024 09:30:00-0500", "31.01.2024 09:30:00-0500"),
    ],
)  # fmt: skip
def test_one_day_above_twelve_tells_the_order_of_all_dates(written: tuple[str, str]) -> None:
    assert read(*written) == ([OPEN + 52_200, OPEN + 52_200 + 25 * 86_400], True)


def test_the_user_tells_the_order_where_no_date_does() -> None:
    for order, expected in ((DateOrder.DAY_FIRST, "2024-01-06"), (DateOrder.MONTH_FIRST, "2024-06-01")):
        assert read("06/01/2024", told=Told(dates=order)) == read(expected)


def test_local_times_are_read_on_the_clock_of_their_zone_in_winter_and_in_summer() -> None:
    opens = ["2024-01-08 09:30", "2024-07-08 09:30"]

    local = read(*opens, told=Told(zone="America/New_York"))

    assert local == read("2024-01-08 14:30Z", "2024-07-08 13:30Z")


@pytest.mark.parametrize(
    ("time", "what"), [("2024-11-03 01:30", "comes twice in"), ("2024-03-10 02:30", "comes never in")]
)
def test_a_local_time_that_a_moved_clock_shows_twice_or_never_is_refused(time: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=f"in row 1 {what} America/New_York"):
        read("2024-11-02 01:30", time, told=Told(zone="America/New_York"))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_arrow_times_of_any_unit_and_zone_are_read(unit: str, zone: str | None) -> None:
    stamp = (
        pa.array([OPEN + 900], pa.timestamp("s"))
        .cast(pa.timestamp(unit))
        .cast(pa.int64())
        .cast(pa.timestamp(unit, zone))
    )

    times = times_of(pa.chunked_array([stamp]), places_of(1))

    assert (times.seconds.tolist(), times.zoned) == ([OPEN + 900], zone is not None)


def test_a_source_may_change_its_unit_midway() -> None:
    """As Binance did in January 2025."""
    assert read(OPEN * 1_000, (OPEN + 900) * 1_000_000)[0] == [OPEN, OPEN + 900]


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ([OPEN, None], "in row 1 is empty"),
        (["2024-01-06", None], "in row 1 is empty"),
        ([45296, 45299, 45300], "45296 in row 0 is a spreadsheet's number of a day: write dates as 2024-01-31"),
        (["2024-01-06", "2024-01-06T00:15Z"], "'2024-01-06T00:15Z' in row 1 is written otherwise.*zone or none"),
        (["2024-01-06", "06/01/2024"], "'06/01/2024' in row 1 is written otherwise than '2024-01-06'"),
        (["31/01/2024", "30/02/2024"], "'30/02/2024' in row 1 is in no calendar"),
        (["31/01/2024 9:75"], "is in no calendar"),
        (["31/01/2024 13:15 AM"], "is in no calendar"),
        (["31/01/24"], "write the year with four digits"),
        (["2024-01-31 09:30:00 EST"], "offset such as -05:00, or leave the zone out and give --zone"),
        (["2024-01-31", "Total"], "'Total' in row 1 cannot be read: write times as ISO 8601"),
        ([OPEN, OPEN + 0.5], "in row 1 is not on a whole second"),
        (["2024-01-06T00:00:00.5Z"], "in row 0 is not on a whole second"),
        (["31/01/2024 09:30:00.5"], "in row 0 is not on a whole second"),
        ([float("nan")], "in row 0 is no number"),
        ([9e10], "in row 0 is not between 1900 and 2200"),
        ([True], "holds bool"),
    ],
)
def test_what_is_no_time_is_refused(values: list[Any], detail: str) -> None:
    with pytest.raises(InvalidInput, match=detail) as refusal:
        read(*values)

    assert refusal.value.code == "bad_timestamp"


@pytest.mark.parametrize(
    ("values", "order", "detail"),
    [
        (
            ["03/04/2024", "04/04/2024"],
            None,
            "in row 0 may have .* --dates day-first or --dates month-first",
        ),
        (["31/01/2024", "01/31/2024"], None, "31/01/2024 in row 0 has the day first and 01/31/2024 in row 1 the month"),
        (["03/04/2024", "31/04/2024"], DateOrder.MONTH_FIRST, "31/04/2024 in row 1 is day-first"),
    ],
)
def test_an_order_of_dates_that_is_open_or_wrong_is_refused(
    values: list[str], order: DateOrder | None, detail: str
) -> None:
    with pytest.raises(InvalidInput, match=detail) as refusal:
        read(*values, told=Told(dates=order))

    assert refusal.value.code == "date_order"
