"""When to end an order whose price is a martingale: optimal stopping by dynamic programming.

The bars are averages of a Brownian path with sigma = 1 per bar. After k bars, y = running TWAP - last close, as a buyer
sees it (a seller sees -y). Ending with bar k + 1 gains g_k(y) = k / (k + 1) * y on average, however the order was paced
before: executed slices are fair bets. So only y matters, and over one more bar it becomes

    y' = k / (k + 1) * y + n,   n = e / (k + 1) - dS,   dS ~ N(0, 1),   e | dS ~ N(dS / 2, 1 / 12)

where dS is the move of the close and e that of the bar's average, both from the last close. The values are
V_k = max(g_k, E V_(k+1)(y')) from min_steps on, E V_(k+1)(y') before, and V_(N-1) = g_(N-1).

The pace is free in the mean and is the hedge: dV/dy is the share of the order that must be done for the expected gain
not to move with the price, so by the end of bar k + 1 the order aims at E V'_(k+1)(y'). For min_steps = max_steps that
is the TWAP schedule, exactly.

Shapes: N steps, Y points of the grid of y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

Y_MAX = 8.0
Y_STEP = 0.02
QUADRATURE_POINTS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingRule:
    """`value` is the best mean gain in units of sigma. With k bars closed, the order ends with the next bar where
    y >= `threshold[k]` [N]; else the order aims at the share `pace[k]` [N, Y] by the end of that bar, on the grid `y`
    [Y]."""

    value: float
    y: Vector
    threshold: Vector
    pace: Vector

    def stops(self, closed: NDArray[np.int64], y: Vector) -> NDArray[np.bool_]:
        """[B] for orders with `closed` [B] bars behind them."""
        stops: NDArray[np.bool_] = y >= self.threshold[closed]
        return stops

    def target(self, closed: NDArray[np.int64], y: Vector) -> Vector:
        """[B]: the cumulative share to have done by the end of the next bar if the order goes on."""
        position = (np.clip(y, -Y_MAX, Y_MAX) + Y_MAX) / Y_STEP
        left = np.minimum(position.astype(np.int64), len(self.y) - 2)
        share = position - left
        target: Vector = self.pace[closed, left] * (1.0 - share) + self.pace[closed, left + 1] * share
        return target


@lru_cache(maxsize=512)
def stopping_rule(min_steps: int, max_steps: int) -> StoppingRule:
    """Solve for one horizon, backwards from its last bar. Kept for later calls: solving takes milliseconds."""
    grid = np.linspace(-Y_MAX, Y_MAX, round(2 * Y_MAX / Y_STEP) + 1)
    threshold = np.full(max_steps, np.inf)
    pace = np.ones((max_steps, len(grid)))
    threshold[-1] = -np.inf
    value = _finish_gain(max_steps - 1) * grid
    for closed in range(max_steps - 2, -1, -1):
        pace[closed] = _expected(np.gradient(value, grid), grid, closed)
        going_on = _expected(value, grid, closed)
        value = going_on
        if closed + 1 >= min_steps:
            ending = _finish_gain(closed) * grid
            value = np.maximum(going_on, ending)
            threshold[closed] = _first_true(ending >= going_on, grid)
    gain = float(np.interp(0.0, grid, value))
    return StoppingRule(value=gain, y=grid, threshold=threshold, pace=np.clip(pace, 0.0, 1.0))


def _finish_gain(closed: int) -> float:
    """g_k(y) / y: the share of the benchmark that is known by now."""
    return closed / (closed + 1)


def _expected(following: Vector, grid: Vector, closed: int) -> Vector:
    """E following(y') for every y of the grid; beyond both ends `following` goes on as a straight line."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE_POINTS)
    own_share = 1.0 / (closed + 1)
    deviation = np.sqrt((1.0 - own_share / 2.0) ** 2 + own_share**2 / 12.0)
    points = _finish_gain(closed) * grid[:, None] + deviation * nodes
    slope_low, slope_high = (following[1] - following[0]) / Y_STEP, (following[-1] - following[-2]) / Y_STEP
    beyond = slope_high * np.maximum(points - grid[-1], 0.0) + slope_low * np.minimum(points - grid[0], 0.0)
    expected: Vector = (np.interp(points, grid, following) + beyond) @ (weights / weights.sum())
    return expected


def _first_true(ends: NDArray[np.bool_], grid: Vector) -> float:
    return float(grid[np.argmax(ends)]) if ends.any() else np.inf
