"""`lem data convert`: the bar files, the reported changes, and that bad input leaves nothing behind."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.bars.reader import read_series
from tests.data.tables import BAR, HEADER, HOURS, MONDAY_OPEN, SATURDAY, a_csv, a_time, lem_data
from tests.market import a_bar_file


def test_a_csv_becomes_the_bar_file_that_the_backtest_reads(tmp_path: Path) -> None:
    result = lem_data("convert", a_csv(tmp_path), "--out", tmp_path / "bars")

    path = tmp_path / "bars" / "COIN-15m.parquet"
    series = read_series(path)
    assert result.exit_code == 0, result.output
    assert f"wrote {path}" in result.output
    assert pq.read_schema(path).names == ["timestamp", "open", "high", "low", "close", "volume", "notional"]
    assert str(pq.read_schema(path).field("timestamp").type) == "timestamp[ms, tz=UTC]"
    assert (series.instrument, series.bar_seconds) == ("COIN", 900)
    assert series.open_time.tolist() == [SATURDAY, SATURDAY + 900, SATURDAY + 1800]
    assert (series.high[0], series.notional[0]) == (101.0, 1003.0)


@pytest.mark.parametrize(
    "header",
    [
        "Open time,Open,High,Low,Close,Volume,Quote asset volume",
        "date,o,h,l,c,v,turnover",
        "UNIX,OPEN,HIGH,LOW,CLOSE,VOL,quote_volume",
    ],
)
def test_common_column_names_are_known(tmp_path: Path, header: str) -> None:
    assert lem_data("convert", a_csv(tmp_path, header=header), "--out", tmp_path).exit_code == 0

    assert read_series(tmp_path / "COIN-15m.parquet").notional.tolist() == [1003.0] * 3


def test_unusual_columns_are_named(tmp_path: Path) -> None:
    path = a_csv(tmp_path, header="unix,open,high,low,close,Volume BTC,Volume USDT", name="x.csv")
    names = "volume=Volume BTC,notional=Volume USDT"

    result = lem_data("convert", path, "--out", tmp_path, "--columns", names, "--instrument", "BTCUSDT")

    assert result.exit_code == 0, result.output
    assert read_series(tmp_path / "BTCUSDT-15m.parquet").notional.tolist() == [1003.0] * 3


def test_semicolons_quotes_a_byte_order_mark_and_gzip_are_read(tmp_path: Path) -> None:
    lines = ['\ufeff"timestamp";open;high;low;close;volume;note']
    lines += [f"2024-01-06T00:{minute}:00Z;100;101;99;100.5;10;a, b" for minute in ("00", "15", "30")]
    path = tmp_path / "COIN.csv.gz"
    path.write_bytes(gzip.compress("\r\n".join(lines).encode()))

    result = lem_data("convert", path, "--out", tmp_path)

    assert result.exit_code == 0, result.output
    assert read_series(tmp_path / "COIN-15m.parquet").close.tolist() == [100.5] * 3


def test_decimals_become_the_nearest_double(tmp_path: Path) -> None:
    path = a_csv(tmp_path, bar="0.1,0.30000000000000004,0.1,0.2,12345678.12345678,")

    lem_data("convert", path, "--out", tmp_path)

    series = read_series(tmp_path / "COIN-15m.parquet")
    assert (series.open[0], series.high[0], series.volume[0]) == (0.1, 0.30000000000000004, 12345678.12345678)


def test_a_missing_notional_is_computed_and_told(tmp_path: Path) -> None:
    path = a_csv(tmp_path, header="timestamp,open,high,low,close,volume", bar="100,101,99,100.5,10")

    result = lem_data("convert", path, "--out", tmp_path)

    assert "notional of 3 bars computed as (high + low + close) / 3 x volume" in result.output
    assert read_series(tmp_path / "COIN-15m.parquet").notional == pytest.approx([10 * 300.5 / 3] * 3)


def test_a_vwap_goes_before_the_typical_price(tmp_path: Path) -> None:
    path = a_csv(tmp_path, header="timestamp,open,high,low,close,volume,vwap", bar="100,101,99,100.5,10,100.25")

    result = lem_data("convert", path, "--out", tmp_path)

    assert "notional of 3 bars computed as VWAP x volume" in result.output
    assert read_series(tmp_path / "COIN-15m.parquet").notional.tolist() == [1002.5] * 3


def test_trades_are_kept_where_there_are_any(tmp_path: Path) -> None:
    path = a_csv(tmp_path, header=f"{HEADER},trades", bar=f"{BAR},7")

    lem_data("convert", path, "--out", tmp_path)

    assert pq.read_table(tmp_path / "COIN-15m.parquet").column("trades").to_pylist() == [7, 7, 7]


@pytest.mark.parametrize("time", ["2024-01-06 00:{}:00", "2024-01-06T00:{}"])
def test_times_without_a_zone_need_the_users_word(tmp_path: Path, time: str) -> None:
    path = a_csv(tmp_path, [time.format(minute) for minute in ("00", "15", "30")])

    refused = lem_data("convert", path, "--out", tmp_path / "bars")
    taken = lem_data("convert", path, "--out", tmp_path / "bars", "--utc")

    assert refused.exit_code == 1
    assert "give --utc if they are UTC" in refused.output
    assert taken.exit_code == 0
    assert read_series(tmp_path / "bars" / "COIN-15m.parquet").open_time[0] == SATURDAY


def test_newest_first_and_repeated_rows_are_mended_and_told(tmp_path: Path) -> None:
    path = a_csv(tmp_path, [SATURDAY + 900 * index for index in (3, 2, 2, 1, 0)])

    result = lem_data("convert", path, "--out", tmp_path)

    assert "rows sorted by time" in result.output
    assert "1 repeated rows dropped" in result.output
    assert len(read_series(tmp_path / "COIN-15m.parquet")) == 4


def test_a_foreign_parquet_file_is_read_by_its_zone(tmp_path: Path) -> None:
    stamps = a_time(*(SATURDAY + 900 * index for index in range(4)), zone="America/New_York")
    path = a_bar_file(tmp_path, timestamp=None, Date=stamps)

    result = lem_data("convert", path, "--out", tmp_path / "bars")

    assert result.exit_code == 0, result.output
    assert read_series(tmp_path / "bars" / "FLAT-15m.parquet").open_time[0] == SATURDAY


def test_bars_can_be_aggregated_and_a_window_with_a_gap_is_left_out(tmp_path: Path) -> None:
    path = a_csv(tmp_path, [SATURDAY + 900 * index for index in (2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15)])

    result = lem_data("convert", path, "--out", tmp_path, "--step-seconds", "3600")

    series = read_series(tmp_path / "COIN-1h.parquet")
    assert "bars of 15m made 1h, 5 bars left out" in result.output
    assert series.open_time.tolist() == [SATURDAY + 3600, SATURDAY + 3 * 3600]
    assert series.volume.tolist() == [40.0, 40.0]
    assert series.notional.tolist() == [4012.0, 4012.0]


def test_no_aggregated_window_reaches_over_a_night(tmp_path: Path) -> None:
    session = [MONDAY_OPEN + 300 * index for index in range(78)]
    path = a_csv(tmp_path, [time + 86_400 * day for day in range(2) for time in session])

    lem_data("convert", path, "--out", tmp_path, "--step-seconds", "3600")

    opens = read_series(tmp_path / "COIN-1h.parquet").open_time
    assert (np.diff(opens) == [3600] * 5 + [19 * 3600] + [3600] * 5).all()


@pytest.mark.parametrize(
    ("changes", "words", "detail"),
    [
        ({"bar": "100,99,101,100,10,1000"}, (), "high below low; first row 0, line 2"),
        ({"bar": "100,101,99,100.5,,1000"}, (), "have no volume"),
        ({"bar": "100,101,99,100.5,1e400,1000"}, (), "infinite volume"),
        ({"bar": "100,101,99,100.5,ten,1000"}, (), "volume 'ten' in row 0, line 2 is no number"),
        ({"bar": "100,101,99"}, (), "line 2 has 4 columns where the header names 7"),
        ({"times": [SATURDAY]}, (), "at least 2 are needed"),
        ({"times": [SATURDAY, SATURDAY + 900, SATURDAY + 1800, SATURDAY + 3000]}, (), "whole number of bars"),
        ({"times": ["45297", "45298"]}, (), "write dates as"),
        ({"times": ["2024-01-06 00:00", "2024-01-06 00:15"]}, ("--zone", "Mars"), "write a name such as"),
        ({"header": "timestamp,open,high,low,volume,close,close"}, (), "'close' and 'close' could both be close"),
        ({"header": "timestamp,date,high,low,close,volume,open"}, (), "'timestamp' and 'date' could both be"),
        ({"header": "timestamp,open,high,low,price,volume,x"}, (), "no column close among"),
        ({"header": "100,1,1,1,1,1,1"}, (), "must name the columns"),
        ({}, ("--columns", "close=price"), "--columns names 'price'"),
        ({}, ("--columns", "volume=notional"), "two meanings"),
        ({}, ("--columns", "close"), "write NAME=COLUMN"),
        ({}, ("--instrument", "BTC-USD"), "'BTC-USD' cannot name"),
        ({}, ("--instrument", "BRK-A"), "such as BRK.A for BRK-A"),
        ({}, ("--instrument", "../COIN"), "cannot name"),
        ({}, ("--step-seconds", "1000"), "must be a multiple"),
        ({}, ("--step-seconds", "86400"), "no two windows of 1d"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, object], words: tuple[str, ...], detail: str
) -> None:
    good = a_csv(tmp_path, HOURS, name="GOOD.csv")
    bad = a_csv(tmp_path, **changes)  # type: ignore[arg-type]

    result = lem_data("convert", good, bad, "--out", tmp_path / "bars", *words)

    assert result.exit_code == 1, result.output
    assert detail in result.output
    assert not (tmp_path / "bars").exists()


def test_a_file_that_is_there_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    lem_data("convert", a_csv(tmp_path), "--out", tmp_path / "bars")
    before = (tmp_path / "bars" / "COIN-15m.parquet").read_bytes()

    lem_data("convert", a_csv(tmp_path, bar="100,99,101,100,10,1000"), "--out", tmp_path / "bars")

    assert [path.name for path in (tmp_path / "bars").iterdir()] == ["COIN-15m.parquet"]
    assert (tmp_path / "bars" / "COIN-15m.parquet").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    result = lem_data("convert", a_csv(tmp_path), "--out", tmp_path / "COIN.csv" / "bars")

    assert result.exit_code == 2
    assert "COIN.csv" in result.output


def test_what_convert_writes_has_no_faults(tmp_path: Path) -> None:
    lem_data("convert", a_csv(tmp_path), "--out", tmp_path)

    assert lem_data("check", tmp_path / "COIN-15m.parquet").exit_code == 0


def test_a_pandas_index_without_a_name_is_the_time(tmp_path: Path) -> None:
    path = a_bar_file(tmp_path, timestamp=None, __index_level_0__=pa.array([0, 900, 1800, 2700]))

    assert lem_data("convert", path, "--out", tmp_path).exit_code == 0
