"""`lem data binance` against a server with Binance's layout."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app.bars.reader import read_series
from models.data.binance import Request, SymbolResult, download
from models.data.download import Patience
from tests.data.klines import CUT, MICROSECONDS, STALL, Host, a_month, a_zip, an_archive, month_start
from tests.data.tables import lem_data
from tests.processes.replicas import PATIENT_SECONDS

ROOT = Path(__file__).parents[2]
MONTHS = ("2024-01", "2024-02", "2024-03")


def run(host: Host, out: Path, *symbols: str, words: tuple[str, ...] = ()) -> Result:
    months = ("--from", MONTHS[0], "--to", MONTHS[-1])
    where = ("--base-url", host.url, "--out", str(out))
    return lem_data("binance", *(symbols or ("BTCUSDT",)), "--interval", "15m", *months, *where, *words)


async def outcomes(host: Host, out: Path, *symbols: str, jobs: int = 1) -> list[SymbolResult]:
    """As `run`, without a wait between two attempts."""
    request = Request(
        symbols=symbols, interval="15m", first=MONTHS[0], last=MONTHS[-1], base_url=host.url,
        cache=out / "archives", out=out, jobs=jobs, patience=Patience(attempts=2, first_wait_seconds=0.0),
    )  # fmt: skip
    return await download(request, lambda: None)


def bar_files(out: Path) -> list[str]:
    return sorted(path.name for path in out.glob("*.parquet"))


def drafts(out: Path) -> list[Path]:
    return list(out.rglob("*.part"))


def test_months_become_one_bar_file_with_its_gaps_told(host: Host, tmp_path: Path) -> None:
    host.publish_months(*MONTHS)

    result = run(host, tmp_path)

    series = read_series(tmp_path / "BTCUSDT-15m.parquet")
    assert result.exit_code == 0, result.output
    assert "3 archives fetched, 0 were here" in result.output
    assert len(series) == 12
    assert series.open_time[[0, 4, 8]].tolist() == [month_start(month) for month in MONTHS]
    assert (series.open[0], series.notional[0], series.trades[3]) == (1.1, 11.5, 4.0)


def test_gaps_are_reported_where_bars_trade_round_the_clock(host: Host, tmp_path: Path) -> None:
    for month in MONTHS:
        host.publish(an_archive(month), a_zip(a_month(month, bars=96 * 7)))

    output = run(host, tmp_path).output

    assert "round the clock" in output
    assert f"2 gaps, {(31 - 7 + 29 - 7) * 96} bars missing" in output
    assert "after 2024-01-07 23:45: 2304 bars, a new history begins" in output


def test_archives_of_either_unit_with_and_without_header_join(host: Host, tmp_path: Path) -> None:
    host.publish(an_archive(MONTHS[0]), a_zip(a_month(MONTHS[0])))
    host.publish(an_archive(MONTHS[1]), a_zip(a_month(MONTHS[1], parts=MICROSECONDS)))
    host.publish(an_archive(MONTHS[2]), a_zip(a_month(MONTHS[2], parts=MICROSECONDS, header=True)))

    result = run(host, tmp_path)

    assert result.exit_code == 0, result.output
    assert len(read_series(tmp_path / "BTCUSDT-15m.parquet")) == 12


def test_months_that_are_not_published_are_told_and_skipped(host: Host, tmp_path: Path) -> None:
    host.publish_months("2024-02")

    result = run(host, tmp_path)

    assert result.exit_code == 0
    assert "BTCUSDT: not published, skipped: 2024-01, 2024-03" in result.output
    assert len(read_series(tmp_path / "BTCUSDT-15m.parquet")) == 4


def test_a_symbol_of_which_there_is_nothing_fails_and_the_others_are_written(host: Host, tmp_path: Path) -> None:
    host.publish_months(*MONTHS, symbol="ETHUSDT")

    result = run(host, tmp_path, "NOPEUSDT", "ETHUSDT")

    assert result.exit_code == 1
    assert "the source has no NOPEUSDT in any of these months" in result.output
    assert bar_files(tmp_path) == ["ETHUSDT-15m.parquet"]


def test_a_second_run_asks_for_nothing_that_is_kept(host: Host, tmp_path: Path) -> None:
    host.publish_months(*MONTHS)
    run(host, tmp_path)
    before = (tmp_path / "BTCUSDT-15m.parquet").read_bytes()
    host.asked.clear()

    result = run(host, tmp_path)

    assert "0 archives fetched, 3 were here" in result.output
    assert host.asked == []
    assert (tmp_path / "BTCUSDT-15m.parquet").read_bytes() == before


async def test_a_run_that_was_cut_in_the_middle_goes_on_where_it_was(host: Host, tmp_path: Path) -> None:
    paths = host.publish_months(*MONTHS)
    host.troubles[paths[1]] = [CUT, CUT]
    (first,) = await outcomes(host, tmp_path, "BTCUSDT")
    left_behind = bar_files(tmp_path)
    host.asked.clear()

    (second,) = await outcomes(host, tmp_path, "BTCUSDT")

    assert (first.fetched, first.path, left_behind) == (1, None, [])
    assert (second.kept, second.fetched, second.problems) == (1, 2, ())
    assert host.zips_asked() == paths[1:]
    assert bar_files(tmp_path) == ["BTCUSDT-15m.parquet"]
    assert drafts(tmp_path) == []


@pytest.mark.spawns
def test_an_interrupted_command_leaves_nothing_half_and_goes_on(host: Host, tmp_path: Path) -> None:
    paths = host.publish_months(*MONTHS)
    host.troubles[paths[1]] = [STALL]
    probe = "from models.data.lem_data import data; data()"
    words = ("binance", "BTCUSDT", "--interval", "15m", "--from", MONTHS[0], "--to", MONTHS[-1], "--jobs", "1")
    command = [sys.executable, "-c", probe, *words, "--base-url", host.url, "--out", str(tmp_path)]

    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        reached = host.stalled.wait(PATIENT_SECONDS)
        process.send_signal(signal.SIGINT)
        _, output = process.communicate(timeout=PATIENT_SECONDS)
    host.go_on.set()
    left = bar_files(tmp_path), drafts(tmp_path)
    again = run(host, tmp_path)

    assert (reached, process.returncode, left) == (True, 130, ([], []))
    assert "the same command goes on" in output
    assert "2 archives fetched, 1 were here" in again.output


async def test_once_the_source_is_down_no_more_is_asked_of_it(host: Host, tmp_path: Path) -> None:
    paths = host.publish_months(*MONTHS)
    host.troubles[f"{paths[0]}.CHECKSUM"] = [503] * 10

    (outcome,) = await outcomes(host, tmp_path, "BTCUSDT")

    assert host.asked == [f"{paths[0]}.CHECKSUM"] * 2
    assert len(outcome.problems) == 1
    assert "answers 503" in outcome.problems[0]


async def test_one_wrong_checksum_keeps_its_symbol_from_being_written_and_no_other(host: Host, tmp_path: Path) -> None:
    host.publish_months(*MONTHS, symbol="ETHUSDT")
    host.publish_months(*MONTHS)
    host.publish(an_archive(MONTHS[1]), a_zip(a_month(MONTHS[1])), checksum="f" * 64)

    bad, good = await outcomes(host, tmp_path, "BTCUSDT", "ETHUSDT", jobs=4)

    assert (bad.path, bad.fetched) == (None, 2)
    assert "its CHECKSUM says fff" in bad.problems[0]
    assert good.problems == ()
    assert bar_files(tmp_path) == ["ETHUSDT-15m.parquet"]


@pytest.mark.parametrize(
    ("packed", "detail"),
    [
        (lambda: a_zip(a_month())[:200], "is not a whole zip"),
        (lambda: a_zip(b"0" * 50_000_000), "unpacks to more than"),
        (lambda: a_zip(a_month().replace(b"1.30", b"0.30")), "high below low"),
        (lambda: a_zip(a_month().replace(b"1.30", b"dear")), "'dear'"),
    ],
    ids=["not whole", "too large", "not true", "no number"],
)
def test_a_broken_archive_is_told_and_asked_for_again_next_time(
    host: Host, tmp_path: Path, packed: Callable[[], bytes], detail: str
) -> None:
    paths = host.publish_months(*MONTHS)
    host.publish(an_archive(), packed())
    result = run(host, tmp_path)
    host.asked.clear()
    host.publish_months(*MONTHS)

    again = run(host, tmp_path)

    assert result.exit_code == 1
    assert detail in result.output
    assert "BTCUSDT is not written" in result.output
    assert again.exit_code == 0, again.output
    assert host.zips_asked() == [paths[0]]


def test_archives_with_bars_of_another_length_are_refused(host: Host, tmp_path: Path) -> None:
    lines = a_month(bars=16).splitlines()[::4]
    host.publish(an_archive(), a_zip(b"\n".join(lines)))

    result = run(host, tmp_path)

    assert result.exit_code == 1
    assert "the archives of 15m hold bars of 1h" in result.output


@pytest.mark.parametrize(
    "words",
    [("--interval", "7m"), ("--from", "2024"), ("--to", "2023-12"), ("--base-url", "ftp://host"), ("--base-url", "x")],
)
def test_a_request_that_makes_no_sense_asks_nobody(host: Host, tmp_path: Path, words: tuple[str, str]) -> None:
    result = run(host, tmp_path / "bars", words=words)

    assert result.exit_code == 2, result.output
    assert host.asked == []
    assert not (tmp_path / "bars").exists()


def test_the_archives_can_be_kept_elsewhere(host: Host, tmp_path: Path) -> None:
    host.publish_months(*MONTHS)

    run(host, tmp_path / "bars", words=("--cache", str(tmp_path / "kept")))

    assert len(list((tmp_path / "kept").rglob("*.zip"))) == 3
    assert [path.name for path in (tmp_path / "bars").iterdir()] == ["BTCUSDT-15m.parquet"]
