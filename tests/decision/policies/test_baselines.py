"""What holds for every baseline: they are what the service falls back on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.bars.series import raw_rows, raw_windows
from app.decision.market import COLUMNS
from app.decision.policies.registry import BASELINES, baseline
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from app.domain.order import SCENARIOS
from tests.market import a_walk, some_rows


@pytest.fixture(params=BASELINES)
def policy(request: pytest.FixtureRequest) -> Policy:
    return baseline(request.param)


def test_a_baseline_is_known_by_its_name(policy: Policy) -> None:
    assert baseline(policy.name).name == policy.name


def test_a_name_that_nothing_has_is_refused() -> None:
    with pytest.raises(
        InvalidInput, match="'vwap' is not a baseline; there are linear_volume, optimal_stopping, twap, "
    ):
        baseline("vwap")


def test_it_answers_without_a_single_bar(policy: Policy) -> None:
    market = policy.observe(np.zeros((2, policy.lookback, len(COLUMNS)), dtype=np.float32), 30)
    rows = some_rows(len(SCENARIOS), scenario=SCENARIOS[0], step=np.arange(1, 9))

    proposal = policy.propose(market, rows)

    assert market.volume_forecast.shape == (2, 30)
    assert np.isfinite(market.volume_forecast).all()
    assert np.isfinite(proposal.allocation).all()
    assert np.isfinite(proposal.stop_probability).all()


def test_it_never_asks_for_less_than_nothing(policy: Policy, tmp_path: Path) -> None:
    market = policy.observe(raw_windows(raw_rows(a_walk(tmp_path)), policy.lookback, np.array([399])), 12)
    rows = some_rows(
        96,
        step=np.tile(np.arange(1, 13), 8),
        filled_fraction=np.repeat(np.linspace(0.0, 1.0, 8), 12),
        benchmark_price=np.linspace(98.0, 102.0, 96),
    )

    proposal = policy.propose(market, rows)

    assert (proposal.allocation >= 0.0).all()
    assert (proposal.allocation + rows.filled_fraction <= 1.0 + 1e-9).all()


def test_the_last_step_takes_what_is_left(policy: Policy, tmp_path: Path) -> None:
    market = policy.observe(raw_windows(raw_rows(a_walk(tmp_path)), policy.lookback, np.array([399])), 12)
    rows = some_rows(8, step=12, filled_fraction=0.25, benchmark_price=np.linspace(98.0, 102.0, 8))

    proposal = policy.propose(market, rows)

    assert proposal.allocation == pytest.approx(np.full(8, 0.75))


def test_a_window_is_read_the_same_alone_and_among_others(policy: Policy, tmp_path: Path) -> None:
    windows = raw_windows(raw_rows(a_walk(tmp_path)), policy.lookback, np.arange(300, 310))

    together = policy.observe(windows, 12)
    alone = policy.observe(windows[4:5], 12)

    np.testing.assert_array_equal(together.context[4], alone.context[0])
    np.testing.assert_array_equal(together.volume_forecast[4], alone.volume_forecast[0])
