"""When to end an order whose price is a martingale: optimal stopping by dynamic programming.

The bars are averages of a Brownian path with sigma = 1 per bar. After k bars, y = running TWAP - last close, as a buyer
sees it (a seller sees -y). Ending with bar k + 1 gains g_k(y) = k / (k + 1) * y on average, however the order was paced
before: executed slices are fair bets. So only y matters, and from k bars to m it becomes

    y_m = k / m * y_k + n,   n ~ N(0, (m^3 - k^3) / (3 m^2))

since each bar adds its own average, which its close correlates with. The values are V_k = max(g_k, E V_(k+1)(y_(k+1)))
from min_steps on, E V_(k+1)(y_(k+1)) before, and V_(N-1) = g_(N-1).

The pace is free in the mean and is the hedge: dV/dy is the share of the order that must be done for the expected gain
not to move with the price, so by the end of bar k + 1 the order aims at p_k(y) = E V'_(k+1)(y_(k+1)). For
min_steps = max_steps that is the TWAP schedule, exactly.

From min_steps on, a rule depends on N and the bar alone, so all rules of one N are solved at once, as that of
min_steps = 1. Until two bars before min_steps nothing can be chosen, and one expectation gives the pace there:
p_k(y) = (k + 1) / (M - 1) * E p_(M-2)(y_(M-2)) for min_steps = M.

Shapes: N steps, Y points of the grid of y, B orders, Q points of the quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]
Whole = Integers | np.int64

Y_MAX = 8.0
Y_STEP = 0.02
STEPS_OF_Y_MAX = 12
"""The grid reaches from -`Y_MAX` to `Y_MAX` up to so many steps, and further by sqrt(N) beyond them."""
STEPS_SOLVED_MAX = 1024
"""Longer horizons are taken for so many steps, on the scale of sqrt(N): see `rescaled`."""
HERMITE_POINTS, EVEN_POINTS, EVEN_MAX = 41, 81, 7.0
WEIGHT_MIN = 1e-17
RULES_KEPT, SOLUTIONS_KEPT = 64, 16
"""Each takes 1.6 MB at 250 steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingRule:
    """`value` is the best mean gain in units of sigma. With k bars closed, the order ends with the next bar where
    y >= `threshold[k]` [N]; else the order aims at the share `pace[k]` [N, Y] by the end of that bar, on the grid `y`
    [Y]."""

    value: float
    y: Vector
    threshold: Vector
    pace: Vector

    def stops(self, closed: Integers, y: Vector) -> NDArray[np.bool_]:
        """[B] for orders with `closed` [B] bars behind them."""
        stops: NDArray[np.bool_] = y >= self.threshold[closed]
        return stops

    def target(self, closed: Integers, y: Vector) -> Vector:
        """[B]: the cumulative share to have done by the end of the next bar if the order goes on."""
        return _between(self.pace, self.y, closed, y)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingRules:
    """The rules of one N for every min_steps. `threshold` [N] and `pace` [N, Y] on the grid `y` [Y] are those of
    min_steps = 1, and `value[M - 1]` [N] is the value of min_steps = M."""

    y: Vector
    threshold: Vector
    pace: Vector
    value: Vector

    def threshold_at(self, closed: Vector) -> Vector:
        """[B]: the distance from which an order ends with `closed` bars behind it, between whole bars on straight
        lines. Before the first bar and at the last there is no choice; the distance is infinite where that is all."""
        between = self.threshold[1:-1]
        if not len(between):
            return np.full(len(closed), np.inf)
        threshold: Vector = np.interp(closed, np.arange(1, len(between) + 1), between)
        return threshold

    def target(self, min_steps: Integers, closed: Vector, y: Vector) -> Vector:
        """[B]: the cumulative share to have done by the end of the next bar where the order goes on, with `closed` bars
        behind it; between whole bars on straight lines, and 0 one bar before the first."""
        closed = np.maximum(closed, -1.0)
        left = np.minimum(np.floor(closed).astype(np.int64), len(self.threshold) - 1)
        share = np.clip(closed - left, 0.0, 1.0)
        target = self._target(min_steps, np.maximum(left, 0), y) * np.where(left < 0, 0.0, 1.0 - share)
        between = np.flatnonzero(share)
        following = np.minimum(left[between] + 1, len(self.threshold) - 1)
        target[between] += self._target(min_steps[between], following, y[between]) * share[between]
        return target

    def _target(self, min_steps: Integers, closed: Integers, y: Vector) -> Vector:
        settled = np.maximum(min_steps - 2, closed)
        target = _between(self.pace, self.y, settled, y)
        early = np.flatnonzero(settled > closed)
        if len(early):
            points, weights = _evenly_spaced()
            before, after = closed[early, None], settled[early, None]
            later = before / after * y[early, None] + _deviation(before, after) * points  # [B, Q]
            share = (closed[early] + 1) / (settled[early] + 1)
            target[early] = share * (_between(self.pace, self.y, after, later) @ weights)
        return target


