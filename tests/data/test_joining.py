"""Which files `lem data convert` makes one series of, and which it keeps apart or refuses."""

from __future__ import annotations

from pathlib import Path

from app.bars.reader import read_series
from tests.data.tables import HOURS, SATURDAY, a_csv, lem_data


def test_share_classes_stay_two_instruments_and_the_written_symbol_is_told(tmp_path: Path) -> None:
    one, other = (a_csv(tmp_path, name=name) for name in ("BRK-A.csv", "BRK-B.csv"))

    result = lem_data("convert", one, other, "--out", tmp_path / "bars")

    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "bars").iterdir()) == ["BRK.A-15m.parquet", "BRK.B-15m.parquet"]
    assert read_series(tmp_path / "bars" / "BRK.A-15m.parquet").instrument == "BRK.A"
    assert "BRK.A stands for the symbol in BRK-A.csv: a dash ends the instrument" in result.output


def test_share_classes_and_listings_behind_a_dot_stay_apart(tmp_path: Path) -> None:
    files = [a_csv(tmp_path, name=name) for name in ("BRK.A.csv", "BRK.B.csv", "0700.HK.csv")]

    result = lem_data("convert", *files, "--out", tmp_path / "bars")

    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "bars").iterdir())) == 3


def test_files_that_become_one_are_told(tmp_path: Path) -> None:
    one, other = (
        a_csv(tmp_path, name="COIN-1.csv"),
        a_csv(tmp_path, [SATURDAY + 2700, SATURDAY + 3600], name="COIN-2.csv"),
    )

    assert "joined from COIN-1.csv, COIN-2.csv" in lem_data("convert", one, other, "--out", tmp_path).output


def test_files_at_wildly_different_prices_are_no_one_instrument(tmp_path: Path) -> None:
    one = a_csv(tmp_path, name="one.csv", bar="450000,450000,450000,450000,1,450000")
    other = a_csv(tmp_path, [SATURDAY + 2700, SATURDAY + 3600], name="other.csv")

    result = lem_data("convert", one, other, "--instrument", "BRK", "--out", tmp_path / "bars")

    assert result.exit_code == 1
    assert "row 2, line 4 of" in result.output
    assert "becomes 100 at 2024-01-06 00:45" in result.output
    assert "convert each file with an --instrument of its own" in result.output
    assert not (tmp_path / "bars").exists()


def test_files_of_one_instrument_become_one(tmp_path: Path) -> None:
    later = a_csv(tmp_path, [SATURDAY + 1800, SATURDAY + 2700], name="COIN-2024-02.csv")
    sooner = a_csv(tmp_path, name="COIN-2024-01.csv")
    other = a_csv(tmp_path, name="OTHER-2024-01.csv")
    hourly = a_csv(tmp_path, HOURS, name="COIN-hours.csv")

    result = lem_data("convert", later, sooner, other, hourly, "--out", tmp_path)

    assert result.exit_code == 0, result.output
    assert len(read_series(tmp_path / "COIN-15m.parquet")) == 4
    assert len(read_series(tmp_path / "OTHER-15m.parquet")) == 3
    assert len(read_series(tmp_path / "COIN-1h.parquet")) == 6


def test_rows_of_one_time_that_disagree_are_refused_across_files_too(tmp_path: Path) -> None:
    one = a_csv(tmp_path, name="COIN-1.csv")
    other = a_csv(tmp_path, name="COIN-2.csv", bar="100,101,99,100,10,1003")

    result = lem_data("convert", one, other, "--out", tmp_path)

    assert result.exit_code == 1
    assert "two bars of 2024-01-06 00:00 differ" in result.output
    assert "COIN-1.csv and row 0, line 2 of" in result.output
    assert "keep the right one" in result.output


def test_two_lengths_that_would_be_one_file_are_refused(tmp_path: Path) -> None:
    files = a_csv(tmp_path, HOURS), a_csv(tmp_path, range(SATURDAY, SATURDAY + 7200, 900), name="COIN-15m.csv")

    result = lem_data("convert", *files, "--out", tmp_path, "--step-seconds", "3600")

    assert result.exit_code == 1
    assert "two of the series would be COIN-1h.parquet" in result.output
