"""Each part can be left out, by name, and what is left still trains and is measured on the same orders."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from app.domain.errors import InvalidInput
from models.evaluation.ablation import MEASURES, TABLE, VARIANTS, WHOLE, ablate, variant_of
from models.network.lem import Lem
from models.settings.train_plan import TrainPlan, make_plan
from models.training.validation import Row
from tests.models.test_cli import a_plan_file, typed
from tests.models.tiny import TINY_SIZES, a_plan


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_a_network_that_reads_and_decides(name: str) -> None:
    plan = variant_of(make_plan({"model": TINY_SIZES}, "test"), name)

    net = Lem(plan.config)
    context, volume = net.context(torch.zeros(2, plan.config.lookback, 10))

    assert torch.isfinite(context).all()
    assert volume.shape == (2, plan.config.max_steps)


@pytest.fixture(scope="module")
def ablated(tmp_path_factory: pytest.TempPathFactory) -> Ablated:
    """A finished ablation of two variants, with what was written to standard error."""
    return an_ablation(tmp_path_factory.mktemp("ablated"), [WHOLE, "no_attention"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablated:
    plan: TrainPlan
    runs: Path
    variants: list[str]
    rows: list[Row]
    written: str


def an_ablation(folder: Path, variants: list[str]) -> Ablated:
    """The variants' processes write to the standard error that they inherit, so that it is a file meanwhile."""
    plan, runs, shown = a_plan(folder), folder / "runs", folder / "stderr"
    standard_error = os.dup(2)
    with shown.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        rows = ablate(plan, runs, 1, variants)
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
    return Ablated(plan=plan, runs=runs, variants=variants, rows=rows, written=shown.read_text())


@pytest.mark.spawns
def test_variants_are_compared_with_the_whole_order_by_order(ablated: Ablated) -> None:
    by_variant = {(row["variant"], row["market"]): row for row in ablated.rows}

    assert set(by_variant) == {(v, m) for v in (WHOLE, "no_attention") for m in ("walks_1h", "random walk")}
    assert by_variant[WHOLE, "walks_1h"]["utility_difference"] == 0.0
    assert by_variant["no_attention", "walks_1h"]["orders"] == by_variant[WHOLE, "walks_1h"]["orders"]
    parameters = {row["variant"]: int(row["parameters"]) for row in ablated.rows}
    assert parameters["no_attention"] < parameters[WHOLE]
    with (ablated.runs / TABLE).open() as file:
        assert [row["variant"] for row in csv.DictReader(file)] == [row["variant"] for row in ablated.rows]


@pytest.mark.spawns
def test_what_is_finished_is_not_done_again(ablated: Ablated) -> None:
    files = [ablated.runs / variant / MEASURES for variant in ablated.variants]
    written = [file.stat().st_mtime_ns for file in files]

    again = ablate(ablated.plan, ablated.runs, 1, ablated.variants)

    assert again == ablated.rows
    assert [file.stat().st_mtime_ns for file in files] == written


@pytest.mark.spawns
def test_measures_of_another_plan_are_not_taken_for_this_ones(ablated: Ablated) -> None:
    longer = ablated.plan.model_copy(update={"settings": replace(ablated.plan.settings, steps=3)})

    with pytest.raises(InvalidInput, match="another plan"):
        ablate(longer, ablated.runs, 1, [WHOLE])


@pytest.mark.spawns
def test_it_tells_how_far_each_variant_is(ablated: Ablated) -> None:
    for variant in ablated.variants:
        assert f"{variant}: orders 2 of 2" in ablated.written


def test_an_unknown_variant_is_refused_by_name(tmp_path: Path) -> None:
    refused = typed("ablate", "--config", a_plan_file(tmp_path), "--out", tmp_path / "runs", "--variant", "no_luck")

    assert refused.exit_code == 2
    assert "no_luck" in refused.output
    assert not (tmp_path / "runs").exists()
