"""A network without one of its parts is exported as the whole one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bundles.bundle import load_bundle
from models.evaluation.ablation import variant_of
from models.network.lem import Lem
from models.release.draft import draft_bundle
from models.release.replace import draft_folder, replace_bundle
from models.settings.train_plan import make_plan
from tests.models.tiny import TINY_SIZES


@pytest.mark.exports
@pytest.mark.parametrize(
    "name", ["lstm_for_tkan", "no_recurrence", "no_context", "no_volume_bend", "one_shared_network"]
)
def test_a_variant_is_exported_as_any_other(name: str, bundle: Path, tmp_path: Path) -> None:
    card, target = load_bundle(bundle).card, tmp_path / "part-1"
    net = Lem(variant_of(make_plan({"model": TINY_SIZES}, "test"), name).config)

    draft_bundle(
        net,
        draft_folder(target),
        name="part-1",
        training=card.training,
        bar_seconds=[900],
        risk_aversions=card.risk_aversions,
        metrics=[],
    )
    replace_bundle(target, draft_folder(target))

    assert load_bundle(target).max_steps == TINY_SIZES["max_steps"]