@lru_cache(maxsize=SOLUTIONS_KEPT)
def stopping_rules(max_steps: int) -> StoppingRules:
    """Solve for one horizon, backwards from its last bar. Kept for later calls."""
    widening = max(1.0, np.sqrt(max_steps / STEPS_OF_Y_MAX))
    grid = widening * np.linspace(-Y_MAX, Y_MAX, round(2 * Y_MAX / Y_STEP) + 1)
    threshold, gains = np.full(max_steps, np.inf), np.zeros(max_steps)
    pace = np.ones((max_steps, len(grid)))
    threshold[-1] = -np.inf
    value = _finish_gain(max_steps - 1) * grid
    for closed in range(max_steps - 2, -1, -1):
        pace[closed] = _expected(np.gradient(value, grid), grid, closed)
        going_on = _expected(value, grid, closed)
        gains[closed + 1] = _gain(going_on, grid, closed)
        ending = _finish_gain(closed) * grid
        value = np.maximum(going_on, ending)
        if closed:  # before the first bar there is nothing to be gained
            threshold[closed] = _first_at_least(ending - going_on, grid)
    gains[0] = gains[min(1, max_steps - 1)]
    return StoppingRules(y=grid, threshold=threshold, pace=np.clip(pace, 0.0, 1.0), value=gains)


@lru_cache(maxsize=RULES_KEPT)
def stopping_rule(min_steps: int, max_steps: int) -> StoppingRule:
    """The rule of one pair as a table. Kept for later calls."""
    rules = stopping_rules(max_steps)
    threshold, pace = rules.threshold.copy(), rules.pace.copy()
    threshold[: min_steps - 1] = np.inf
    for closed in range(min_steps - 2):
        points = np.ones(len(rules.y))
        pace[closed] = rules.target(points.astype(np.int64) * min_steps, points * closed, rules.y)
    return StoppingRule(value=float(rules.value[min_steps - 1]), y=rules.y, threshold=threshold, pace=pace)


def _between(pace: Vector, grid: Vector, closed: Integers, y: Vector) -> Vector:
    """`pace` [N, Y] between the grid's points on straight lines, and as at its ends beyond them."""
    position = np.clip((y - grid[0]) / (grid[1] - grid[0]), 0.0, len(grid) - 1.0)
    left = np.minimum(position.astype(np.int64), len(grid) - 2)
    share = position - left
    between: Vector = pace[closed, left] * (1.0 - share) + pace[closed, left + 1] * share
    return between


def _finish_gain(closed: int) -> float:
    """g_k(y) / y: the share of the benchmark that is known by now."""
    return closed / (closed + 1)


def _deviation(closed: Whole, later: Whole) -> Any:
    """The standard deviation of y after `later` bars, where its value after `closed` bars is known."""
    return np.sqrt((later**3.0 - closed**3.0) / 3.0) / later


@cache
def _hermite() -> tuple[Vector, Vector]:
    """[Q] each: points and weights that give means over a normal distribution. Points without weight are left out."""
    points, weights = np.polynomial.hermite_e.hermegauss(HERMITE_POINTS)
    weights = weights / weights.sum()
    kept = weights > WEIGHT_MIN
    return points[kept], weights[kept]


@cache
def _evenly_spaced() -> tuple[Vector, Vector]:
    """[Q] each, as `_hermite`: for a pace, whose edges would fall between the few Hermite points near the middle."""
    points = np.linspace(-EVEN_MAX, EVEN_MAX, EVEN_POINTS)
    density = np.exp(-(points**2) / 2.0)
    return points, density / density.sum()


def _expected(following: Vector, grid: Vector, closed: int) -> Vector:
    """E following(y') for every y of the grid; beyond both ends `following` goes on as a straight line."""
    points, weights = _hermite()
    moved = _finish_gain(closed) * grid + _deviation(np.int64(closed), np.int64(closed + 1)) * points[:, None]
    expected: Vector = weights @ _on_straight_lines(moved, grid, following)
    return expected


def _gain(going_on: Vector, grid: Vector, closed: int) -> float:
    """E going_on(y) as of the first bar, where `going_on` is for `closed` bars."""
    points, weights = _evenly_spaced()
    deviation = _deviation(np.int64(0), np.int64(closed)) if closed else np.float64(0.0)
    return float(weights @ _on_straight_lines(deviation * points, grid, going_on))


def _on_straight_lines(points: Vector, grid: Vector, following: Vector) -> Vector:
    step = grid[1] - grid[0]
    slope_low, slope_high = (following[1] - following[0]) / step, (following[-1] - following[-2]) / step
    beyond = slope_high * np.maximum(points - grid[-1], 0.0) + slope_low * np.minimum(points - grid[0], 0.0)
    between: Vector = np.interp(points, grid, following) + beyond
    return between


def _first_at_least(excess: Vector, grid: Vector) -> float:
    """Where `excess` comes to be at least 0, infinite if nowhere; in whole `Y_STEP`, whatever the grid's spacing."""
    right = int(np.argmax(excess >= 0.0))
    if excess[right] < 0.0:
        return np.inf
    if not right:
        return float(grid[0])
    share = excess[right] / (excess[right] - excess[right - 1])
    crossing = grid[right] - share * (grid[right] - grid[right - 1])
    return float(Y_STEP * np.ceil(crossing / Y_STEP - 1e-9))
