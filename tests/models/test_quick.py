"""A quick training keeps the markets of its plan and nothing else of it, and ends with a bundle that serves."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.demo.server import serving
from models.settings.quick import QUICK_BUNDLE, QUICK_SETTINGS, QUICK_SIZES, quick_plan
from models.training.progress_bar import ProgressBar, progress_on_stderr
from tests.models.test_cli import typed
from tests.models.tiny import a_plan


def test_a_quick_plan_has_the_markets_of_the_plan_and_sizes_of_its_own(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)

    quick = quick_plan(plan)

    assert quick.markets == plan.markets
    assert (quick.settings, quick.config) == (QUICK_SETTINGS, QUICK_SIZES)


def test_bars_that_are_not_there_are_refused_with_the_span_of_the_files(tmp_path: Path) -> None:
    """A year that was mistyped, say."""
    a_plan(tmp_path)

    refused = typed(
        "train", "--quick", "--data", tmp_path, "--train-end", "2024-01-15", "--validation-end", "2025-01-01",
        "--out", tmp_path / "run",
    )  # fmt: skip

    assert refused.exit_code == 2
    assert "has too few bars for validation" in refused.output
    assert "from 2024-01-01 00:00 to 2024-01-17 15:00 UTC" in refused.output


def test_a_split_that_is_missing_is_proposed_from_the_span_of_the_files(tmp_path: Path) -> None:
    a_plan(tmp_path)

    refused = typed("train", "--quick", "--data", tmp_path, "--out", tmp_path / "run")

    assert refused.exit_code == 2
    assert "bars from 2024-01-01 to 2024-01-17: --train-end 2024-01-11 --validation-end 2024-01-14" in refused.output


def test_a_log_has_lines_and_neither_bars_nor_carriage_returns(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_on_stderr() as progress:
        bar = ProgressBar(progress)
        bar.tell("about 3 s ahead: orders 3 s")
        for step in range(1, 4):
            bar("orders", step, 3)

    logged = capsys.readouterr().err

    assert logged.splitlines()[0] == "about 3 s ahead: orders 3 s"
    assert logged.splitlines()[1].startswith("orders 3 of 3")
    assert len(logged.splitlines()) == 2
    assert not set(logged) & {"\r", "\x1b", "━"}


@pytest.mark.trains
@pytest.mark.exports
@pytest.mark.spawns
def test_a_quick_training_ends_with_a_bundle_that_serves(tmp_path: Path) -> None:
    """Which is written once: the folder of a training has but one."""
    trained = typed("train", "--quick", "--out", tmp_path / "run")
    bundle = tmp_path / "run" / QUICK_BUNDLE

    assert trained.exit_code == 0, trained.output
    assert f"lem serve --bundle {bundle}" in trained.output
    with (
        serving(data_dir=tmp_path / "data", bundle=bundle) as server,
        httpx.Client(base_url=server.address, timeout=60) as client,
    ):
        assert client.get("/readyz").json()["ready"] is True
        [model] = [each for each in client.get("/v1/models").json()["models"] if each["active"]]
    assert model["name"].startswith("quick@")
    assert model["card"]["max_steps"] == QUICK_SIZES.max_steps
    written = (bundle / "card.json").stat().st_mtime_ns

    again = typed("train", "--quick", "--out", tmp_path / "run")

    assert again.exit_code == 0, again.output
    assert (bundle / "card.json").stat().st_mtime_ns == written
