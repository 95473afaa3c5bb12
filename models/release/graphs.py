"""The tensors of both graphs as the card describes them: names, types, shapes and units.

Shapes: B windows or orders, L lookback, C columns, H context width, N steps, K state columns.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.bundles.card import GraphCard, TensorCard
from app.bundles.inputs import STATE_COLUMNS
from app.decision.market import COLUMNS
from models.network.context_layout import FIXED_COLUMNS, VOLATILITY_SPANS
from models.settings.sizes import LemConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTensors:
    """Inputs and outputs in the order in which the torch module takes and returns them."""

    inputs: list[TensorCard]
    outputs: list[TensorCard]

    def card(self, path: Path) -> GraphCard:
        """The card of the graph that was written to `path`."""
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return GraphCard(sha256=sha256, inputs=self.inputs, outputs=self.outputs)


def context_tensors(config: LemConfig) -> GraphTensors:
    """[B, L, C] -> [B, H], [B, N]."""
    bars = TensorCard(name="bars", dtype="float32", shape=["B", config.lookback, len(COLUMNS)], unit="as columns")
    return GraphTensors(inputs=[bars], outputs=[_context(config), _volume_forecast(config)])


def decision_tensors(config: LemConfig) -> GraphTensors:
    """[B, H], [B, N], [B, K], [B], [B] -> [B], [B]."""
    state = TensorCard(name="state", dtype="float32", shape=["B", len(STATE_COLUMNS)], unit="as state_columns")
    step = TensorCard(name="step", dtype="int64", shape=["B"], unit="1-based step to decide")
    scenario = TensorCard(name="scenario", dtype="int64", shape=["B"], unit="index into scenarios")
    allocation = TensorCard(name="allocation", dtype="float32", shape=["B"], unit="fraction of the order")
    stop_probability = TensorCard(name="stop_probability", dtype="float32", shape=["B"], unit="probability")
    return GraphTensors(
        inputs=[_context(config), _volume_forecast(config), state, step, scenario],
        outputs=[allocation, stop_probability],
    )


def _context(config: LemConfig) -> TensorCard:
    spans = "/".join(str(span) for span in VOLATILITY_SPANS)
    return TensorCard(
        name="context",
        dtype="float32",
        shape=["B", len(FIXED_COLUMNS) + config.context_width],
        unit=f"log volatilities of the next {spans} bars, log volume, trust, log tilts of volume (next bar, the one "
        "after, later) where an order may stop at any step and where at none, learned",
    )


def _volume_forecast(config: LemConfig) -> TensorCard:
    return TensorCard(name="volume_forecast", dtype="float32", shape=["B", config.max_steps], unit="base units")
