"""The market side of the LEM: raw bars -> context and volume forecast, the same for every order on the instrument.

Shapes: B windows, L lookback, C columns, T recurrence, D hidden, H context width, N steps, A knots ahead, O outlooks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network.ahead import knots_of, spread_over
from models.network.context_layout import (
    CONTEXT,
    FIXED_COLUMNS,
    LOG_VOLATILITIES,
    VOLATILITY_SPANS,
)
from models.network.directions import DIRECTIONS
from models.network.features import BarFeatures, Features
from models.network.layers import GatedNorm, GatedResidual, VariableSelection
from models.network.lengths import LENGTHS, by_length
from models.network.levels import LEVELS
from models.network.packing import packed
from models.network.tkan import Lstm, Tkan
from models.network.variables import VARIABLES
from models.network.volume_bend import VolumeBend
from models.network.window_figures import WINDOW_FIGURES
from models.settings.sizes import OUTLOOKS, LemConfig

TILTS = (0.7, 1.9, 1.1)
"""What the volume of the next bar, of the one after it and of later ones counts over its forecast where a hedge is
aimed at VWAP, before each bar length has tilts of its own (models/fits/tilts.py says why)."""
OUTLOOK_GAIN = 5.0
"""An outlook is small against what comes. The decision's networks read the outlook in a unit nearer to 1."""
VOLATILITY_SHIFT_MAX, VOLUME_SHIFT_MAX = 1.5, 3.0
"""How far the logs of the forecasts may move away from the past volatility and from the volume's profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextReading:
    """`context` [B, 11 + H] as in context_layout.py; `volume` [B, N]: mean volume of each next step in base units;
    `outlook` [B, O]: the mean price of the next bars over the last close, in standard deviations of what comes on a
    random walk; `reading` [B, D]: what the learned columns are made of."""

    context: Tensor
    volume: Tensor
    outlook: Tensor
    reading: Tensor


class ContextNet(nn.Module):
    """Variable selection, stacked TKAN with gate, residual and norm, a GRN, and multi-head attention over the window.

    Only the newest bar asks the attention, so causality needs no mask: a window holds closed bars and nothing else.
    """

    spread: Tensor

    def __init__(self, config: LemConfig) -> None:
        super().__init__()
        self.config = config
        self.features = BarFeatures(config)
        self.knots = knots_of(config.max_steps)
        self.register_buffer("spread", spread_over(self.knots, config.max_steps), persistent=False)
        if config.context_width:
            self._build(config)

    def _build(self, config: LemConfig) -> None:
        width, hidden = config.variable_width or len(VARIABLES), config.hidden
        self.selection = VariableSelection(len(VARIABLES), width) if config.variable_width else nn.Identity()
        sizes = [width] + [hidden] * config.recurrent_layers
        self.recurrent = nn.ModuleList(_recurrent(inputs, config) for inputs in sizes[:-1])
        self.gates = nn.ModuleList(GatedNorm(hidden, inputs, hidden) for inputs in sizes[:-1])
        self.mixing = GatedResidual(sizes[-1], hidden)
        if config.heads:
            self.query = nn.Linear(hidden, hidden)
            self.key_value = nn.Linear(hidden, 2 * hidden)
            self.attended = GatedNorm(hidden, hidden, hidden)
        knots = len(self.knots)
        figures = self.reading_figures
        self.reading = GatedResidual(hidden + figures, hidden)
        self.learned = nn.Linear(hidden, config.context_width - len(OUTLOOKS))
        read = hidden + figures * (1 + LENGTHS) + LENGTHS
        self.volume = nn.Linear(read, knots)
        self.bend = VolumeBend(figures, config.bend_width, knots) if config.bend_width else None
        self.volatility = nn.Linear(read, len(VOLATILITY_SPANS))
        self.outlook = nn.Linear(len(DIRECTIONS) * (1 + LENGTHS), len(OUTLOOKS), bias=False)
        self.free_tilts, self.forced_tilts = nn.Linear(LENGTHS, len(TILTS)), nn.Linear(LENGTHS, len(TILTS))
        # All heads start from what the window says without learning.
        for head in (self.volume, self.volatility, self.outlook, self.free_tilts, self.forced_tilts):
            for weights in head.parameters():
                nn.init.zeros_(weights)
        with torch.no_grad():
            for tilts in (self.free_tilts, self.forced_tilts):
                tilts.bias.copy_(torch.log(torch.tensor(TILTS)))

    @property
    def reading_figures(self) -> int:
        """How many figures of a window as a whole are read."""
        return len(WINDOW_FIGURES) + 2 * len(self.knots) + len(LEVELS)

    def forward(self, bars: Tensor) -> tuple[Tensor, Tensor]:
        """[B, L, C] -> context [B, 11 + H], mean volume of each next step [B, N] in base units."""
        reading = self.read(self.features(bars))
        return reading.context, reading.volume

    def read(self, features: Features) -> ContextReading:
        log_volatility, log_volume = torch.log(features.volatility), torch.log(features.volume)
        if not self.config.context_width:
            return _unlearned(features, log_volatility, log_volume)
        reading = self.reading(torch.cat([self._newest(features.variables), features.levels], dim=-1))
        known = torch.cat([reading, self.line_figures(features.levels, features.lengths)], dim=-1)
        volatility_shift = VOLATILITY_SHIFT_MAX * torch.tanh(self.volatility(known))
        log_volatilities = log_volatility[:, None] + features.trust[:, None] * volatility_shift
        lines = self.volume(known)
        bend = self.bend(features.levels, features.lengths) if self.bend else torch.zeros_like(lines)
        growth = features.volume_profile + self.volume_shift(lines, bend, features.trust) @ self.spread
        outlook = torch.tanh(self.outlook(self.directions(features)))
        forecasts = torch.cat([log_volatilities, log_volume[:, None], features.trust[:, None]], dim=-1)
        context = torch.cat([forecasts, self._tilts(features), OUTLOOK_GAIN * outlook, self.learned(reading)], dim=-1)
        volume = torch.exp(log_volume[:, None] + growth)
        return ContextReading(context=context, volume=volume, outlook=outlook, reading=reading)

    def _newest(self, variables: Tensor) -> Tensor:
        """[B, T, F] -> [B, D]: what the newest bar and the bars before it say."""
        x = self.selection(variables)
        for recurrent, gate in zip(self.recurrent, self.gates, strict=True):
            x = gate(recurrent(x), x)
        x = self.mixing(x)
        return self._attend(x) if self.config.heads else x[:, -1]

    def renewed(self, reading: ContextReading, features: Features) -> ContextReading:
        """The same reading with the tilts and the learned columns as they are now, which alone pass on a gradient."""
        if not self.config.context_width:
            return reading
        kept = reading.context.detach()
        columns = [
            kept[:, : CONTEXT.tilts.start],
            self._tilts(features),
            kept[:, CONTEXT.outlooks],
            self.learned(reading.reading.detach()),
        ]
        return replace(reading, context=torch.cat(columns, dim=-1))

    def _tilts(self, features: Features) -> Tensor:
        tilts = torch.cat([self.free_tilts(features.lengths), self.forced_tilts(features.lengths)], dim=-1)
        return features.trust[:, None] * tilts

    @staticmethod
    def volume_shift(lines: Tensor, bend: Tensor, trust: Tensor) -> Tensor:
        """[B, A]: the log of the mean volume at each knot over what the profile of earlier days says."""
        return VOLUME_SHIFT_MAX * torch.tanh((lines + trust[:, None] * bend) / VOLUME_SHIFT_MAX)

    @staticmethod
    def line_figures(levels: Tensor, lengths: Tensor) -> Tensor:
        """What the lines to volume and volatility read of the window: every bar length has lines of its own."""
        return torch.cat([by_length(levels, lengths), lengths], dim=-1)

    @staticmethod
    def directions(features: Features) -> Tensor:
        """The figures that the outlook reads; all are 0 where the window is not a market's."""
        return features.trust[:, None] * by_length(features.directions, features.lengths)

    def _attend(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, D]: the newest bar attends to the window."""
        newest, heads = x[:, -1], self.config.heads
        split = (-1, x.shape[1], heads, x.shape[2] // heads)
        keys, values = (part.reshape(split) for part in self.key_value(x).chunk(2, dim=-1))
        query = self.query(newest).reshape(-1, 1, *split[2:])
        scores = (query * keys).sum(-1) / split[3] ** 0.5  # [B, T, heads]
        found = (functional.softmax(scores, dim=1).unsqueeze(-1) * values).sum(1).flatten(-2)
        result: Tensor = self.attended(found, newest)
        return result


def _unlearned(features: Features, log_volatility: Tensor, log_volume: Tensor) -> ContextReading:
    """The reading of a network without learned figures: volatility and mean volume as they were."""
    nothing = dict.fromkeys(FIXED_COLUMNS, torch.zeros_like(log_volume))
    fixed = nothing | dict.fromkeys(LOG_VOLATILITIES, log_volatility) | {"log_volume": log_volume}
    return ContextReading(
        context=packed(FIXED_COLUMNS, fixed),
        volume=features.volume[:, None] * torch.ones_like(features.volume_profile),
        outlook=torch.zeros_like(features.window[:, : len(OUTLOOKS)]),
        reading=torch.zeros_like(features.window[:, :0]),
    )


def walk_deviation(spans: Tensor) -> Tensor:
    """The standard deviation of the mean price of so many next bars over the last close, on a random walk whose bars'
    prices are means of its path: in units of the volatility per bar."""
    return torch.sqrt(spans / 3.0)


def _recurrent(inputs: int, config: LemConfig) -> nn.Module:
    if not config.kan_layers:
        return Lstm(inputs, config.hidden)
    return Tkan(inputs, config.hidden, config.kan_layers, config.kan_width, config.kan_knots)
