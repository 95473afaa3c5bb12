"""The market side of the LEM: raw bars -> context and volume forecast. The same for every order on the instrument.

Shapes: B windows, L lookback, C columns, T recurrence, D hidden, H context width, N steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.config import LemConfig
from models.features import VARIABLES, WINDOW_FIGURES, BarFeatures, Features
from models.layers import GatedNorm, GatedResidual, VariableSelection
from models.tkan import Tkan

FIXED_FIGURES = 2
"""The context starts with the logs of the expected volatility per bar and of the mean volume per bar."""


class ContextNet(nn.Module):
    """Variable selection, stacked TKAN with gate, residual and norm, a GRN, and multi-head attention over the window.

    Only the newest bar asks the attention, so causality costs no mask: a window holds closed bars and nothing else.
    """

    def __init__(self, config: LemConfig) -> None:
        super().__init__()
        width, hidden = config.variable_width, config.hidden
        self.features = BarFeatures(config)
        self.selection = VariableSelection(len(VARIABLES), width)
        sizes = [width] + [hidden] * config.recurrent_layers
        self.recurrent = nn.ModuleList(
            Tkan(inputs, hidden, config.kan_layers, config.kan_width, config.kan_knots) for inputs in sizes[:-1]
        )
        self.gates = nn.ModuleList(GatedNorm(hidden, inputs, hidden) for inputs in sizes[:-1])
        self.mixing = GatedResidual(hidden, hidden)
        self.heads = config.heads
        self.query = nn.Linear(hidden, hidden)
        self.key_value = nn.Linear(hidden, 2 * hidden)
        self.attended = GatedNorm(hidden, hidden, hidden)
        figures = WINDOW_FIGURES + 2 * config.max_steps
        self.reading = GatedResidual(hidden + figures, hidden)
        self.context = nn.Linear(hidden, config.context_width)
        self.volume = nn.Linear(hidden + figures, config.max_steps)
        self.volatility = nn.Linear(hidden + figures, 1)
        for head in (self.volume, self.volatility):  # start from the profile and the window's own volatility
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, bars: Tensor) -> tuple[Tensor, Tensor]:
        """[B, L, C] -> context [B, H], mean volume of each next step [B, N] in base units."""
        return self.read(self.features(bars))

    def read(self, features: Features) -> tuple[Tensor, Tensor]:
        x = self.selection(features.variables)
        for recurrent, gate in zip(self.recurrent, self.gates, strict=True):
            x = gate(recurrent(x), x)
        newest = self._attend(self.mixing(x))
        both = torch.cat([newest, features.window], dim=-1)
        reading = self.reading(both)
        known = torch.cat([reading, features.window], dim=-1)
        log_volatility = torch.log(features.volatility) + 1.5 * torch.tanh(self.volatility(known)[:, 0])
        log_volume = torch.log(features.volume)
        growth = features.volume_profile + 3.0 * torch.tanh(self.volume(known) / 3.0)
        context = torch.cat([torch.stack([log_volatility, log_volume], dim=-1), self.context(reading)], dim=-1)
        return context, torch.exp(log_volume[:, None] + growth)

    def _attend(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, D]: what the newest bar finds in the window."""
        newest = x[:, -1]
        split = (-1, x.shape[1], self.heads, x.shape[2] // self.heads)
        keys, values = (part.reshape(split) for part in self.key_value(x).chunk(2, dim=-1))
        query = self.query(newest).reshape(-1, 1, *split[2:])
        scores = (query * keys).sum(-1) / split[3] ** 0.5  # [B, T, heads]
        found = (functional.softmax(scores, dim=1).unsqueeze(-1) * values).sum(1).flatten(-2)
        result: Tensor = self.attended(found, newest)
        return result
