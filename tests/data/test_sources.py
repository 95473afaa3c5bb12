"""Files as sources write them: headers of several lines, instruments side by side or below each other."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.bars.bar_files import bar_files
from app.bars.reader import read_series
from app.domain.errors import InvalidInput
from models.data.examine import examine_file
from models.data.text_file import text_table
from models.settings.sizes import LemConfig
from models.tapes.tapes import TapeSpan, read_tapes
from tests.data.tables import a_csv, lem_data
from tests.market import a_bar_file

DAYS = [f"2024-01-{day:02}" for day in (8, 9, 10, 11, 12, 15, 16)]
NUMBERS = "100,101,99,100.5,10"
HEADER = "Date,Open,High,Low,Close,Volume"


def a_file(folder: Path, *head: str, cells: str = NUMBERS, name: str = "COIN.csv") -> Path:
    """A daily bar on each of the days, below the lines of `head`."""
    path = folder / name
    path.write_text("\n".join([*head, *(f"{day},{cells}" for day in DAYS)]) + "\n")
    return path


def converted(folder: Path, *words: str | Path) -> list[str]:
    result = lem_data("convert", *words, "--out", folder / "bars")
    assert result.exit_code == 0, result.output
    return sorted(path.name for path in (folder / "bars").iterdir())


def refusal(folder: Path, *words: str | Path) -> str:
    result = lem_data("convert", *words, "--out", folder / "bars")
    assert result.exit_code == 1, result.output
    assert not (folder / "bars").exists()
    return result.output


def test_the_three_lines_that_yfinance_writes_above_its_bars_are_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, "Price,Close,High,Low,Open,Volume", "Ticker,AAPL,AAPL,AAPL,AAPL,AAPL", "Date,,,,,",
                  cells="100.5,101,99,100,10")  # fmt: skip

    assert converted(tmp_path, path) == ["AAPL-1d.parquet"]
    series = read_series(tmp_path / "bars" / "AAPL-1d.parquet")
    assert (len(series), series.open[0], series.close[0], series.volume[0]) == (7, 100.0, 100.5, 10.0)


@pytest.mark.parametrize(
    "head",
    [
        ("Price,Open,High,Low,Close,Volume,Open,High,Low,Close,Volume", "Ticker" + ",BRK-A" * 5 + ",BRK-B" * 5),
        ("Ticker" + ",BRK-A" * 5 + ",BRK-B" * 5, "Price,Open,High,Low,Close,Volume,Open,High,Low,Close,Volume"),
    ],
)
def test_tickers_side_by_side_become_a_bar_file_each(tmp_path: Path, head: tuple[str, str]) -> None:
    path = a_file(tmp_path, *head, "Date" + "," * 10, cells=f"{NUMBERS},1,2,1,1.5,7")
    path.write_text(path.read_text() + "2024-01-17,,,,,,1,2,1,1.5,7\n")

    assert converted(tmp_path, path) == ["BRK.A-1d.parquet", "BRK.B-1d.parquet"]
    one, other = (read_series(tmp_path / "bars" / f"BRK.{share}-1d.parquet") for share in "AB")
    assert (len(one), len(other)) == (7, 8)  # the eighth day is none of the first instrument's exchange
    assert (one.high[0], other.high[0]) == (101.0, 2.0)


def test_the_same_table_in_parquet_is_read(tmp_path: Path) -> None:
    names = ["('Open', 'AAPL')", "('High', 'AAPL')", "('Low', 'AAPL')", "('Close', 'AAPL')", "('Volume', 'AAPL')"]
    columns = {name: pa.array([100.0] * 7) for name in names} | {"Date": pa.array(DAYS)}
    pq.write_table(pa.table(columns), tmp_path / "download.parquet")

    assert converted(tmp_path, tmp_path / "download.parquet") == ["AAPL-1d.parquet"]


@pytest.mark.parametrize("symbols", ["alternate", "follow"])
def test_instruments_below_each_other_become_a_bar_file_each(tmp_path: Path, symbols: str) -> None:
    rows = [f"{day},{share},{NUMBERS}" for day in DAYS for share in ("BRK-A", "BRK-B")]
    if symbols == "follow":
        rows = [f"2024-01-{day:02},{'BRK-A' if day < 15 else 'BRK-B'},{NUMBERS}" for day in range(8, 22)]
    path = tmp_path / "all.csv"
    path.write_text("\n".join(["Date,Symbol,Open,High,Low,Close,Volume", *rows]) + "\n")

    reports = examine_file(path)

    assert [(report.symbol, report.bars) for report in reports] == [("BRK-A", 7), ("BRK-B", 7)]
    assert "all.csv (BRK-B): 7 bars of 1d" in lem_data("check", path).output
    assert converted(tmp_path, path) == ["BRK.A-1d.parquet", "BRK.B-1d.parquet"]


def test_categories_of_symbols_in_parquet_are_instruments_too(tmp_path: Path) -> None:
    symbols = pa.array(["BRK-A", "BRK-A", "BRK-B", "BRK-B"]).dictionary_encode()
    path = a_bar_file(tmp_path, Ticker=symbols)

    assert converted(tmp_path, path) == ["BRK.A-15m.parquet", "BRK.B-15m.parquet"]
    assert "lem data convert makes a file of each" in lem_data("check", path).output


def test_a_file_of_several_instruments_gets_no_single_name(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    rows = [f"{day},{share},{NUMBERS}" for day in DAYS for share in ("BRK-A", "BRK-B")]
    path.write_text("\n".join(["Date,Symbol,Open,High,Low,Close,Volume", *rows]) + "\n")

    assert "all.csv holds 2 instruments (BRK-A, BRK-B): leave --instrument out" in refusal(
        tmp_path, path, "--instrument", "BRK"
    )


def test_files_that_name_two_instruments_are_not_joined_under_one_name(tmp_path: Path) -> None:
    files = [
        a_file(tmp_path, f"{HEADER},Symbol", cells=f"{NUMBERS},BRK-{share}", name=f"{share}.csv") for share in "AB"
    ]

    output = refusal(tmp_path, *files, "--instrument", "BRK")

    assert "A.csv holds BRK-A and" in output
    assert "B.csv holds BRK-B, which would both be BRK" in output


def test_a_row_without_its_symbol_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, f"{HEADER},Symbol", cells=f"{NUMBERS},KO")
    path.write_text(path.read_text() + f"2024-01-17,{NUMBERS},\n")

    assert "the symbol in row 7, line 9 is empty" in refusal(tmp_path, path)


def test_a_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("BRK-A.csv", "BRK-B.csv", "notes.md"):
        a_file(folder, HEADER, name=name)
    (tmp_path / "none").mkdir()

    assert converted(tmp_path, folder) == ["BRK.A-1d.parquet", "BRK.B-1d.parquet"]
    assert lem_data("check", tmp_path / "bars").output.count("7 bars of 1d") == 2
    assert "is a folder without CSV or Parquet files" in lem_data("check", tmp_path / "none").output


def test_a_bar_file_whose_name_is_cut_in_its_symbol_is_warned_of_and_two_are_refused(tmp_path: Path) -> None:
    converted(tmp_path, a_file(tmp_path, HEADER, name="BRK.A.csv"))
    for share in "AB":
        (tmp_path / f"BRK-{share}-1d.parquet").write_bytes((tmp_path / "bars" / "BRK.A-1d.parquet").read_bytes())

    (report,) = examine_file(tmp_path / "BRK-A-1d.parquet")

    assert [warning.code for warning in report.warnings] == ["cut_name"]
    assert "read as BRK, since a dash ends the instrument: name it BRK.A-1d.parquet" in report.warnings[0].text
    with pytest.raises(InvalidInput, match="would both be the instrument BRK"):
        read_tapes(bar_files([tmp_path]), LemConfig(), TapeSpan(start=None, end=datetime(2025, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        (("https://www.example.org", "Date,Open,High,Low,Close,Volume"), NUMBERS),
        (("<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",), NUMBERS),
        ((",open,high,low,close,volume",), NUMBERS),
        (("Date,Close/Last,Volume,Open,High,Low",), "$100.5,10,$100,$101,$99"),
        (("Date,Open,High,Low,Close,Adj Close,Volume",), "100,101,99,100.5,90,10"),
        (("Date,Time,o,h,l,c,v",), f"00:00:00,{NUMBERS}"),
        (("t,o,h,l,c,v,n",), f"{NUMBERS},3"),
    ],
)  # fmt: skip
def test_headers_of_known_sources_are_read(tmp_path: Path, head: tuple[str, ...], cells: str) -> None:
    converted(tmp_path, a_file(tmp_path, *head, cells=cells))

    series = read_series(tmp_path / "bars" / "COIN-1d.parquet")
    assert (series.open[0], series.high[0], series.low[0], series.close[0], series.volume[0]) == (
        100.0, 101.0, 99.0, 100.5, 10.0,
    )  # fmt: skip


def test_decimal_commas_and_days_first_are_read_and_told(tmp_path: Path) -> None:
    rows = [f"{day}.01.2024;1.100,5;1.101,5;1.099,5;1.100,75;1.000" for day in ("08", "09", "10", "15")]
    path = tmp_path / "SAP.csv"
    path.write_text("\ufeff" + "\r\n".join(["Datum;Open;High;Low;Close;Volume", *rows, ""]), encoding="utf-8")

    output = lem_data("convert", path, "--out", tmp_path).output

    series = read_series(tmp_path / "SAP-1d.parquet")
    assert (series.open[0], series.volume[0]) == (1100.5, 1000.0)
    assert series.open_time[-1] - series.open_time[0] == 7 * 86_400
    assert "SAP.csv: dates are day-first, as 15.01.2024 in row 3, line 5 shows" in output
    assert "SAP.csv: numbers have a decimal comma, as Open '1.100,5' in row 0, line 2 shows" in output
    assert "dates are day-first" in lem_data("check", path).output


def test_local_times_with_a_zone_of_the_users_are_read(tmp_path: Path) -> None:
    path = a_csv(tmp_path, ["2024-01-08 09:30", "2024-01-08 09:45", "2024-07-08 09:30"])

    output = lem_data("convert", path, "--out", tmp_path, "--zone", "America/New_York").output

    assert "times are those of America/New_York" in output
    hours = read_series(tmp_path / "COIN-15m.parquet").open_time % 86_400 / 3600
    assert hours.tolist() == [14.5, 14.75, 13.5]


def test_text_in_utf_16_is_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, HEADER)
    path.write_bytes(("\ufeff" + path.read_text()).encode("utf-16-le"))

    assert converted(tmp_path, path) == ["COIN-1d.parquet"]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the file is empty"),
        (b"\n\r\n", "the file is empty"),
        (f"{HEADER}\n".encode(), "0 bars; at least 2 are needed"),
        (b"PK\x03\x04\x00", "zip archive or a spreadsheet: unpack it, or save the sheet as CSV"),
        (gzip.compress(f"{HEADER}\n".encode()), "packed with gzip: name it with .gz at the end"),
        (f"{HEADER}\n2024-01-08,{NUMBERS}\n\nSource: x\n".encode(), "line 4 has 1 columns where the header names 6"),
        (f"{HEADER}\n2024-01-08,100,5,1,1,1,1,1\n".encode(), "line 2 has 8 columns.*decimal commas need semicolons"),
        (b"Date,Open,High,Low,Adj Close,Volume\n", "close=Adj Close is right only if open, high and low are adjusted"),
        (f"{HEADER}\n\n2024-01-08,{NUMBERS}\n2024-01-09,1,1,1,x,1\n".encode(), "Close 'x' in row 1, line 4 is no"),
        (f"{HEADER}\n\n2024-01-08,{NUMBERS}\n2024-01-09,0,0,0,0,0\n".encode(), "a price of 0; first row 1, line 4"),
        (f"{HEADER}\n2024-01-08,{NUMBERS}\n2024-01-09,null,,NaN,-,1\n".encode(), "have no open; first row 1, line 3"),
    ],
)
def test_what_cannot_be_read_names_its_line_and_what_to_do(tmp_path: Path, content: bytes, detail: str) -> None:
    path = tmp_path / "COIN.csv"
    path.write_bytes(content)

    text = " ".join(fault.text for report in examine_file(path) for fault in report.faults)

    assert re.search(detail, text), text


def test_lines_are_those_of_an_editor_though_empty_ones_are_passed_over() -> None:
    body = b"\n\n".join(b"2024-01-08,1,1,1,1,%d" % number for number in range(1000))

    line = text_table(HEADER.encode() + b"\n" + body).line

    assert line is not None
    assert np.array_equal(line, np.arange(2, 2002, 2))
