"""Straight lines, fitted before training: the heads of outlook, volume and volatility start from them.

What prices do next is so faint that steps of the optimiser drown it in their own noise; ridge regression on hundreds of
thousands of windows does not. Training refines the forecasts of volume and volatility and leaves the outlook as it is:
on the bars that the outlook was fitted on, training could only learn to trust it too much. What the volume's lines miss
is bent by a small network, fitted to the same windows (models/fits/volume_bend_fit.py).

Shapes: F figures that are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from models.fits.gathered import Gathered, Sums
from models.fits.hooks import AddOthers, OnStep, alone, unwatched
from models.fits.volume_bend_fit import fit_bend
from models.network.ahead import NEAR
from models.network.context import VOLATILITY_SHIFT_MAX, ContextNet
from models.network.context_layout import VOLATILITY_SPANS
from models.network.directions import DIRECTIONS
from models.network.lengths import LENGTHS
from models.network.levels import SHORT_WAVE_FIGURES
from models.objective.forecasts import volume_ratio
from models.objective.stretches import Stretches
from models.settings.sizes import OUTLOOKS

LEVEL_RIDGE, OUTLOOK_RIDGE, LENGTH_RIDGE = 500.0, 5_000.0, 3.0
"""Ridges, added to the diagonal, in windows: a figure that fewer windows support gets hardly any weight. The outlook's
is for one bar ahead and grows with the span, since over longer spans fewer windows are independent. Weights for one bar
length alone have LENGTH_RIDGE times the outlook's."""
FORBIDDEN = 1e12


def warm_start(net: ContextNet, batches: Iterable[Stretches]) -> None:
    """Fit the heads on the batches' windows, whatever the heads held before; without batches they stay."""
    gathered = Gathered(net)
    for stretches in batches:
        gathered.add(stretches)
    start_from(gathered)


def start_from(gathered: Gathered, add_others: AddOthers = alone, on_step: OnStep = unwatched) -> None:
    """Fit the heads of the net on what was gathered. `on_step` is called for the steps of the bend."""
    net = gathered.net
    if gathered.outlook and gathered.levels:
        for sums in (gathered.outlook, gathered.levels):
            for part_of_all in (sums.figures, sums.foreseen, sums.squares):
                add_others(part_of_all)
        _start_outlook(net, gathered.outlook)
        _start_levels(net, gathered.levels)
        fit_bend(net, gathered.windows, add_others, on_step, gathered.kept)


def calibrate(net: ContextNet, batches: Iterable[Stretches], add_others: AddOthers = alone) -> None:
    """Move the constants of the volume's lines, one for all bar lengths and one more for each, until on average as much
    comes as is expected: the logs of volume have heavier tails than a normal's."""
    device = net.volume.weight.device
    one = torch.ones(1, device=device)
    products = torch.zeros(LENGTHS + 1, LENGTHS + 1, device=device)
    at_knots = torch.tensor(net.knots, device=device) - 1
    missing = torch.zeros(LENGTHS + 1, len(at_knots), device=device)
    for stretches in batches:
        with torch.no_grad():
            features = net.features(stretches.windows)
            ratio = volume_ratio(stretches, features, net.read(features))
        shares = torch.cat([features.lengths.mean(0), one])
        products = products + torch.outer(shares, shares)
        missing = missing + torch.outer(shares, torch.log(ratio.mean(0)[at_knots]))
    for part_of_all in (products, missing):
        add_others(part_of_all)
    constants = torch.linalg.solve(products + torch.eye(LENGTHS + 1, device=device), missing)
    with torch.no_grad():
        net.volume.weight[:, -LENGTHS:].add_(constants[:-1].T)
        net.volume.bias.add_(constants[-1])


def _start_outlook(net: ContextNet, sums: Sums) -> None:
    ridge = torch.full((len(sums.figures),), LENGTH_RIDGE * OUTLOOK_RIDGE)
    ridge[: len(DIRECTIONS)] = OUTLOOK_RIDGE
    spans = [min(span, net.config.max_steps) for span in OUTLOOKS]
    _set(net.outlook, [sums.line(index, span * ridge) for index, span in enumerate(spans)])


def _start_levels(net: ContextNet, sums: Sums) -> None:
    near, far = _level_ridges(net, len(sums.figures))
    ridges = [near if knot <= NEAR else far for knot in net.knots] + [near] * len(VOLATILITY_SPANS)
    lines = [sums.line(index, ridge) for index, ridge in enumerate(ridges)]
    windows = sums.figures[-1, -1]  # the constant's own square, summed
    variance = (sums.squares - (torch.stack(lines, dim=-1) * sums.foreseen).sum(0)) / windows
    # The mean of what is lognormal lies half a variance above the exponential of the logs' mean.
    for line, above in zip(lines, 0.5 * variance, strict=True):
        line[-1] += above
    volatilities = len(VOLATILITY_SPANS)
    _set(net.volume, lines[:-volatilities])
    _set(net.volatility, [line / VOLATILITY_SHIFT_MAX for line in lines[-volatilities:]])


def _level_ridges(net: ContextNet, figures: int) -> tuple[Tensor, Tensor]:
    """[F] each, for knots that lie near and for those that lie far apart: between the latter, short waves would be
    read from the wrong end of a wave."""
    near = torch.full((figures,), LEVEL_RIDGE)
    near[-1] = 0.0  # the constant is not shrunk
    far, levels = near.clone(), net.reading_figures
    for end in range(levels, figures, levels):  # for all bar lengths, then for each
        far[end - SHORT_WAVE_FIGURES : end] = FORBIDDEN
    return near, far


def _set(head: nn.Linear, lines: Sequence[Tensor]) -> None:
    """A head reads what the network has learned first, then the figures; a constant stands last in their lines."""
    weights = torch.stack(list(lines)).to(head.weight)
    with torch.no_grad():
        head.weight.zero_()
        if head.bias is not None:
            head.bias.copy_(weights[:, -1])
            weights = weights[:, :-1]
        head.weight[:, -weights.shape[1] :] = weights
