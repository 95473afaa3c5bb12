"""Fits the bend of the volume forecast, by the deviance on the windows that the lines were fitted to.

Shapes: B windows, V levels, K bar lengths, J judged steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from models.fits.hooks import AddOthers, OnStep, alone, unwatched
from models.fits.keeping import NOTHING_KEPT, Descent, Kept
from models.network.ahead import judged_steps
from models.network.context import ContextNet
from models.network.features import Features
from models.network.volume_bend import VolumeBend
from models.objective.forecasts import EMPTY_SHARE, deviance, volume_that_came
from models.objective.stretches import Stretches

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 3, 512, 1e-3, 0.1, 0.3
"""More epochs or less dropout foresee the later steps worse."""
DEVIATION_MIN = 1e-3
"""A figure that was the same in all windows says nothing."""
SEED, SUMMED_AT_ONCE = 9_999_999, 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """`levels` [B, V] and `lengths` [B, K] of the windows, `trust` [B], and the logs of the volume that came in the
    judged steps, `came` [B, J], and of what the profile says, `profile` [B, J], both over the window's mean. All in
    half precision: there are hundreds of thousands."""

    levels: Tensor
    lengths: Tensor
    trust: Tensor
    came: Tensor
    profile: Tensor

    @classmethod
    def of(cls, net: ContextNet, stretches: Stretches, features: Features, known: Tensor) -> Windows:
        came, _ = volume_that_came(stretches, features)
        judged = judged_steps(net.config.max_steps) - 1
        return cls(
            levels=features.levels[known].half(),
            lengths=features.lengths[known].half(),
            trust=features.trust[known].half(),
            came=torch.log(came / features.volume[:, None])[known][:, judged].half(),
            profile=features.volume_profile[known][:, judged].half(),
        )

    @classmethod
    def together(cls, parts: Sequence[Windows]) -> Windows:
        return cls(**{one.name: torch.cat([getattr(part, one.name) for part in parts]) for one in fields(cls)})

    def take(self, chosen: Tensor) -> Windows:
        return Windows(**{one.name: getattr(self, one.name)[chosen].float() for one in fields(self)})


def fit_bend(
    net: ContextNet,
    parts: Sequence[Windows],
    add_others: AddOthers = alone,
    on_step: OnStep = unwatched,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Fit the net's bend to the windows, on top of its lines as they are; nothing else learns. After a stop the fit
    goes on from what was `kept`, with what chance was about to draw on a CPU."""
    bend = net.bend
    if bend is None:
        return
    windows = Windows.together(parts)
    counts = torch.tensor([1.0, len(windows.levels)], dtype=torch.float64)
    add_others(counts)
    processes, seen = (int(count) for count in counts)
    _standardise(bend, windows, seen, add_others)
    weights = list(bend.requires_grad_().parameters())
    steps = max(1, EPOCHS * seen // BATCH)
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    descent = Descent(bend, optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        saved = kept.read("bend")
        if saved:
            torch.set_rng_state(saved["chance"])
        for step in range(descent.restore(saved), steps):
            chosen = torch.randint(len(windows.levels), (max(1, BATCH // processes),))
            error = _error(net, bend, windows.take(chosen))
            optimizer.zero_grad()
            error.backward()
            for weight in weights:
                if weight.grad is not None:
                    add_others(weight.grad)
                    weight.grad /= processes
            descent.step()
            if kept.due():
                kept.write("bend", descent.state(step + 1) | {"chance": torch.get_rng_state()})
            on_step(step + 1, steps)
    bend.requires_grad_(False)


def _standardise(bend: VolumeBend, windows: Windows, seen: int, add_others: AddOthers) -> None:
    figures = torch.cat([windows.levels, windows.lengths], dim=-1)
    total, squares = figures.sum(0, dtype=torch.float64), torch.zeros_like(bend.mean, dtype=torch.float64)
    for some in figures.split(SUMMED_AT_ONCE):
        squares += (some.double() ** 2).sum(0)
    add_others(total)
    add_others(squares)
    mean = total / seen
    deviation = torch.sqrt((squares / seen - mean**2).clamp(min=0.0))
    bend.mean.copy_(mean)
    bend.deviation.copy_(torch.where(deviation > DEVIATION_MIN, deviation, 1.0))


def _error(net: ContextNet, bend: VolumeBend, windows: Windows) -> Tensor:
    """The deviance of what came from what is expected, with some of the bend's units left out."""
    with torch.no_grad():
        levels = net.line_figures(windows.levels, windows.lengths)
        unlearned = torch.zeros(len(levels), net.config.hidden, device=levels.device)
        lines = net.volume(torch.cat([unlearned, levels], dim=-1))
    bends = bend(windows.levels, windows.lengths, DROPOUT)
    judged = judged_steps(net.config.max_steps) - 1
    growth = windows.profile + net.volume_shift(lines, bends, windows.trust) @ net.spread[:, judged]
    expected = torch.exp(growth) + EMPTY_SHARE
    return deviance(torch.exp(windows.came) / expected)
