"""A card may hold a calibration; what the bundle decides, and its name, are the same with and without one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.bundles.bundle import bundle_name, load_bundle
from app.bundles.calibration import calibration_card, calibration_of
from app.bundles.card import Card
from app.bundles.errors import BundleError
from app.domain.order import Benchmark
from tests.decision.quotes.calibrations import a_calibration, a_table

TINY = Path(__file__).parents[1] / "models" / "tiny-1"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def card() -> Card:
    return load_bundle(TINY).card


def with_calibration(folder: Path, change: Callable[[Json], Any]) -> Path:
    """A copy of the tiny bundle with a calibration that `change` has changed."""
    bundle = Path(shutil.copytree(TINY, folder / TINY.name))
    content = json.loads((bundle / "card.json").read_text())
    content["calibration"] = calibration_card(a_calibration().tables).model_dump()
    change(content["calibration"])
    (bundle / "card.json").write_text(json.dumps(content))
    return bundle


def test_a_card_without_a_calibration_is_valid_and_calibrates_nothing(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(TINY, tmp_path / TINY.name))
    content = json.loads((bundle / "card.json").read_text())
    content.pop("calibration", None)
    (bundle / "card.json").write_text(json.dumps(content))

    assert load_bundle(bundle).calibration.nearest(900, Benchmark.VWAP) is None


def test_tables_come_back_from_the_card_as_they_were() -> None:
    tables = a_calibration(a_table(), a_table(slice_cap_multiple=2.0)).tables

    assert calibration_of(calibration_card(tables)).tables == tables


def test_the_name_of_a_bundle_does_not_depend_on_its_calibration(card: Card) -> None:
    calibrated = card.model_copy(update={"calibration": calibration_card(a_calibration().tables)})

    assert bundle_name(calibrated) == bundle_name(card)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("levels", lambda card: card.update(levels=[0.5])),
        ("quantiles must not fall", lambda card: card["tables"][0]["quantiles"][0].reverse()),
        ("there must be 9", lambda card: card["tables"][0]["quantiles"][0].pop()),
        ("shorter|longer", lambda card: card["tables"][0]["orders"].pop()),
        ("not within 1", lambda card: card["tables"][0]["min_steps"].__setitem__(0, 0)),
        ("not finite", lambda card: card["tables"][0]["mean"].__setitem__(0, float("nan"))),
        ("Invalid isoformat", lambda card: card["tables"][0].update(start="July")),
        ("benchmark", lambda card: card["tables"][0].update(benchmark="close")),
    ],
)
def test_a_calibration_that_no_orders_could_have_given_is_refused(
    tmp_path: Path, reason: str, change: Callable[[Json], Any]
) -> None:
    bundle = with_calibration(tmp_path, change)

    with pytest.raises(BundleError, match=reason):
        load_bundle(bundle)
