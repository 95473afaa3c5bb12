"""What a straight line can foresee, found before training: the heads of the outlook and of the volume start from it.

What prices do next is so faint that steps of the optimiser drown it in their own noise; ridge regression on tens of
thousands of windows does not. Training then refines the heads.

Shapes: F window figures, Y figures foreseen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn

from models.config import OUTLOOKS
from models.context import ContextNet
from models.objective import outlook_that_came, volume_that_came
from models.samples import Stretches

VOLUME_RIDGE, OUTLOOK_RIDGE = 0.001, 0.03
"""Of the windows' number, added to the diagonal: a figure must earn its weight. The outlook's is for one bar ahead;
over longer spans fewer windows are independent."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Over the windows seen: their figures' products [F + 1, F + 1], with what came [F + 1, Y], and its squares [Y]."""

    windows: Tensor
    figures: Tensor
    foreseen: Tensor
    squares: Tensor

    def plus(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def warm_start(net: ContextNet, batches: Iterable[Stretches]) -> None:
    """Fit both heads on the batches' windows, in the place of what they held; no batches leave them."""
    parts = [_sums(net, stretches) for stretches in batches]
    if not parts:
        return
    sums = reduce(Sums.plus, parts)
    spans = torch.tensor(OUTLOOKS, dtype=torch.double).clamp(max=net.config.max_steps)
    outlooks = len(spans)
    ridges = torch.cat([OUTLOOK_RIDGE * spans, torch.full((net.config.max_steps,), VOLUME_RIDGE).double()])
    lines = torch.stack([_line(sums, place, float(ridge)) for place, ridge in enumerate(ridges)], dim=-1)
    variance = (sums.squares - (lines * sums.foreseen).sum(0)) / sums.windows
    _set(net.outlook, lines[:, :outlooks], torch.zeros_like(variance[:outlooks]))
    # The mean of what is lognormal lies half a variance above the exponential of the logs' mean.
    _set(net.volume, lines[:, outlooks:], 0.5 * variance[outlooks:])


def _sums(net: ContextNet, stretches: Stretches) -> Sums:
    with torch.no_grad():
        features = net.features(stretches.windows)
    volume, expected = volume_that_came(stretches, features)
    outlook, known = outlook_that_came(stretches, features, net.config.max_steps)
    foreseen = (torch.cat([outlook, torch.log(volume / expected)], dim=-1) * known).double()
    figures = (torch.cat([features.window, torch.ones_like(known)], dim=-1) * known).double()
    return Sums(known.sum(), figures.T @ figures, figures.T @ foreseen, (foreseen**2).sum(0))


def _line(sums: Sums, place: int, ridge: float) -> Tensor:
    """[F + 1]: the weight of each figure and, last, the constant, which is not shrunk."""
    diagonal = torch.full((len(sums.figures),), ridge, dtype=torch.double, device=sums.figures.device)
    diagonal[-1] = 0.0
    line: Tensor = torch.linalg.solve(sums.figures + sums.windows * torch.diag(diagonal), sums.foreseen[:, place])
    return line


def _set(head: nn.Linear, lines: Tensor, above: Tensor) -> None:
    """The head reads what the network has learned first, then the window's figures."""
    figures = len(lines) - 1
    with torch.no_grad():
        head.weight.zero_()
        head.weight[:, -figures:] = lines[:-1].T.to(head.weight.dtype)
        head.bias.copy_(lines[-1] + above)
