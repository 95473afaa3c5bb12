"""`lem evaluate` as it is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from app.bars.bar_files import bar_files
from app.bars.walks import Walk, simulate_bars, write_bars
from app.bundles.shipped import SHIPPED_BUNDLE
from app.domain.errors import InvalidInput
from models.evaluation.evaluation_plan import make_plan, read_plan
from models.evaluation.lem_evaluate import evaluate
from models.evaluation.plan_options import changed_plan
from tests.evaluation.stand_in import StandIn, a_market, a_plan, an_evaluation
from tests.market import a_walk_file

SECONDS_OF_2024 = 1_704_067_200
"""Since the epoch, at its beginning."""

cli = typer.Typer()
cli.command()(evaluate)


def lem_evaluate(*words: str | Path) -> tuple[int, str]:
    """Exit code and everything printed."""
    result = CliRunner().invoke(cli, [str(word) for word in words])
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


@pytest.mark.measures
@pytest.mark.skipif(not SHIPPED_BUNDLE.exists(), reason="no bundle is shipped in this checkout")
def test_the_shipped_bundle_is_measured_on_a_folder_of_bars(tmp_path: Path) -> None:
    """On days that trained it, which is said."""
    (tmp_path / "walks").mkdir()
    walk = simulate_bars(np.random.default_rng(0), Walk(), 1, 1200)
    write_bars(tmp_path / "walks" / "BTCUSDT-900s.parquet", walk, 0, 900, first_open=SECONDS_OF_2024)
    words: list[str | Path] = [
        "--bars",
        tmp_path / "walks",
        "--out",
        tmp_path / "out",
        "--min-steps",
        "1..2",
        "--every",
        "60",
        "--docs",
        tmp_path / "docs" / "results.md",
    ]

    code, output = lem_evaluate(*words)

    assert code == 0, output
    assert "report.html, summary.md and 14 tables" in output
    assert (tmp_path / "out" / "report.html").exists()
    assert "walks" in (tmp_path / "out" / "paired.csv").read_text()
    fact = "18 of 18 starts of walks"
    assert f"in sample: bars that trained the model: {fact}" in output
    assert "orders that start from 2025-11-01 on are out of sample" in output
    for report in ("out/report.html", "out/summary.md", "docs/results.md"):
        assert fact in (tmp_path / report).read_text()


@pytest.mark.spawns
def test_no_torch_is_needed() -> None:
    blocked = (
        "import sys; sys.modules['torch'] = None; import models.evaluation.lem_evaluate, models.evaluation.evaluate"
    )

    subprocess.run([sys.executable, "-c", blocked], check=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--bundle", "none"], "nothing to measure"),
        (["--bars", "absent.parquet"], "absent.parquet does not exist"),
        (["--bars", "bars", "--config", "plan.toml"], "either --config or --bars"),
        (["--config", "absent.toml"], "absent.toml cannot be read"),
        (["--min-steps", "one"], "list of whole numbers"),
        (["--max-steps", "1"], "greater than or equal to 2"),
        (["--config", "plan.toml", "--start", "2025-01-06"], "--start goes with --bars"),
        (["--config", "plan.toml", "--end", "2025-01-06"], "--end goes with --bars"),
        (["--config", "plan.toml", "--step-seconds", "3600"], "--step-seconds goes with --bars"),
        (["--walk", "--start", "2025-01-06"], "--start goes with --bars"),
        (["--walk", "--every", "13"], "--every goes with the bars of a market"),
        (["--walk", "--docs", "."], "--docs .: is a folder"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path: Path, words: list[str], complaint: str) -> None:
    code, output = lem_evaluate("--out", tmp_path / "out", *words)

    assert code == 2
    assert complaint in output


def test_flags_go_on_top_of_a_plan() -> None:
    plan = make_plan({"markets": {"one": {"path": "x", "every": 5}}, "walk": {"instruments": 2}}, "test")

    changed = changed_plan(plan, max_steps=8, min_steps="2..3", every=7, walk=True)

    assert changed.markets["one"].every == 7
    assert changed.all_min_steps == (2, 3, 8)
    assert changed.walk is not None
    assert (changed.walk.instruments, changed.walk.min_steps) == (2, (2, 3))


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, output = lem_evaluate("--out", tmp_path, "--walk", "--bundle", tmp_path / "none")

    assert code == 2
    assert "card.json" in output


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[markets.one]\npath = 'x'\nevery = 0", "markets.one.every"),
        ("[markets.one]\nstart = 2025-01-01", "markets.one.paths"),
        ("[markets.one]\npath = 'x'\nstart = 2025-02-01\nend = 2025-01-01", "end must be after start"),
        ("minimal_steps = [1]", "minimal_steps"),
        ("max_steps = 1", "max_steps"),
        ("min_steps = [0]", "whole numbers from 1"),
        ("max_steps =", "is not TOML"),
        ("max_steps = 4\n[walk]\nslice_caps = [1.0, 0.2]", "walk.slice_caps: 4 slices of at most 0.2 cannot finish"),
    ],
)
def test_a_wrong_plan_says_where(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(content)

    with pytest.raises(InvalidInput, match=complaint) as refusal:
        read_plan(path)

    assert str(path) in str(refusal.value)


def test_paths_of_a_plan_are_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("[markets.one]\npath = 'bars'\nstart = 2025-01-03")

    market = read_plan(tmp_path / "plan.toml").markets["one"]

    assert market.paths == (tmp_path / "bars",)
    assert market.start_seconds == 1_735_862_400


def test_a_folder_stands_for_the_bar_files_in_it(tmp_path: Path) -> None:
    files = [a_walk_file(tmp_path, name=f"{name}-900s.parquet") for name in "BA"]

    assert bar_files((tmp_path,)) == sorted(files)


def test_a_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    first, second = (a_walk_file(tmp_path, name=f"{name}-900s.parquet") for name in "AB")
    detour = tmp_path / ".." / tmp_path.name / second.name

    assert bar_files((second, tmp_path, detour)) == [second, first]


def test_a_folder_without_bars_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="folder without"):
        bar_files((tmp_path,))


def test_a_market_without_a_single_order_is_refused(tmp_path: Path) -> None:
    evaluation = an_evaluation(a_plan({"short": a_market(tmp_path, bars=100)}), tmp_path / "out")

    with pytest.raises(
        InvalidInput, match=r"short: no order of up to 12 steps .* bars from 1970-01-01 00:00 to 1970-01-02 00:45 UTC"
    ):
        evaluation.measure()


@pytest.mark.measures
def test_a_market_with_orders_for_the_baselines_alone_is_refused(tmp_path: Path) -> None:
    plan = a_plan({"short": a_market(tmp_path, bars=150, start=None)})
    evaluation = an_evaluation(plan, tmp_path / "out", StandIn(history_min=200))

    with pytest.raises(InvalidInput, match="short: no order of up to 12 steps could start"):
        evaluation.measure()


def test_an_unknown_block_of_published_figures_is_refused(tmp_path: Path) -> None:
    evaluation = an_evaluation(a_plan({"walks": a_market(tmp_path, published="moon")}), tmp_path / "out")

    with pytest.raises(InvalidInput, match="'moon'; there are crypto_15min"):
        evaluation.measure()


def test_only_what_fits_under_max_steps_is_run() -> None:
    plan = make_plan({"max_steps": 8, "min_steps": (1, 6, 9, 11)}, "test")

    assert plan.all_min_steps == (1, 6, 8)
    assert plan.among((6, 7)) == (6, 8)
