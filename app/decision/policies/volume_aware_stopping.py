"""The optimal stopping rule on a clock of volume, for orders whose benchmark weighs its bars by volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats, Market
from app.decision.policies.optimal_stopping import (
    OptimalStopping,
    RuleClock,
    distance,
    propose_on_clock,
    stopping_min_steps,
)
from app.decision.policies.raw_windows import FORECAST_STEPS_MAX, SIGMA_BARS, trailing_sigma
from app.decision.policies.volume_curve import forecast_volume
from app.decision.policies.volume_pacing import LOOKBACK
from app.decision.policy import Proposal, Rows
from app.decision.scenarios import IS_VWAP
from app.domain.order import HORIZON_STEPS_MAX

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
    max_steps: int = HORIZON_STEPS_MAX
    risk_aversion: float = 0.0

    def __init__(self) -> None:
        self._by_steps = OptimalStopping()

    def observe(self, windows: Floats, steps: int) -> Market:
        """The context [G, 1] is sigma, relative per bar."""
        sigma = trailing_sigma(windows[:, -SIGMA_BARS - 1 :])
        forecast = forecast_volume(windows, min(steps, FORECAST_STEPS_MAX))
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
    return propose_on_clock(rows, y, min_steps, volume_clock(market, rows, min_steps))


def volume_clock(market: Market, rows: Rows, min_steps: Integers) -> RuleClock:
    """The rule's time in volume: its min_steps is the bar of the rule in which step `min_steps` is expected to end.
    Steps are the clock where no volume is expected."""
    traded = rows.benchmark_volume

    def after(steps: Integers) -> Vector:
        """[B]: the volume (base units) from the order's start until so many steps from now."""
        return traded + market.expected_volume(rows.market, rows.windows_unseen, steps)

    total = after(rows.max_steps - rows.step + 1)

    def bars(volume: Vector, steps: Integers) -> Vector:
        share: Vector = np.divide(volume, total, out=steps / rows.max_steps, where=total > 0.0)
        return rows.max_steps * share

    earliest = np.rint(bars(after(min_steps - rows.step), min_steps - 1)).astype(np.int64) + 1
    earliest = np.where(min_steps == rows.max_steps, rows.max_steps, earliest)
    return RuleClock(
        now=bars(traded, rows.step - 1),
        following=bars(after(np.ones_like(rows.step)), rows.step),
        min_steps=np.clip(earliest, 1, rows.max_steps),
    )
