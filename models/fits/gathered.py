"""What is gathered of the windows that straight lines and the bend of the volume are fitted to, batch by batch.

Shapes: B windows, F figures that are read, Y figures foreseen, A knots, V volatilities.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from models.fits.keeping import NOTHING_KEPT, Kept
from models.fits.volume_bend_fit import Windows
from models.network.context import ContextNet
from models.network.features import Features
from models.objective.forecasts import outlook_that_came, volatility_that_came, volume_that_came
from models.objective.stretches import Stretches

VOLATILITY_FLOOR = 0.03
"""Added to the coming volatility over the past, before its logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over windows: products of their figures with each other [F, F] and with what came [F, Y], and squares of
    what came [Y]."""

    figures: Tensor
    foreseen: Tensor
    squares: Tensor

    def plus(self, other: Sums) -> Sums:
        return Sums(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})

    def line(self, index: int, ridge: Tensor) -> Tensor:
        """[F]: the weights by which the figures foresee the figure number `index` of what came."""
        loaded = self.figures + torch.diag(ridge.to(self.figures))
        result: Tensor = torch.linalg.solve(loaded, self.foreseen[:, index])
        return result


@dataclass(slots=True)
class Gathered:
    """`batches` so far: the sums of the `outlook` and of the `levels`, and the `windows` of each batch.

    Of the lines only the sums are kept: each batch is some megabytes. `kept` takes a part now and then; parts are
    numbered, and each holds the windows since the part before.
    """

    net: ContextNet
    kept: Kept = NOTHING_KEPT
    batches: int = 0
    outlook: Sums | None = None
    levels: Sums | None = None
    windows: list[Windows] = field(default_factory=list)
    parts: int = 0
    windows_kept: int = 0

    def go_on(self) -> None:
        """Take what was kept before a stop."""
        while (part := self.kept.read(f"lines-{self.parts}", own=True)) is not None:
            self.batches, self.parts = part["batches"], self.parts + 1
            self.outlook, self.levels = (Sums(**self._here(part[name])) for name in ("outlook", "levels"))
            self.windows.append(Windows(**self._here(part["windows"])))
        self.windows_kept = len(self.windows)

    def add(self, stretches: Stretches) -> None:
        outlook, levels, windows = _seen(self.net, stretches)
        self.outlook = self.outlook.plus(outlook) if self.outlook else outlook
        self.levels = self.levels.plus(levels) if self.levels else levels
        self.windows.append(windows)
        self.batches += 1
        if self.kept.due():
            self.keep()

    def keep(self) -> None:
        """Keep what came since the last time."""
        fresh = self.windows[self.windows_kept :]
        if not fresh or self.outlook is None or self.levels is None:
            return
        windows = asdict(Windows.together(fresh))
        part = {"batches": self.batches, "outlook": asdict(self.outlook), "levels": asdict(self.levels)}
        self.kept.write(f"lines-{self.parts}", part | {"windows": windows}, own=True)
        self.parts, self.windows_kept = self.parts + 1, len(self.windows)

    def _here(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {name: tensor.to(self.net.volume.weight.device) for name, tensor in tensors.items()}


def _seen(net: ContextNet, stretches: Stretches) -> tuple[Sums, Sums, Windows]:
    """The sums of the outlook and of the levels, and what the bend is fitted to."""
    with torch.no_grad():
        features = net.features(stretches.windows)
    outlook, moved = outlook_that_came(stretches, features, net.config.max_steps)
    known = moved[:, 0] > 0.0
    levels = _levels_that_came(net, stretches, features)
    lines = net.line_figures(features.levels, features.lengths)
    figures = torch.cat([lines, torch.ones_like(features.volume)[:, None]], dim=-1)
    return (
        _sums(net.directions(features)[known], outlook[known]),
        _sums(figures[known], levels[known]),
        Windows.of(net, stretches, features, known),
    )


def _sums(figures: Tensor, foreseen: Tensor) -> Sums:
    figures, foreseen = figures.double(), foreseen.double()
    return Sums(figures=figures.T @ figures, foreseen=figures.T @ foreseen, squares=(foreseen**2).sum(0))


def _levels_that_came(net: ContextNet, stretches: Stretches, features: Features) -> Tensor:
    """[B, A + V]: the logs of the volume at each knot over its profile and of the coming volatilities over the past."""
    volume, expected = volume_that_came(stretches, features)
    at_knots = torch.tensor(net.knots, device=volume.device) - 1
    volatility = volatility_that_came(stretches, features) / features.volatility[:, None]
    return torch.cat([torch.log(volume / expected)[:, at_knots], torch.log(volatility + VOLATILITY_FLOOR)], dim=-1)
