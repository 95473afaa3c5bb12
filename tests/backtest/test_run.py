"""Orders over a series: the service's arithmetic, its limits, and no look ahead."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.backtest.job import load_policy
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import TOTAL_LOTS, Setup
from app.bars.series import Series
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.policies.registry import BASELINES, baseline
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from app.domain.order import SCENARIOS, Benchmark, SizeMode
from tests.market import a_walk, scenarios_of

CHANGED_FROM = 800


def a_setup(**changes: Any) -> Setup:
    """Every scenario, min_steps of 1, 6 and 12 of 12, a start every 5 bars, so that orders overlap."""
    defaults: dict[str, Any] = {"min_steps": (1, 6, 12), "max_steps": 12, "every": 5, "risk_aversion": 0.0}
    return Setup(**(defaults | changes))


@cache
def policy_named(name: str) -> Policy:
    """A baseline, or the shipped bundle, which takes longer to load than to run."""
    if name == "lem" and not SHIPPED_BUNDLE.exists():
        pytest.skip("no bundle is shipped in this checkout")
    return load_policy(name, SHIPPED_BUNDLE)


def run(series: Series, policy: str, **changes: Any) -> Outcome:
    return run_series(series, policy_named(policy), a_setup(**changes), trace=True)


def traced(outcome: Outcome) -> tuple[np.ndarray[Any, Any], ...]:
    assert outcome.trace is not None
    return outcome.trace.lots / TOTAL_LOTS, outcome.trace.allocation, outcome.trace.stop_probability


@pytest.mark.parametrize("policy", ["lem", *BASELINES])
def test_no_decision_sees_a_later_bar(policy: str, tmp_path: Path) -> None:
    """Every bar from `CHANGED_FROM` on is replaced: nothing that was decided before it closed may move.

    Baselines may not move by a bit. The LEM's sums may be taken in another order where other orders end at other
    steps and the batch has another size.
    """
    series, other = a_walk(tmp_path, bars=900), a_walk(tmp_path, bars=900, seed=99)
    spliced: dict[str, Any] = {
        name: np.concatenate([getattr(series, name)[:CHANGED_FROM], 3.0 * getattr(other, name)[CHANGED_FROM:]])
        for name in ("open", "high", "low", "close", "volume", "notional")
    }

    near: dict[str, Any] = {"every": 7, "start": int(series.open_time[CHANGED_FROM - 200])}

    before = run(series, policy, **near)
    after = run(replace(series, **spliced), policy, **near)

    newest_bar = before.start[:, None] + np.arange(12) - 1  # each decision's
    early = newest_bar < CHANGED_FROM
    tolerance = 1e-5 if policy == "lem" else 0.0
    for was, now in zip(traced(before), traced(after), strict=True):
        np.testing.assert_allclose(was[early], now[early], rtol=0.0, atol=tolerance)
    if policy != "twap":  # which looks at nothing
        assert not np.array_equal(traced(before)[0][~early], traced(after)[0][~early])


@pytest.mark.parametrize("policy", ["lem", *BASELINES])
@pytest.mark.parametrize("cap", ["1", "0.2", "0.1"])
def test_slices_make_the_order_and_none_passes_the_cap(policy: str, cap: str, tmp_path: Path) -> None:
    outcome = run(a_walk(tmp_path, bars=900), policy, every=50, max_slice_fraction=Decimal(cap))

    assert outcome.trace is not None
    lots = outcome.trace.lots
    assert (lots.sum(axis=1) == TOTAL_LOTS).all()
    assert lots.min() >= 0
    assert lots.max() <= Decimal(cap) * TOTAL_LOTS
    assert (outcome.steps_used >= outcome.min_steps).all()
    assert (outcome.steps_used <= 12).all()


def test_the_twap_schedule_has_no_slippage_against_twap(tmp_path: Path) -> None:
    outcome = run(a_walk(tmp_path), "twap", scenarios=scenarios_of(Benchmark.TWAP, SizeMode.QUANTITY))

    assert outcome.slippage_bps == pytest.approx(np.zeros(len(outcome.start)), abs=1e-4)


def test_a_fixed_notional_buys_at_the_harmonic_mean(tmp_path: Path) -> None:
    series = a_walk(tmp_path)

    outcome = run(series, "twap", scenarios=scenarios_of(Benchmark.TWAP, SizeMode.NOTIONAL))

    prices = series.price[outcome.start[:, None] + np.arange(12)]
    assert outcome.avg_price == pytest.approx(12 / (1 / prices).sum(axis=1))


def test_a_cost_is_positive_for_both_sides(tmp_path: Path) -> None:
    outcome = run(a_walk(tmp_path), "twap", scenarios=scenarios_of(Benchmark.VWAP, SizeMode.QUANTITY))

    buys = outcome.scenario < len(SCENARIOS) // 2
    assert outcome.slippage_bps[buys] == pytest.approx(-outcome.slippage_bps[~buys])
    assert np.sign(outcome.slippage_bps[buys]).tolist() == (
        np.sign(outcome.avg_price - outcome.benchmark_price)[buys].tolist()
    )


def test_every_policy_meets_the_same_orders(tmp_path: Path) -> None:
    series = a_walk(tmp_path)
    one_kind: dict[str, Any] = {"min_steps": (6,), "scenarios": scenarios_of(Benchmark.VWAP, SizeMode.QUANTITY)}

    outcomes = [run(series, policy, start=int(series.open_time[100]), **one_kind) for policy in BASELINES]

    for outcome in outcomes[1:]:
        np.testing.assert_array_equal(outcome.start, outcomes[0].start)


def test_starts_keep_their_distance_and_leave_room_for_history_and_horizon(tmp_path: Path) -> None:
    outcome = run(a_walk(tmp_path), "optimal_stopping", every=10)

    assert np.unique(outcome.start).tolist() == list(range(20, 390, 10))


def test_starts_can_be_cut_by_time(tmp_path: Path) -> None:
    outcome = run(a_walk(tmp_path), "twap", every=1, start=900 * 100, end=900 * 103)

    assert np.unique(outcome.start).tolist() == [100, 101, 102]


def test_no_order_runs_over_a_synthetic_bar(tmp_path: Path) -> None:
    series = a_walk(tmp_path)
    series.synthetic[200] = True

    outcome = run(series, "twap")

    assert outcome.skipped == 3
    assert not set(range(189, 201)) & set(outcome.start.tolist())


def test_a_series_too_short_for_an_order_gives_none(tmp_path: Path) -> None:
    outcome = run(a_walk(tmp_path, bars=12), "twap")

    assert len(outcome.start) == 0


def test_a_cap_that_cannot_finish_the_order_is_refused() -> None:
    with pytest.raises(InvalidInput, match="12 slices of at most") as refusal:
        a_setup(max_slice_fraction=Decimal("0.05"))

    assert refusal.value.code == "slice_cap_infeasible"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"min_steps": (13,)}, "horizon_inverted"),
        ({"min_steps": (0,)}, "bad_horizon"),
        ({"min_steps": ()}, "nothing_to_do"),
        ({"every": 0}, "bad_every"),
        ({"max_slice_fraction": Decimal(2)}, "above_one"),
    ],
)
def test_orders_that_make_no_sense_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        a_setup(**changes)

    assert refusal.value.code == code


def test_progress_adds_up_to_the_whole(tmp_path: Path) -> None:
    shares: list[float] = []

    run_series(a_walk(tmp_path), baseline("twap"), a_setup(), on_progress=shares.append)

    assert sum(shares) == pytest.approx(1.0)
