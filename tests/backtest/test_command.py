"""`lem backtest` and `lem simulate` as they are typed."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from app.backtest import lem_backtest as command
from tests.bars.exchanges import daily_opens, lost, opens, series_at, write_series
from tests.market import a_bar_file, a_walk_file

COLUMNS = [
    "instrument", "start_time", "side", "benchmark", "size_mode", "min_steps", "max_steps", "steps_used", "avg_price",
    "benchmark_price", "slippage_bps",
]  # fmt: skip

cli = typer.Typer()
cli.command()(command.backtest)
cli.command()(command.simulate)


def lem(*words: str | Path) -> tuple[int, str]:
    """Exit code and everything printed."""
    result = CliRunner().invoke(cli, [str(word) for word in words])
    return result.exit_code, result.output


def test_one_row_per_order_and_scenario(tmp_path: Path) -> None:
    bars = a_walk_file(tmp_path)

    code, output = lem("backtest", "--bars", bars, "--out", tmp_path / "out", "--policy", "twap", "--every", "100")

    orders = pq.read_table(tmp_path / "out" / "orders.parquet")
    assert code == 0, output
    assert orders.column_names == COLUMNS
    assert orders.num_rows == 3 * 8 * 5
    assert str(orders.schema.field("start_time").type) == "timestamp[us, tz=UTC]"
    assert orders.column("instrument").unique().to_pylist() == ["WALK"]


def test_the_summary_tells_each_distribution(tmp_path: Path) -> None:
    bars = a_walk_file(tmp_path)

    lem("backtest", "--bars", bars, "--out", tmp_path, "--policy", "optimal_stopping", "--min-steps", "1,12")

    rows = list(csv.DictReader((tmp_path / "summary.csv").read_text().splitlines()))
    assert len(rows) == 8 * 2
    for row in rows:
        low, high = float(row["slippage_bps_p5"]), float(row["slippage_bps_p95"])
        assert low <= float(row["slippage_bps_q25"]) <= float(row["slippage_bps_median"])
        assert float(row["slippage_bps_median"]) <= float(row["slippage_bps_q75"]) <= high
    assert {row["orders"] for row in rows} == {"31"}


def test_no_order_runs_over_a_hole_that_is_longer_than_any_holiday(tmp_path: Path) -> None:
    """Three months are missing from September on: the last order of 12 days starts on 16 August in Tokyo."""
    stamps = daily_opens("Asia/Tokyo", lost=lost("2022-09-01", "2022-12-01"))
    flat = dict.fromkeys(("open", "high", "low", "close", "volume", "notional"), [100.0] * len(stamps))
    bars = a_bar_file(tmp_path, timestamp=pa.array(stamps, pa.timestamp("s", tz="UTC")), **flat)
    options = ("--policy", "twap", "--min-steps", "12", "--every", "1", "--benchmarks", "twap")

    code, output = lem(
        "backtest", "--bars", bars, "--out", tmp_path, *options, "--start", "2022-08-01", "--end", "2022-09-01"
    )

    starts = pq.read_table(tmp_path / "orders.parquet").column("start_time").unique().to_pylist()
    assert code == 0, output
    assert f"{max(starts):%Y-%m-%d}" == "2022-08-15"


def test_a_folder_stands_for_the_bar_files_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "bars"
    folder.mkdir()
    for name in ("ONE-900s.parquet", "TWO-900s.parquet"):
        a_walk_file(folder, name=name)

    code, output = lem("backtest", "--bars", folder, "--out", tmp_path / "out", "--policy", "twap", "--every", "100")

    orders = pq.read_table(tmp_path / "out" / "orders.parquet")
    assert code == 0, output
    assert sorted(orders.column("instrument").unique().to_pylist()) == ["ONE", "TWO"]


def test_a_folder_without_bar_files_is_refused_with_what_makes_them(tmp_path: Path) -> None:
    code, output = lem("backtest", "--bars", tmp_path, "--out", tmp_path / "out", "--policy", "twap")

    assert code == 2
    assert "is a folder without .parquet files: lem data convert makes bar files" in output


def test_two_share_classes_are_never_read_as_one_instrument(tmp_path: Path) -> None:
    files = [a_walk_file(tmp_path, name=f"BRK-{share}-900s.parquet") for share in "AB"]

    code, output = lem("backtest", "--bars", *files, "--out", tmp_path / "out", "--policy", "twap")

    assert code == 2
    assert "would both be the instrument BRK" in " ".join(output.split())
    assert not (tmp_path / "out").exists()


def test_a_bar_off_the_grid_is_told_with_file_and_time(tmp_path: Path) -> None:
    stamps = [1_704_499_200 + second for second in (0, 900, 1800, 3000)]
    bars = a_bar_file(tmp_path, timestamp=pa.array(stamps, pa.timestamp("s", tz="UTC")))

    code, output = lem("backtest", "--bars", bars, "--out", tmp_path, "--policy", "twap")

    told = " ".join(output.split())
    assert code == 2
    assert "FLAT-15m.parquet: FLAT: the bar of 2024-01-06 00:50:00 UTC is off the grid" in told
    assert "take it out" in told


def test_several_files_follow_one_flag(tmp_path: Path) -> None:
    files = [a_walk_file(tmp_path, name=f"{name}-900s.parquet", seed=seed) for seed, name in enumerate("ABC")]

    code, output = lem("backtest", "--out", tmp_path, "--policy", "twap", "--bars", *files)

    assert code == 0, output
    assert pq.read_table(tmp_path / "orders.parquet").column("instrument").unique().to_pylist() == ["A", "B", "C"]


@pytest.mark.spawns
def test_the_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    files = [a_walk_file(tmp_path, name=f"{name}-900s.parquet", seed=seed) for seed, name in enumerate("AB")]
    words: list[str | Path] = ["backtest", "--policy", "volume_curve", "--bars", *files]

    lem(*words, "--out", tmp_path / "one")
    code, output = lem(*words, "--out", tmp_path / "two", "--jobs", "2")

    assert code == 0, output
    one, two = (pq.read_table(tmp_path / name / "orders.parquet") for name in ("one", "two"))
    assert one.equals(two)


def test_steps_may_be_longer_than_bars(tmp_path: Path) -> None:
    bars = a_walk_file(tmp_path, bars=1000)

    code, output = lem(
        "backtest", "--bars", bars, "--out", tmp_path, "--policy", "twap", "--step-seconds", "3600", "--sides", "buy"
    )

    starts = pq.read_table(tmp_path / "orders.parquet").column("start_time").unique().to_pylist()
    assert code == 0, output
    assert {(moment.minute, moment.hour % 12) for moment in starts} == {(0, 0)}


def test_costs_worsen_every_order_and_large_ones_most(tmp_path: Path) -> None:
    words: list[str | Path] = ["backtest", "--bars", a_walk_file(tmp_path), "--policy", "twap", "--impact", "1"]

    means = []
    for number, more in enumerate(([], ["--order-size", "0.05"], ["--order-size", "0.05", "--half-spread-bps", "2"])):
        code, output = lem(*words, "--out", tmp_path / str(number), *more)
        assert code == 0, output
        means.append(pq.read_table(tmp_path / str(number) / "orders.parquet").column("slippage_bps").to_numpy().mean())

    assert means[1] - means[0] == pytest.approx(20.0 * 0.05**0.5, rel=0.3)
    assert means[2] - means[1] == pytest.approx(2.0, abs=0.01)


def test_a_choice_of_scenarios_is_kept_to(tmp_path: Path) -> None:
    words = ["--sides", "sell", "--benchmarks", "vwap", "--size-modes", "notional", "--risk-aversion", "tracking"]

    lem("backtest", "--bars", a_walk_file(tmp_path), "--out", tmp_path, "--policy", "twap", *words)

    rows = list(csv.DictReader((tmp_path / "summary.csv").read_text().splitlines()))
    assert {(row["side"], row["benchmark"], row["size_mode"]) for row in rows} == {("sell", "vwap", "notional")}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--min-steps", "13"], "min_steps 13 is above max_steps 12"),
        (["--min-steps", "one"], "list of whole numbers"),
        (["--sides", "long"], "list of buy, sell"),
        (["--max-steps", "10001"], "decides at most 10000"),
        (["--max-slice-fraction", "0.01"], "cannot finish it"),
        (["--max-slice-fraction", "half"], "must be a number"),
        (["--risk-aversion", "-1"], "must be at least 0, or one of neutral"),
        (["--order-size", "2"], "must be above 0 and at most 1"),
        (["--impact", "-1"], "must be at least 0"),
        (["--step-seconds", "1000"], "multiple of the bars' 900"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, words: list[str], complaint: str) -> None:
    bars = a_walk_file(tmp_path)

    code, output = lem("backtest", "--bars", bars, "--out", tmp_path / "out", "--policy", "twap", *words)

    assert code == 2
    assert complaint in " ".join(output.replace("│", " ").split())
    assert not (tmp_path / "out" / "orders.parquet").exists()


def test_bars_that_no_order_fits_into_are_told(tmp_path: Path) -> None:
    code, output = lem("backtest", "--bars", a_bar_file(tmp_path), "--out", tmp_path, "--policy", "twap")

    assert code == 0
    assert "no order could start: it needs 0 bars before it and 12 from its start on" in " ".join(output.split())
    assert "from 1970-01-01 00:00 to 1970-01-01 00:45 UTC, at most 4 in one" in " ".join(output.split())
    assert pq.read_table(tmp_path / "orders.parquet").column_names == COLUMNS


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    bars = a_bar_file(tmp_path, close=None)

    code, output = lem("backtest", "--bars", bars, "--out", tmp_path / "out", "--policy", "twap")

    assert code == 2
    assert "FLAT-15m.parquet has no column close" in output


@pytest.mark.spawns
def test_a_bad_file_is_named_by_another_process_too(tmp_path: Path) -> None:
    files = [a_walk_file(tmp_path), a_bar_file(tmp_path, close=None)]

    code, output = lem("backtest", "--out", tmp_path / "out", "--policy", "twap", "--jobs", "2", "--bars", *files)

    assert code == 2
    assert "FLAT-15m.parquet has no column close" in output


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    bars = a_walk_file(tmp_path)

    code, _ = lem("backtest", "--bars", bars, "--out", tmp_path / "out", "--bundle", tmp_path / "none")

    assert code == 2


def test_simulated_files_that_cannot_be_written_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")

    code, output = lem("simulate", "--out", tmp_path / "out", "--instruments", "1", "--bars", "300")

    assert code == 2
    assert output.startswith("lem simulate: ")
    assert output.count("\n") == 1


def test_simulated_files_can_be_backtested(tmp_path: Path) -> None:
    code, output = lem("simulate", "--out", tmp_path, "--instruments", "2", "--bars", "300", "--sigma-bps", "10")

    files = sorted(tmp_path.glob("*.parquet"))
    assert code == 0, output
    assert len(files) == 2
    assert lem("backtest", "--out", tmp_path / "out", "--policy", "optimal_stopping", "--bars", *files)[0] == 0


def test_steps_of_exchange_bars_are_whole_within_sessions_and_no_order_runs_over_a_hole(tmp_path: Path) -> None:
    """Bars of half an hour make 3 steps of 2 hours and one of half an hour; two hours of one day are lost."""
    hole = lost("2024-09-12T11:30", "2024-09-12T13:30")
    bars = tmp_path / "LISTED-30m.parquet"
    write_series(bars, series_at(opens("America/New_York", ("09:30", "16:00"), minutes=30, days=40, lost=hole)))
    options = ("--policy", "twap", "--min-steps", "4", "--max-steps", "4", "--step-seconds", "7200")

    code, output = lem("backtest", "--bars", bars, "--out", tmp_path, "--every", "1", *options)

    orders = pq.read_table(tmp_path / "orders.parquet")
    starts = {f"{each:%m-%d %H:%M}" for each in orders.column("start_time").to_pylist()}
    assert code == 0, output
    assert "4 starts left out: a bar is missing in their horizon" in output
    assert {f"09-11 {clock}" for clock in ("13:30", "15:30", "17:30", "19:30")} - starts == {
        "09-11 17:30",
        "09-11 19:30",
    }
    assert {"09-12 17:30", "09-12 19:30", "09-13 13:30"} <= starts
