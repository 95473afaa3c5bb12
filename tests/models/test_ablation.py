"""Each part can be left out, by name, and what is left still trains, exports and is measured on the same orders."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.bundles.bundle import load_bundle
from app.domain.errors import InvalidInput
from models.evaluation.ablation import MEASURES, TABLE, VARIANTS, WHOLE, ablate, variant_of
from models.network.lem import Lem
from models.release.export import export_bundle
from models.settings.train_plan import make_plan
from tests.models.test_cli import a_plan_file, typed
from tests.models.tiny import TINY_SIZES, a_plan


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_a_network_that_reads_and_decides(name: str) -> None:
    plan = variant_of(make_plan({"model": TINY_SIZES}, "test"), name)

    net = Lem(plan.config)
    context, volume = net.context(torch.zeros(2, plan.config.lookback, 10))

    assert torch.isfinite(context).all()
    assert volume.shape == (2, plan.config.max_steps)


@pytest.mark.parametrize(
    "name", ["lstm_for_tkan", "no_recurrence", "no_context", "no_volume_bend", "one_shared_network"]
)
def test_a_variant_is_exported_as_any_other(name: str, bundle: Path, tmp_path: Path) -> None:
    card = load_bundle(bundle).card
    net = Lem(variant_of(make_plan({"model": TINY_SIZES}, "test"), name).config)

    export_bundle(
        net,
        tmp_path / "part-1",
        training=card.training,
        bar_seconds=[900],
        risk_aversions=card.risk_aversions,
        metrics=[],
    )

    assert load_bundle(tmp_path / "part-1").max_steps == TINY_SIZES["max_steps"]


def test_variants_are_compared_with_the_whole_order_by_order(tmp_path: Path) -> None:
    rows = ablate(a_plan(tmp_path), tmp_path / "runs", 1, [WHOLE, "no_attention"])

    by_variant = {(row["variant"], row["market"]): row for row in rows}
    assert set(by_variant) == {(v, m) for v in (WHOLE, "no_attention") for m in ("walks_1h", "random walk")}
    assert by_variant[WHOLE, "walks_1h"]["utility_difference"] == 0.0
    assert by_variant["no_attention", "walks_1h"]["orders"] == by_variant[WHOLE, "walks_1h"]["orders"]
    parameters = {row["variant"]: int(row["parameters"]) for row in rows}
    assert parameters["no_attention"] < parameters[WHOLE]
    with (tmp_path / "runs" / TABLE).open() as file:
        assert [row["variant"] for row in csv.DictReader(file)] == [row["variant"] for row in rows]


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    plan, runs = a_plan(tmp_path), tmp_path / "runs"
    first = ablate(plan, runs, 1, [WHOLE])
    written = (runs / WHOLE / MEASURES).stat().st_mtime_ns

    again = ablate(plan, runs, 1, [WHOLE])

    assert again == first
    assert (runs / WHOLE / MEASURES).stat().st_mtime_ns == written


def test_measures_of_another_plan_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    plan, runs = a_plan(tmp_path), tmp_path / "runs"
    ablate(plan, runs, 1, [WHOLE])
    longer = plan.model_copy(update={"settings": replace(plan.settings, steps=3)})

    with pytest.raises(InvalidInput, match="another plan"):
        ablate(longer, runs, 1, [WHOLE])


def test_it_tells_how_far_each_variant_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ablate(a_plan(tmp_path), tmp_path / "runs", 1, [WHOLE])

    assert f"{WHOLE}: training 2 of 2" in capfd.readouterr().err


def test_an_unknown_variant_is_refused_by_name(tmp_path: Path) -> None:
    refused = typed("ablate", "--config", a_plan_file(tmp_path), "--out", tmp_path / "runs", "--variant", "no_luck")

    assert refused.exit_code == 2
    assert "no_luck" in refused.output
    assert not (tmp_path / "runs").exists()
