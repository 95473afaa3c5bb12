"""`lem calibrate` as it is typed: on walks, with a bundle that decides 4 steps at most."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from app.bars.walks import Walk, simulate_bars, write_bars
from app.bundles.bundle import load_bundle
from app.domain.order import Benchmark
from models.calibration import calibrate as calibrating
from models.calibration.lem_calibrate import calibrate

TINY = Path(__file__).parents[1] / "models" / "tiny-1"
FIRST_OPEN = 1_704_067_200  # 2024-01-01
PLAN = """
[markets.walks]
path = "walks"
train_end = 2024-01-03
validation_end = 2024-01-11
"""

STARTS = 120
"""Of orders; a few more than are needed for a row."""

pytestmark = pytest.mark.measures

cli = typer.Typer()
cli.command()(calibrate)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle beside a plan and 16 days of a walk of 15 minutes."""
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "walks").mkdir()
    made = simulate_bars(np.random.default_rng(0), Walk(), 1, 16 * 96, first_open=FIRST_OPEN)
    write_bars(folder / "walks" / "WALK-15m.parquet", made, 0, 900, first_open=FIRST_OPEN)
    (folder / "plan.toml").write_text(PLAN)
    return Path(shutil.copytree(TINY, folder / TINY.name))


@pytest.fixture(scope="module")
def calibrated(prepared: Path) -> tuple[Path, str]:
    """The bundle once it is calibrated, and what the command printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrating, "STARTS_MAX", STARTS)
        patch.setattr(calibrating, "STARTS_PER_FILE_MIN", STARTS)
        return prepared, typed(prepared)


@pytest.fixture
def bundle(calibrated: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of its own of the calibrated bundle, its plan and its bars."""
    return Path(shutil.copytree(calibrated[0].parent, tmp_path / "copy")) / TINY.name


def typed(bundle: Path, *words: str) -> str:
    result = CliRunner().invoke(cli, ["--config", str(bundle.parent / "plan.toml"), "--bundle", str(bundle), *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_market_is_measured_and_kept_in_the_card(calibrated: tuple[Path, str]) -> None:
    bundle, output = calibrated
    before, policy = load_bundle(TINY), load_bundle(bundle)

    measured = policy.calibration.nearest(900, Benchmark.TWAP)

    assert "1 markets, 54 rows" in output
    assert policy.name == before.name
    assert policy.card.model_copy(update={"calibration": before.card.calibration}) == before.card
    assert measured is not None
    assert (measured.first.market, measured.first.start.day, measured.first.end.day) == ("walks", 3, 11)
    assert measured.lengths == (2, 4)
    assert measured.tightest_cap_multiple == 2.0


def test_an_order_on_a_walk_is_expected_to_earn_what_stopping_is_worth(calibrated: tuple[Path, str]) -> None:
    """A stop from step 1 on earns something, and an order that may not stop nothing."""
    measured = load_bundle(calibrated[0]).calibration.nearest(900, Benchmark.TWAP)

    assert measured is not None
    free, forced = (
        measured.gains(max_steps=4, min_steps=least, risk_aversion=0.0, slice_cap_multiple=None) for least in (1, 4)
    )
    assert free.mean > 0.02
    assert forced.mean == pytest.approx(0.0, abs=0.02)


def test_the_same_command_leaves_a_measured_market_as_it_is(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = (bundle / "card.json").read_bytes()
    monkeypatch.setattr(calibrating, "STARTS_MAX", 50)
    monkeypatch.setattr(calibrating, "STARTS_PER_FILE_MIN", 50)

    typed(bundle)
    kept = (bundle / "card.json").read_bytes()
    output = (
        CliRunner()
        .invoke(cli, ["--config", str(bundle.parent / "plan.toml"), "--bundle", str(bundle), "--anew"])
        .output
    )

    assert kept == written
    assert "walks: too few orders" in output, "50 starts are measured anew, and are too few"
    assert json.loads((bundle / "card.json").read_text())["calibration"]["tables"] == []


def test_a_check_counts_the_later_orders_within_the_interval_of_their_quotes(bundle: Path) -> None:
    written = (bundle / "card.json").read_bytes()

    output = typed(bundle, "--check")

    [whole] = [line for line in output.splitlines() if " all " in line]
    within = float(whole.split("│")[5].removesuffix("% "))
    assert 80.0 <= within <= 97.0
    assert (bundle / "card.json").read_bytes() == written


def test_bars_that_are_not_there_are_refused(bundle: Path) -> None:
    shutil.rmtree(bundle.parent / "walks")

    result = CliRunner().invoke(cli, ["--config", str(bundle.parent / "plan.toml"), "--bundle", str(bundle), "--anew"])

    assert result.exit_code == 2
    assert "does not exist" in result.output
