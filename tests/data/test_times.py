"""Every way in which sources write the time, and those that are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from app.domain.errors import InvalidInput
from models.data.times import seconds_of

OPEN = 1_704_499_200  # 2024-01-06 00:00 UTC


def read(*values: object, kind: pa.DataType | None = None) -> tuple[list[int], bool]:
    seconds, zoned = seconds_of(pa.chunked_array([pa.array(values, kind)]))
    return seconds.tolist(), zoned


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


@pytest.mark.parametrize("written", ["2024-01-06", "2024-01-06 00:00", "2024-01-06T00:00:00.000000", date(2024, 1, 6)])
def test_a_time_without_a_zone_says_so(written: object) -> None:
    assert read(written) == ([OPEN], False)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_arrow_times_of_any_unit_and_zone_are_read(unit: str, zone: str | None) -> None:
    stamp = pa.array([OPEN], pa.timestamp("s")).cast(pa.timestamp(unit)).cast(pa.int64()).cast(pa.timestamp(unit, zone))

    seconds, zoned = seconds_of(pa.chunked_array([stamp]))

    assert (seconds.tolist(), zoned) == ([OPEN], zone is not None)


def test_a_source_may_change_its_unit_midway() -> None:
    """As Binance did in January 2025."""
    assert read(OPEN * 1_000, (OPEN + 900) * 1_000_000)[0] == [OPEN, OPEN + 900]


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ([OPEN, None], "is empty in row 1"),
        (["2024-01-06", None], "is empty in row 1"),
        ([20240106, 20240107], "write dates as 2024-01-31"),
        (["06/01/2024"], "ISO 8601 .* '06/01/2024'"),
        (["2024-01-06", "2024-01-06T00:15Z"], "all with a zone or none"),
        ([OPEN, OPEN + 0.5], "not on a whole second in row 1"),
        (["2024-01-06T00:00:00.5Z"], "not on a whole second in row 0"),
        ([float("nan")], "is no number in row 0"),
        ([9e10], "not between 1900 and 2200 in row 0"),
        ([True], "holds bool"),
    ],
)
def test_what_is_no_time_is_refused(values: list[Any], detail: str) -> None:
    with pytest.raises(InvalidInput, match=detail) as refusal:
        read(*values)

    assert refusal.value.code == "bad_timestamp"
