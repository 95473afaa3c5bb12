"""The dynamic programme of the optimal stopping rule, against known values and against its own claims."""

from __future__ import annotations

import numpy as np
import pytest

from app.decision.policies.stopping_rule import stopping_rule

BEST_MEAN_GAIN = {1: 0.367, 4: 0.352, 6: 0.292, 7: 0.252, 8: 0.208, 9: 0.160, 10: 0.109, 11: 0.055, 12: 0.0}
"""In units of sigma, by min_steps, for max_steps = 12 and bars that are averages of a Brownian path."""


@pytest.mark.parametrize(("min_steps", "gain"), BEST_MEAN_GAIN.items())
def test_the_value_is_the_known_optimum(min_steps: int, gain: float) -> None:
    assert stopping_rule(min_steps, 12).value == pytest.approx(gain, abs=0.005)


def test_a_forced_end_is_paced_as_twap() -> None:
    rule = stopping_rule(12, 12)

    for closed in range(12):
        np.testing.assert_allclose(rule.pace[closed], (closed + 1) / 12, atol=1e-9)


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
