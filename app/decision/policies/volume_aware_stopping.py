"""The optimal stopping rule on a clock of volume, for orders whose benchmark weighs its bars by volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats, Market
from app.decision.policies.optimal_stopping import (
    OptimalStopping,
    distance,
    finishable,
    one_slice_left,
    stopping_min_steps,
)
from app.decision.policies.pacing import towards
from app.decision.policies.raw_windows import SIGMA_BARS, STEPS_MAX, trailing_sigma
from app.decision.policies.stopping_rule import StoppingRule, stopping_rule
from app.decision.policies.volume_curve import forecast_volume
from app.decision.policies.volume_pacing import LOOKBACK
from app.decision.policy import Proposal, Rows
from app.decision.scenarios import IS_VWAP

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


class VolumeAwareStopping:
    """Decides TWAP orders as `OptimalStopping` does, with the same sigma. For VWAP orders time is measured in volume:
    after a share s of the horizon's volume (what has traded, over that and the forecast of `volume_curve`) N s bars of
    the rule have passed.

    An order ends where its distance from VWAP is above the rule's threshold at that time, interpolated between whole
    bars, and is paced by the delta hedge at the time that the next bar will bring. For min_steps = max_steps that is
    the schedule of `volume_curve`. The rule takes every bar as equally volatile, busy or not.
    """

    name: str = "volume_aware_stopping"
    lookback: int = LOOKBACK
    history_min: int = OptimalStopping.history_min
    max_steps: int = STEPS_MAX
    risk_aversion: float = 0.0

    def __init__(self) -> None:
        self._by_steps = OptimalStopping()

    def observe(self, windows: Floats) -> Market:
        """The context [G, 1] is sigma, relative per bar."""
        sigma = trailing_sigma(windows[:, -SIGMA_BARS - 1 :])
        forecast = forecast_volume(windows, self.max_steps)
        return Market(context=sigma[:, None].astype(np.float32), volume_forecast=forecast.astype(np.float32))

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = self._by_steps.propose(market, rows)
        chosen = np.flatnonzero(IS_VWAP[rows.scenario])
        if len(chosen):
            by_volume = propose_by_volume(market, rows.take(chosen))
            proposal.allocation[chosen] = by_volume.allocation
            proposal.stop_probability[chosen] = by_volume.stop_probability
        return proposal


def propose_by_volume(market: Market, rows: Rows) -> Proposal:
    """The slices and the ends of VWAP orders."""
    y = distance(market.context[rows.market, 0].astype(np.float64), rows)
    min_steps = stopping_min_steps(rows)
    now, following, earliest = volume_clock(market, rows, min_steps)
    target, stops = np.ones(len(rows)), np.zeros(len(rows), dtype=np.bool_)
    for longest in np.unique(rows.max_steps).tolist():
        of_length = rows.max_steps == longest
        stops[of_length] = y[of_length] >= threshold_at(longest, now[of_length])
        for shortest in np.unique(earliest[of_length]).tolist():
            chosen = np.flatnonzero(of_length & (earliest == shortest))
            rule = stopping_rule(shortest, longest)
            target[chosen] = target_at(rule, following[chosen] - 1.0, y[chosen])
    last = rows.step == rows.max_steps
    stops = last | (stops & (rows.step >= min_steps) & (rows.step > 1))
    target = np.where(last, 1.0, np.maximum(target, one_slice_left(min_steps, rows)))
    stop_probability = (stops & finishable(rows)).astype(np.float64)
    return Proposal(allocation=towards(target, rows), stop_probability=stop_probability)


def volume_clock(market: Market, rows: Rows, min_steps: Integers) -> tuple[Vector, Vector, Integers]:
    """[B] each: how many bars of the rule have passed, how many will have passed after the next bar, and the min_steps
    of the rule: the bar of the rule in which step `min_steps` is expected to end. Steps are the clock where no volume
    is expected."""
    ahead = market.forecast_from(rows.market, rows.windows_unseen).astype(np.float64)
    index, steps_left = np.arange(ahead.shape[1]), rows.max_steps - rows.step + 1
    traded = rows.benchmark_volume
    total = traded + np.where(index < steps_left[:, None], ahead, 0.0).sum(axis=1)
    before_earliest = traded + np.where(index < (min_steps - rows.step)[:, None], ahead, 0.0).sum(axis=1)

    def bars(volume: Vector, steps: Integers) -> Vector:
        share: Vector = np.divide(volume, total, out=steps / rows.max_steps, where=total > 0.0)
        return rows.max_steps * share

    now, following = bars(traded, rows.step - 1), bars(traded + ahead[:, 0], rows.step)
    earliest = np.rint(bars(before_earliest, min_steps - 1)).astype(np.int64) + 1
    earliest = np.where(min_steps == rows.max_steps, rows.max_steps, earliest)
    return now, following, np.clip(earliest, 1, rows.max_steps)


def threshold_at(max_steps: int, closed: Vector) -> Vector:
    """[B]: the distance in sigmas from which an order ends with `closed` bars behind it; infinite where the horizon is
    a single bar."""
    thresholds = stopping_rule(1, max_steps).threshold[1:-1]  # before the first bar and at the last there is no choice
    if not len(thresholds):
        return np.full(len(closed), np.inf)
    between: Vector = np.interp(closed, np.arange(1, len(thresholds) + 1), thresholds)
    return between


def target_at(rule: StoppingRule, closed: Vector, y: Vector) -> Vector:
    """[B]: `rule.target` interpolated between whole bars; 0 before the rule's first bar begins."""
    closed = np.maximum(closed, -1.0)
    last = len(rule.threshold) - 1
    left = np.minimum(np.floor(closed).astype(np.int64), last - 1)
    share = np.clip(closed - left, 0.0, 1.0)
    low = np.where(left < 0, 0.0, rule.target(np.maximum(left, 0), y))
    target: Vector = low * (1.0 - share) + rule.target(left + 1, y) * share
    return target
