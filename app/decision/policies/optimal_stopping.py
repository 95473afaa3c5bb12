"""Hedge until the optimal stopping rule of a martingale ends the order: the yardstick for what a model earns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats, Market
from app.decision.policies.pacing import towards
from app.decision.policies.raw_windows import SIGMA_BARS, flat_forecast, trailing_sigma
from app.decision.policies.stopping_rule import STEPS_SOLVED_MAX, stopping_rules
from app.decision.policy import Proposal, Rows
from app.decision.scenarios import SIGN
from app.domain.order import HORIZON_STEPS_MAX

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]

CAP_TOLERANCE = 1e-6
"""The share of the order by which the rest may exceed the slice cap and still count as one slice: a rounding."""


class OptimalStopping:
    """Knows the bars only through sigma, the trailing volatility, and treats VWAP orders like TWAP orders, with the
    distance of their own benchmark from the last close.

    Under a slice cap c no order can end before step ceil(1 / c), so the later of that step and min_steps takes the
    place of min_steps in the rule. The policy ends an order only when one slice can finish the order, and so keeps
    ahead of the hedge wherever the hedge would leave more than one slice when the rule may first fire. That reaches the
    best mean, at the price of more spread.
    """

    name: str = "optimal_stopping"
    lookback: int = SIGMA_BARS + 1
    history_min: int = 13
    max_steps: int = HORIZON_STEPS_MAX
    risk_aversion: float = 0.0

    def observe(self, windows: Floats, steps: int) -> Market:
        """The context [G, 1] is sigma, relative per bar."""
        sigma = trailing_sigma(windows)[:, None].astype(np.float32)
        return Market(context=sigma, volume_forecast=flat_forecast(windows, SIGMA_BARS, steps))

    def propose(self, market: Market, rows: Rows) -> Proposal:
        y = distance(market.context[rows.market, 0].astype(np.float64), rows)
        min_steps = stopping_min_steps(rows)
        following = rows.step.astype(np.float64)
        return propose_on_clock(rows, y, min_steps, RuleClock(following - 1.0, following, min_steps))


@dataclass(frozen=True, slots=True)
class RuleClock:
    """[B] each: how many bars of the rule have passed (`now`), how many will have passed after the next bar
    (`following`), and the `min_steps` of the rule."""

    now: Vector
    following: Vector
    min_steps: Integers


def propose_on_clock(rows: Rows, y: Vector, min_steps: Integers, clock: RuleClock) -> Proposal:
    """The slices and the ends of orders at the distances `y`, none of which may end before its `min_steps`.

    A horizon of more than `STEPS_SOLVED_MAX` steps has the rule of so many, on whose scale time is shorter and distance
    grows with the square root of time.
    """
    target, stops = np.ones(len(rows)), np.zeros(len(rows), dtype=np.bool_)
    for max_steps in np.unique(rows.max_steps).tolist():
        chosen = np.flatnonzero(rows.max_steps == max_steps)
        rules = stopping_rules(min(max_steps, STEPS_SOLVED_MAX))
        scale = len(rules.threshold) / max_steps
        near, earliest = y[chosen] * np.sqrt(scale), np.ceil(clock.min_steps[chosen] * scale).astype(np.int64)
        stops[chosen] = near >= rules.threshold_at(clock.now[chosen] * scale)
        target[chosen] = rules.target(earliest, clock.following[chosen] * scale - 1.0, near)
    last = rows.step == rows.max_steps
    stops = last | (stops & (rows.step >= min_steps) & (rows.step > 1))
    target = np.where(last, 1.0, np.maximum(target, one_slice_left(min_steps, rows)))
    stop_probability = (stops & finishable(rows)).astype(np.float64)
    return Proposal(allocation=towards(target, rows), stop_probability=stop_probability)


def stopping_min_steps(rows: Rows) -> Integers:
    """[B]: the first step that can be an order's last under its slice cap."""
    earliest = np.ceil(1.0 / rows.max_slice_fraction - CAP_TOLERANCE).astype(np.int64)
    return np.minimum(np.maximum(rows.min_steps, earliest), rows.max_steps)


def finishable(rows: Rows) -> NDArray[np.bool_]:
    """[B]: whether one slice takes all that is left."""
    enough: NDArray[np.bool_] = 1.0 - rows.filled_fraction <= rows.max_slice_fraction + CAP_TOLERANCE
    return enough


def one_slice_left(min_steps: Integers, rows: Rows) -> Vector:
    """[B]: the least cumulative share after the next step that leaves one full slice when `min_steps` - 1 windows have
    closed and every slice until then is a full one; 0 or less without a cap."""
    slices_until_then = np.maximum(0, min_steps - 1 - rows.step)
    share: Vector = 1.0 - rows.max_slice_fraction * (1.0 + slices_until_then)
    return share


def distance(sigma: Vector, rows: Rows) -> Vector:
    """[B]: the benchmark so far less the last close, in sigmas; positive where ending now pays, 0 before the first
    bar."""
    ahead = SIGN[rows.scenario] * (rows.benchmark_price - rows.last_price)
    scale = sigma * rows.last_price
    return np.divide(ahead, scale, out=np.zeros(len(rows)), where=scale > 0.0)
