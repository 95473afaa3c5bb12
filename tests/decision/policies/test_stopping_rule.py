"""The dynamic programme of the optimal stopping rule, against known values and against its own claims."""

from __future__ import annotations

import numpy as np
import pytest

from app.decision.policies.stopping_rule import stopping_rule, stopping_rules

BEST_MEAN_GAIN = {1: 0.367, 4: 0.352, 6: 0.292, 7: 0.252, 8: 0.208, 9: 0.160, 10: 0.109, 11: 0.055, 12: 0.0}
"""In units of sigma, by min_steps, for max_steps = 12 and bars that are averages of a Brownian path."""
THRESHOLDS = [0.78, 0.68, 0.58, 0.44, 0.26, 0.02]
PACES = [0.596951, 0.652836, 0.708852, 0.780324, 0.824274, 0.871212, 0.916667, 1.0]
"""Of min_steps = 6 and max_steps = 12, from 5 bars on and, where the benchmark is at the last close, from 4 on."""


@pytest.mark.parametrize(("min_steps", "gain"), BEST_MEAN_GAIN.items())
def test_the_value_is_the_known_optimum(min_steps: int, gain: float) -> None:
    assert stopping_rule(min_steps, 12).value == pytest.approx(gain, abs=0.005)


@pytest.mark.parametrize(
    ("max_steps", "gains"),
    [
        (12, {1: 0.367, 6: 0.292, 9: 0.160}),
        (24, {12: 0.477}),
        (63, {22: 1.059}),
        (78, {39: 0.943}),
        (126, {63: 1.216}),
        pytest.param(250, {1: 2.894, 83: 2.260, 125: 1.734}, marks=pytest.mark.measures),
    ],
)
def test_the_value_of_long_horizons_is_the_known_optimum(max_steps: int, gains: dict[int, float]) -> None:
    values = stopping_rules(max_steps).value

    assert {min_steps: values[min_steps - 1] for min_steps in gains} == pytest.approx(gains, abs=0.002)


@pytest.mark.parametrize("max_steps", [12, 63])
def test_a_forced_end_is_paced_as_twap(max_steps: int) -> None:
    rule = stopping_rule(max_steps, max_steps)

    for closed in range(max_steps):
        np.testing.assert_allclose(rule.pace[closed], (closed + 1) / max_steps, atol=1e-9)


def test_the_rule_of_12_steps_is_as_it_was_published() -> None:
    """Results rest on these figures."""
    rule = stopping_rule(6, 12)
    middle = len(rule.y) // 2

    assert rule.y[[0, -1]].tolist() == pytest.approx([-8.0, 8.0])
    assert np.diff(rule.y) == pytest.approx(np.full(800, 0.02))
    assert rule.threshold[5:11] == pytest.approx(THRESHOLDS, abs=0.021)
    assert rule.pace[4:, middle] == pytest.approx(PACES, abs=1e-6)


def test_a_pair_of_which_one_end_is_far_is_as_the_rule_without_a_minimum_from_there_on() -> None:
    early, late = stopping_rule(1, 63), stopping_rule(22, 63)

    np.testing.assert_array_equal(late.threshold[21:], early.threshold[21:])
    np.testing.assert_array_equal(late.pace[20:], early.pace[20:])
    assert np.abs(late.pace[:20] - early.pace[:20]).max() > 0.05


@pytest.mark.parametrize("max_steps", [12, 63])
def test_before_min_steps_the_pace_is_that_of_a_step_by_step_solution(max_steps: int) -> None:
    """Each step back is E p(y') k / (k + 1) of the step after, by many more points than the rule takes."""
    min_steps = max_steps // 2
    rule = stopping_rule(min_steps, max_steps)
    points = np.linspace(-8.0, 8.0, 801)
    weights = np.exp(-(points**2) / 2.0) / np.exp(-(points**2) / 2.0).sum()

    following = rule.pace[min_steps - 2]
    for closed in range(min_steps - 3, -1, -1):
        deviation = np.sqrt(((closed + 1) ** 3 - closed**3) / 3.0) / (closed + 1)
        moved = closed / (closed + 1) * rule.y[:, None] + deviation * points
        following = (closed + 1) / (closed + 2) * (np.interp(moved, rule.y, following) @ weights)
        assert rule.pace[closed] == pytest.approx(following, abs=0.003)


def test_paces_depend_on_shares_of_the_horizon_alone() -> None:
    """And on the distance on the scale of sqrt(N)."""
    share, y = np.array([0.25, 0.5, 0.75]), np.array([-0.1, 0.0, 0.1])

    short, long = (
        stopping_rules(steps).target(np.full(3, steps // 3), steps * share - 1.0, y * np.sqrt(steps))
        for steps in (63, 252)
    )

    assert short == pytest.approx(long, abs=0.03)


def test_nothing_ends_before_min_steps_and_everything_with_max_steps() -> None:
    rule = stopping_rule(6, 12)

    assert np.isinf(rule.threshold[:5]).all()
    assert np.isfinite(rule.threshold[5:11]).all()
    assert rule.threshold[11] == -np.inf


def test_the_bar_for_ending_falls_as_time_runs_out() -> None:
    threshold = stopping_rule(1, 12).threshold

    assert (np.diff(threshold[1:11]) < 0.0).all()


def test_the_further_the_benchmark_is_ahead_the_more_is_done() -> None:
    rule = stopping_rule(1, 12)

    assert (np.diff(rule.pace, axis=1) > -1e-6).all()
    assert rule.pace.min() >= 0.0
    assert rule.pace.max() <= 1.0


def test_more_freedom_is_worth_more() -> None:
    by_start = [stopping_rule(min_steps, 12).value for min_steps in range(1, 13)]

    assert (np.diff(by_start) < 1e-9).all()
    assert stopping_rule(1, 24).value > stopping_rule(1, 12).value


def test_one_step_leaves_nothing_to_decide() -> None:
    rule = stopping_rule(1, 1)

    assert rule.value == pytest.approx(0.0, abs=1e-9)
    assert rule.target(np.array([0]), np.array([0.0])).tolist() == [1.0]
