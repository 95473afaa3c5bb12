"""The optimum where nothing can be known, as tables. The network starts from it and corrects it.

On a random walk the best rule and its hedge are known (app/decision/policies/stopping_rule.py). With y = (benchmark so
far - last close) / volatility, as a buyer sees it, the order ends where y reaches a threshold, and before aims at a
share of the order that depends on y. The network's outputs are shifts of these, so a fresh one already acts well and
training learns what real markets add: forecasts, volumes, costs, caps and taste for risk.

In units of sqrt(max_steps) the rule depends on shares of the horizon alone, nearly: so the tables hold a few lengths,
and a length between them is read on straight lines between its neighbours. y, thresholds and distances have that unit
here.

Shapes: K lengths, R steps left, M earliest ends, T steps, Y points of the grid of y. `...` is any batch.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.decision.policies.stopping_rule import StoppingRules, stopping_rules

THRESHOLD_LENGTHS = (*range(2, 13), 16, 24, 32, 48, 64, 96, 128, 192, 256)
PACE_LENGTHS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96)
"""In these units the hedge hardly changes from the last length on."""
EARLIEST, PACED = 12, 24
"""The hedge is kept for earliest ends at each twelfth of a horizon, and by the end of each twenty-fourth."""
Y_MAX, Y_POINTS = 1.45, 41
THRESHOLD_MAX = 2.3

Matrix = NDArray[np.float64]


class MartingaleRule(nn.Module):
    """Threshold and target of the optimum for any mixture of horizons and steps. It has nothing to learn."""

    thresholds: Tensor
    paces: Tensor
    threshold_lengths: Tensor
    pace_lengths: Tensor

    def __init__(self, steps: int) -> None:
        super().__init__()
        lengths, pace_lengths = _up_to(THRESHOLD_LENGTHS, steps), _up_to(PACE_LENGTHS, steps)
        thresholds, paces = _thresholds(lengths), _paces(pace_lengths)
        self.width = thresholds.shape[1]
        self.register_buffer("thresholds", torch.from_numpy(thresholds).float().flatten(), persistent=False)
        self.register_buffer("paces", torch.from_numpy(paces).float().flatten(), persistent=False)
        for name, kept in (("threshold_lengths", lengths), ("pace_lengths", pace_lengths)):
            self.register_buffer(name, torch.tensor(kept, dtype=torch.float32), persistent=False)

    def threshold(self, min_steps: Tensor, max_steps: Tensor, step: Tensor) -> Tensor:
        """[...]: from this y on the order ends with `step`; before `min_steps` it cannot, and before its first step
        there is nothing to end for."""
        lengths = self.threshold_lengths
        index, share = _between(lengths, max_steps)
        left = (max_steps - step + 1.0) / max_steps
        low, high = (self._at_length(index + side, left * lengths[index + side]) for side in (0, 1))
        threshold = low + share * (high - low)
        return torch.where(step < min_steps.clamp(min=2.0), THRESHOLD_MAX, threshold)

    def _at_length(self, index: Tensor, steps_left: Tensor) -> Tensor:
        """[...]: the threshold of a length of the table. At the last step every order ends, so that the step before it
        stands for what lies between them; so does the second step for the first."""
        longest = self.threshold_lengths[index] - 1.0
        left = torch.minimum(steps_left.clamp(min=2.0), longest.clamp(min=2.0))
        whole = torch.minimum(left.floor(), (longest - 1.0).clamp(min=2.0))
        first = index * self.width + whole.long()
        low, high = self.thresholds[first], self.thresholds[first + 1]
        return low + (left - whole) * (high - low)

    def target(self, min_steps: Tensor, max_steps: Tensor, step: Tensor, y: Tensor) -> Tensor:
        """[...]: the share of the order to have done by the end of `step`. `min_steps` need not be whole."""
        length, length_share = _between(self.pace_lengths, max_steps)
        earliest, earliest_share = _on_grid(min_steps / max_steps * EARLIEST, EARLIEST)
        paced, paced_share = _on_grid(step / max_steps * PACED, PACED)
        point, point_share = _on_grid((y.clamp(-Y_MAX, Y_MAX) + Y_MAX) * ((Y_POINTS - 1) / (2.0 * Y_MAX)), Y_POINTS - 1)
        first = ((length * (EARLIEST + 1) + earliest) * (PACED + 1) + paced) * Y_POINTS + point
        strides = ((EARLIEST + 1) * (PACED + 1) * Y_POINTS, (PACED + 1) * Y_POINTS, Y_POINTS, 1)
        corners = torch.tensor([0], device=first.device)
        for stride in strides:
            corners = torch.cat([corners, corners + stride])
        found = self.paces[first[..., None] + corners]
        for share in (point_share, paced_share, earliest_share, length_share):  # the last stride lies outermost
            near, far = found.chunk(2, dim=-1)
            found = near + share[..., None] * (far - near)
        return found[..., 0]


def _between(lengths: Tensor, max_steps: Tensor) -> tuple[Tensor, Tensor]:
    """[...] each: the table's length below `max_steps`, and how far it lies towards the next, along the logarithm."""
    last = len(lengths) - 2
    above = (
        (max_steps[..., None] >= lengths[1:-1]).to(torch.int64).sum(-1)
        if last > 0
        else torch.zeros_like(max_steps).long()
    )
    low, high = torch.log(lengths[above]), torch.log(lengths[above + 1])
    return above, ((torch.log(max_steps) - low) / (high - low)).clamp(0.0, 1.0)


