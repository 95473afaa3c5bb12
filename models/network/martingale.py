"""The optimum where nothing can be known, as tables. The network starts from it and corrects it.

On a random walk the best rule and its hedge are known (app/decision/policies/stopping_rule.py). With y = (benchmark so
far - last close) / volatility, as a buyer sees it, the order ends where y reaches a threshold, and before aims at a
share of the order that depends on y. The network's outputs are shifts of these, so a fresh one already acts well and
training learns what real markets add: forecasts, volumes, costs, caps and taste for risk.

Shapes: N longest horizon, R rows (one for each min_steps <= max_steps and step), Y points of the grid of y.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from app.decision.policies.stopping_rule import stopping_rule

Y_MAX, Y_STEP = 5.0, 0.25
THRESHOLD_MAX = 8.0


class MartingaleRule(nn.Module):
    """Threshold and target of the optimum for any mixture of horizons and steps. It has nothing to learn."""

    row: Tensor
    thresholds: Tensor
    targets: Tensor

    def __init__(self, steps: int) -> None:
        super().__init__()
        row, thresholds, targets = _tables(steps)
        self.steps, self.points = steps, targets.shape[1]
        self.register_buffer("row", torch.from_numpy(row), persistent=False)
        self.register_buffer("thresholds", torch.from_numpy(thresholds), persistent=False)
        self.register_buffer("targets", torch.from_numpy(targets).flatten(), persistent=False)

    def rows(self, min_steps: Tensor, max_steps: Tensor, step: Tensor) -> Tensor:
        """The table's row for each order; figures beyond the longest horizon are taken at it."""
        latest = max_steps.clamp(1, self.steps)
        earliest = torch.minimum(min_steps.clamp(min=1), latest)
        present = torch.minimum(step.clamp(min=1), latest)
        index = ((earliest - 1.0) * self.steps + latest - 1.0) * self.steps + present - 1.0
        return self.row[index.long()]

    def threshold(self, rows: Tensor) -> Tensor:
        return self.thresholds[rows]

    def target(self, rows: Tensor, y: Tensor) -> Tensor:
        """The share of the order to have done by the end of the step, between the grid's points on straight lines."""
        position = (y.clamp(-Y_MAX, Y_MAX) + Y_MAX) / Y_STEP
        left = position.detach().floor().clamp(max=self.points - 2.0)
        first = rows * self.points + left.long()
        low, high = self.targets[first], self.targets[first + 1]
        return low + (position - left) * (high - low)


@cache
def _tables(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`row` [N N N] for (min_steps, max_steps, step) counted from 0, `threshold` [R], `target` [R, Y]."""
    grid = np.linspace(-Y_MAX, Y_MAX, round(2 * Y_MAX / Y_STEP) + 1)
    row = np.zeros((steps, steps, steps), dtype=np.int64)
    thresholds: list[float] = []
    targets: list[np.ndarray] = []
    for latest in range(1, steps + 1):
        for earliest in range(1, latest + 1):
            rule = stopping_rule(earliest, latest)
            for closed in range(latest):
                row[earliest - 1, latest - 1, closed] = len(thresholds)
                thresholds.append(float(np.clip(rule.threshold[closed], -THRESHOLD_MAX, THRESHOLD_MAX)))
                targets.append(np.interp(grid, rule.y, rule.pace[closed]))
    return row.flatten(), np.array(thresholds, dtype=np.float32), np.stack(targets).astype(np.float32)
