"""The release gate: it lets a good bundle pass and says why it stops another."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.engine.market import COLUMNS, Floats, Market
from app.engine.policy import Proposal, Rows
from app.inference.bundle import BundleError, LemPolicy, load_bundle
from models.gate import SIZE_MAX, looks_ahead, reasons_against, worse, worse_on_walks
from models.run import REFUSAL, release
from tests.models.tiny import a_plan


class Peeking(LemPolicy):
    """Hands every window the newest bar of its whole batch, as a careless normalisation would."""

    def observe(self, windows: Floats) -> Market:
        level = windows[-1, -1, COLUMNS.index("close")] / windows[:, -1:, [COLUMNS.index("close")]]
        moved = windows.copy()
        moved[:, -1:, [COLUMNS.index("close")]] *= level
        return super().observe(moved)


class Careless(LemPolicy):
    """Never stops and trades everything at once."""

    def propose(self, market: Market, rows: Rows) -> Proposal:
        return Proposal(np.ones(len(rows)), np.zeros(len(rows)))


class Blunt(LemPolicy):
    """Trades orders that move the market at once."""

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = super().propose(market, rows)
        large = rows.order_volume > 1e-3 * market.volume_forecast[rows.market].sum(axis=1)
        return Proposal(np.where(large, 1.0, proposal.allocation), proposal.stop_probability)


def as_kind(kind: type[LemPolicy], directory: Path) -> LemPolicy:
    policy = load_bundle(directory)
    return kind(policy.card, policy._context, policy._decision)


def test_a_good_bundle_passes(bundle: Path) -> None:
    policy = load_bundle(bundle)

    assert reasons_against(bundle, policy, policy, a_plan(bundle.parent).markets) == []


def test_a_bundle_that_looks_ahead_is_stopped(bundle: Path) -> None:
    assert not looks_ahead(load_bundle(bundle))
    assert looks_ahead(as_kind(Peeking, bundle))


def test_a_bundle_that_is_worse_on_the_bars_that_choose_is_stopped(bundle: Path) -> None:
    market = a_plan(bundle.parent).markets["walks_1h"]
    good, careless = load_bundle(bundle), as_kind(Careless, bundle)

    assert worse(good, careless, "walks_1h", market) == []
    assert "worse on walks_1h, orders: utility -" in worse(careless, good, "walks_1h", market)[0]


def test_a_bundle_that_is_worse_on_random_walks_is_stopped(bundle: Path) -> None:
    good, careless = load_bundle(bundle), as_kind(Careless, bundle)

    assert worse_on_walks(good, careless) == []
    default, neutral = worse_on_walks(careless, good)[:2]
    assert "worse on a random walk, orders: " in default
    assert "worse on a random walk, orders without risk aversion: " in neutral


def test_a_bundle_whose_large_orders_cost_more_is_stopped_though_it_is_as_good_for_small_ones(bundle: Path) -> None:
    market = a_plan(bundle.parent).markets["walks_1h"]

    (reason,) = worse(as_kind(Blunt, bundle), load_bundle(bundle), "walks_1h", market)

    assert "orders of 1% of the volume after costs: utility -" in reason


def test_a_bundle_that_is_too_large_is_stopped(bundle: Path, tmp_path: Path) -> None:
    large = Path(shutil.copytree(bundle, tmp_path / "large"))
    (large / "notes").write_bytes(b"\0" * SIZE_MAX)

    (reason,) = reasons_against(large, load_bundle(bundle), None, {})

    assert reason.startswith("size:")


def test_a_refusal_keeps_the_old_bundle_and_writes_the_reasons(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound on the size stands in for any reason."""
    target = tmp_path / "tiny-1"
    release(trained, target)
    before = load_bundle(target).name
    monkeypatch.setattr("models.gate.SIZE_MAX", 10)

    with pytest.raises(BundleError, match="size"):
        release(trained, target)

    assert load_bundle(target).name == before
    assert "size" in (trained / REFUSAL).read_text()
    monkeypatch.undo()
    release(trained, target)
    assert not (trained / REFUSAL).exists()
