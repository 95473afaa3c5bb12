"""Bar files: what is read from them and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.bars.reader import read_series
from app.domain.errors import InvalidInput
from tests.market import a_bar_file


def times(*seconds: int | None) -> Any:
    return pa.array(seconds, pa.timestamp("s", tz="UTC"))


def test_a_file_is_one_instrument_named_before_the_first_dash(tmp_path: Path) -> None:
    series = read_series(a_bar_file(tmp_path))

    assert (series.instrument, series.bar_seconds, len(series)) == ("FLAT", 900, 4)
    assert series.open_time.tolist() == [0, 900, 1800, 2700]
    assert series.trades.tolist() == [0.0] * 4


def test_any_unit_of_time_will_do(tmp_path: Path) -> None:
    nanoseconds = pa.array([0, 60_000_000_000, 120_000_000_000, 180_000_000_000], pa.timestamp("ns"))

    assert read_series(a_bar_file(tmp_path, timestamp=nanoseconds)).bar_seconds == 60


def test_a_notional_may_be_missing_in_a_bar(tmp_path: Path) -> None:
    series = read_series(a_bar_file(tmp_path, notional=[1000.0, None, np.nan, 1000.0]))

    assert series.price.tolist() == [100.0] * 4


@pytest.mark.parametrize("name", ["timestamp", "open", "high", "low", "close", "volume", "notional"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"has no column {name}"):
        read_series(a_bar_file(tmp_path, **{name: None}))


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"timestamp": times(0, 1800, 900, 2700)}, "unsorted", "timestamp in row 2 is older"),
        ({"timestamp": times(0, 900, 900, 1800)}, "duplicate_times", "timestamp in row 2 is that of the row before"),
        ({"timestamp": times(0, 900, None, 1800)}, "bad_timestamp", "empty values"),
        ({"timestamp": [0, 900, 1800, 2700]}, "bad_timestamp", "int64, not a timestamp"),
        ({"close": [100.0, np.nan, 100.0, 100.0]}, "bad_value", "close is nan in row 1"),
        ({"volume": [10.0, 10.0, -1.0, 10.0]}, "bad_value", "volume is -1.0 in row 2"),
        ({"volume": [10.0, 10.0, None, 10.0]}, "bad_value", "volume is nan in row 2"),
        ({"notional": [10.0, np.inf, 1.0, 10.0]}, "bad_value", "notional is inf in row 1"),
        ({"open": ["a", "b", "c", "d"]}, "not_a_number", "open does not hold numbers"),
        ({"high": [100.0, 100.0, 100.0, 99.0]}, "high_below_low", "high is below low in row 3"),
        ({"open": [100.0, 100.0, 101.0, 100.0]}, "price_outside_range", "open .* row 2"),
        (dict.fromkeys(("open", "high", "low", "close"), [0.0] * 4), "price_outside_range", "not above 0"),
    ],
)
def test_bad_bars_are_refused_with_the_row(tmp_path: Path, changes: dict[str, Any], code: str, detail: str) -> None:
    with pytest.raises(InvalidInput, match=detail) as refusal:
        read_series(a_bar_file(tmp_path, **changes))

    assert refusal.value.code == code


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    empty = dict.fromkeys(("open", "high", "low", "close", "volume", "notional"), pa.array([], pa.float64()))

    with pytest.raises(InvalidInput, match="has 0 bars"):
        read_series(a_bar_file(tmp_path, timestamp=times(), **empty))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    path.write_text("timestamp,open\n")

    with pytest.raises(
        InvalidInput, match="cannot be read as Parquet: it is another kind of file, or broken; lem data convert"
    ):
        read_series(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        read_series(tmp_path / "none.parquet")


def test_a_file_of_several_instruments_is_refused(tmp_path: Path) -> None:
    path = a_bar_file(tmp_path, Symbol=["BRK-A", "BRK-A", "BRK-B", "BRK-B"])

    with pytest.raises(InvalidInput, match="Symbol holds 2 instruments, BRK-A and BRK-B among them: lem data convert"):
        read_series(path)
