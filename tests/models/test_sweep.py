"""A plan is trained with several seeds, and the one that is worth the most on the validation bars is told."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.models.test_cli import a_plan_file, typed


@pytest.mark.spawns
@pytest.mark.trains
def test_each_seed_is_trained_in_a_folder_of_its_own_and_the_best_comes_first(tmp_path: Path) -> None:
    words = ("train", "--config", a_plan_file(tmp_path), "--out", tmp_path / "runs", "--seeds", "3,1")

    first = typed(*words)
    table = (tmp_path / "runs" / "sweep.csv").read_text()
    rows = list(csv.DictReader(table.splitlines()))
    again = typed(*words)

    utilities = [float(row["utility"]) for row in rows]
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert {row["seed"] for row in rows} == {"1", "3"}
    assert utilities == sorted(utilities, reverse=True)
    assert f"lem export --run {rows[0]['run']}" in first.output
    assert (tmp_path / "runs" / "sweep.csv").read_text() == table
    assert all((tmp_path / "runs" / f"seed-{seed}" / "run.json").exists() for seed in (1, 3))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--seeds", "one"), "whole numbers"),
        (("--seeds", "0,1", "--seed", "2"), "do not go with --seeds"),
        (("--seeds", "0,1", "--processes", "2"), "do not go with --seeds"),
        (("--ray", "auto"), "go with --seeds"),
        (("--jobs", "2"), "go with --seeds"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    refused = typed("train", "--config", a_plan_file(tmp_path), "--out", tmp_path / "runs", *words)

    assert refused.exit_code == 2
    assert reason in refused.output
    assert not (tmp_path / "runs").exists()
