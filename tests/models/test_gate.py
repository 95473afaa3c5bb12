"""The release gate: it lets a good bundle pass and says why it stops another."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.errors import BundleError
from app.decision.market import COLUMNS, Floats, Market
from app.decision.policy import Proposal, Rows
from models.objective.objective import RISK_AVERSIONS
from models.release.comparison import Comparison, on_validation
from models.release.gate import SIZE_MAX, beyond_chance, looks_ahead, reasons_against, worse
from models.release.release import REFUSAL, Release
from models.release.replace import draft_folder
from tests.models.tiny import a_plan


class Peeking(LemPolicy):
    """Hands every window the newest bar of its whole batch, as a careless normalisation would."""

    def observe(self, windows: Floats, steps: int) -> Market:
        level = windows[-1, -1, COLUMNS.index("close")] / windows[:, -1:, [COLUMNS.index("close")]]
        moved = windows.copy()
        moved[:, -1:, [COLUMNS.index("close")]] *= level
        return super().observe(moved, steps)


class Careless(LemPolicy):
    """Never stops and trades everything at once."""

    def propose(self, market: Market, rows: Rows) -> Proposal:
        return Proposal(np.ones(len(rows)), np.zeros(len(rows)))


class Silent(LemPolicy):
    """Says nothing that can be used."""

    def propose(self, market: Market, rows: Rows) -> Proposal:
        return Proposal(np.full(len(rows), np.nan), np.full(len(rows), np.nan))


class Restless(LemPolicy):
    """Trades half at once where only closeness to the benchmark counts."""

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = super().propose(market, rows)
        fearful = rows.risk_aversion >= RISK_AVERSIONS.tracking
        return Proposal(np.where(fearful, 0.5, proposal.allocation), proposal.stop_probability)


class Brief(LemPolicy):
    """Knows two steps, and remembers how many it was asked for."""

    max_steps, asked = 2, 0

    def propose(self, market: Market, rows: Rows) -> Proposal:
        self.asked = max(self.asked, int(rows.max_steps.max()))
        return super().propose(market, rows)


class Blunt(LemPolicy):
    """Trades orders that move the market at once."""

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = super().propose(market, rows)
        large = rows.order_volume > 1e-3 * market.volume_forecast[rows.market].sum(axis=1)
        return Proposal(np.where(large, 1.0, proposal.allocation), proposal.stop_probability)


@pytest.fixture(autouse=True)
def short_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told apart here differs by far more than orders on a longer one are needed for."""
    monkeypatch.setattr("models.release.comparison.WALK_BARS", 3_000)


def as_kind(kind: type[LemPolicy], directory: Path) -> LemPolicy:
    policy = load_bundle(directory)
    return kind(policy.card, policy._context, policy._decision)


@pytest.mark.measures
def test_a_good_bundle_passes(bundle: Path, tmp_path: Path) -> None:
    policy = load_bundle(bundle)

    assert reasons_against(bundle, policy, policy, a_plan(tmp_path).markets) == []


def test_a_bundle_that_looks_ahead_is_stopped(bundle: Path) -> None:
    assert not looks_ahead(load_bundle(bundle))
    assert looks_ahead(as_kind(Peeking, bundle))


@pytest.mark.measures
def test_a_bundle_that_is_worse_on_the_bars_that_choose_and_on_random_walks_is_stopped(
    bundle: Path, tmp_path: Path
) -> None:
    good, careless = load_bundle(bundle), as_kind(Careless, bundle)
    markets = a_plan(tmp_path).markets

    reasons = worse(careless, good, markets)

    assert worse(good, careless, markets) == []
    for name in ("walks_1h", "a random walk"):
        for kind in ("orders", "orders without risk aversion"):
            assert any(f"worse on {name}, 4 steps, {kind}: utility -" in reason for reason in reasons)


def test_a_bundle_that_gives_no_answers_is_stopped_though_the_volume_curve_decides_in_its_place(bundle: Path) -> None:
    (reason,) = reasons_against(bundle, as_kind(Silent, bundle), None, {})

    assert "decisions failed or were NaN" in reason