def _on_grid(position: Tensor, last: int) -> tuple[Tensor, Tensor]:
    """[...] each: the point of a grid of whole numbers below `position`, and how far it lies towards the next."""
    position = position.clamp(0.0, float(last))
    point = position.detach().floor().clamp(max=last - 1.0)
    return point.long(), position - point


def _up_to(lengths: tuple[int, ...], steps: int) -> tuple[int, ...]:
    """The lengths that horizons of up to `steps` need; at least two, to lie between."""
    return lengths[: max(2, sum(length < steps for length in lengths) + 1)]


@cache
def _thresholds(lengths: tuple[int, ...]) -> Matrix:
    """[K, R + 1] by the number of steps left with the present one."""
    table = np.full((len(lengths), max(lengths) + 2), THRESHOLD_MAX)
    for row, length in zip(table, lengths, strict=True):
        threshold = stopping_rules(length).threshold / np.sqrt(length)
        row[1 : length + 1] = np.clip(threshold[::-1], -THRESHOLD_MAX, THRESHOLD_MAX)
    return table


@cache
def _paces(lengths: tuple[int, ...]) -> Matrix:
    """[K, M, T, Y]."""
    grid = np.linspace(-Y_MAX, Y_MAX, Y_POINTS)
    table = np.zeros((len(lengths), EARLIEST + 1, PACED + 1, Y_POINTS))
    for index, length in enumerate(lengths):
        earliest = np.maximum(1.0, np.arange(EARLIEST + 1) * length / EARLIEST)
        table[index] = _paces_of(stopping_rules(length), earliest, grid * np.sqrt(length))
    return table


def _paces_of(rules: StoppingRules, earliest: Matrix, grid: Matrix) -> Matrix:
    """[M, T, Y]: the hedge of one horizon; an earliest end between two steps lies on a straight line between theirs."""
    closed = np.arange(PACED + 1) * len(rules.threshold) / PACED - 1.0  # a pace is by the end of the next bar

    def paces(min_steps: Matrix) -> Matrix:
        earliest, times, y = np.meshgrid(min_steps, closed, grid, indexing="ij")
        return rules.target(earliest.ravel().astype(np.int64), times.ravel(), y.ravel()).reshape(y.shape)

    below = np.floor(earliest)
    table, between = paces(below), np.flatnonzero(earliest > below)
    share = (earliest - below)[between, None, None]
    table[between] += share * (paces(below[between] + 1.0) - table[between])
    return table