@pytest.mark.measures
def test_a_bundle_that_tracks_worse_is_stopped_though_it_earns_as_much(bundle: Path) -> None:
    (reason,) = worse(as_kind(Restless, bundle), load_bundle(bundle), {})

    assert "orders at `tracking`: utility -" in reason


@pytest.mark.measures
def test_chance_stops_few_of_the_bundles_that_are_as_good() -> None:
    """Of ten bundles with forty comparisons each that are pure noise; at 95 % each some six would be stopped."""
    random, days = np.random.default_rng(0), np.arange(120)

    def noise() -> Comparison:
        better = {str(kind): random.normal(size=len(days)) for kind in range(40)}
        return Comparison(day=days, horizon_days=1, better=better, failed=0)

    stopped = sum(bool(beyond_chance({"noise": noise()})) for _ in range(10))

    assert stopped <= 2


@pytest.mark.measures
def test_a_bundle_whose_large_orders_cost_more_is_stopped_though_it_is_as_good_for_small_ones(bundle: Path) -> None:
    (reason,) = worse(as_kind(Blunt, bundle), load_bundle(bundle), {})

    assert "orders of 1% of the volume after costs: utility -" in reason


@pytest.mark.measures
def test_bundles_are_compared_over_a_horizon_that_both_know(bundle: Path) -> None:
    good, brief = load_bundle(bundle), as_kind(Brief, bundle)
    brief.max_steps = Brief.max_steps

    assert worse(good, brief, {}) == []
    assert isinstance(brief, Brief)
    assert brief.asked == Brief.max_steps < good.max_steps


@pytest.mark.measures
def test_bars_after_those_that_choose_are_not_traded_in(bundle: Path, tmp_path: Path) -> None:
    market = a_plan(tmp_path).markets["walks_1h"]
    bundles = as_kind(Careless, bundle), load_bundle(bundle)
    before = on_validation(bundles, market, 4)
    for file in tmp_path.glob("*.parquet"):
        bars = pq.read_table(file)
        later = pc.greater_equal(
            bars["timestamp"], pa.scalar(datetime(2024, 1, 17, tzinfo=UTC), bars["timestamp"].type)
        )
        for index, name in enumerate(bars.column_names[1:], start=1):
            bars = bars.set_column(index, name, pc.if_else(later, pc.multiply(bars[name], 1.5), bars[name]))
        pq.write_table(bars, file)

    after = on_validation(bundles, market, 4)

    assert np.array_equal(before.day, after.day)
    for kind, better in before.better.items():
        assert better.any()
        assert np.allclose(better, after.better[kind], rtol=0.0, atol=1e-9)


def test_a_bundle_that_is_too_large_is_stopped(bundle: Path, tmp_path: Path) -> None:
    large = Path(shutil.copytree(bundle, tmp_path / "large"))
    (large / "notes").write_bytes(b"\0" * SIZE_MAX)

    (reason,) = reasons_against(large, load_bundle(bundle), None, {})

    assert reason.startswith("size:")


def a_drafted_release(run: Path, bundle: Path, target: Path) -> Release:
    """The run's release into `target`, with a finished bundle in the place of the export's draft."""
    ready = Release(run, target)
    shutil.copytree(bundle, draft_folder(target))
    return ready


@pytest.mark.measures
def test_a_refusal_keeps_the_old_bundle_and_writes_the_reasons(
    trained: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound on the size stands in for any reason."""
    run, target = Path(shutil.copytree(trained, tmp_path / "run")), tmp_path / "tiny-1"
    a_drafted_release(run, bundle, target).replace()
    before = load_bundle(target).name
    refused = a_drafted_release(run, bundle, target)

    with monkeypatch.context() as bounded:
        bounded.setattr("models.release.gate.SIZE_MAX", 10)
        with pytest.raises(BundleError, match="size"):
            refused.replace()

    assert load_bundle(target).name == before
    assert not draft_folder(target).exists()
    assert "size" in (run / REFUSAL).read_text()
    a_drafted_release(run, bundle, target).replace()
    assert not (run / REFUSAL).exists()
