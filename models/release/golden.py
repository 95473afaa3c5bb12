"""Golden cases: random inputs of the right kind, and what torch answers to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.bundles.card import GoldenCase
from app.bundles.inputs import STATE_COLUMNS
from app.decision.market import COLUMNS, Floats
from app.domain.order import SCENARIOS
from models.network.decision import DecisionTable
from models.network.lem import Lem
from models.settings.sizes import LemConfig


def random_bars(config: LemConfig, rng: np.random.Generator, bars: int) -> Floats:
    """[1, L, C]: a random walk of 15 minute bars, `bars` of them present, one without volume."""
    moves = rng.normal(0.0, 0.003, (bars, 4)).cumsum(axis=0)
    prices = 100.0 * np.exp(moves[:, :1] + rng.normal(0.0, 0.001, (bars, 4)))
    returns = np.diff(np.log(prices[:, 3]), prepend=np.log(prices[0, 3]))
    volume = rng.lognormal(3.0, 0.3, bars) * np.exp(150.0 * np.abs(returns))  # with the moves, as in a market
    volume[bars // 2] = 0.0
    opened = 900.0 * (np.arange(bars) + rng.integers(0, 7 * 96))
    named = {
        "open": prices[:, 0],
        "high": prices.max(axis=1),
        "low": prices.min(axis=1),
        "close": prices[:, 3],
        "volume": volume,
        "notional": volume * prices.mean(axis=1),
        "trades": np.round(10.0 * volume),
        "second_of_day": opened % 86_400.0,
        "day_of_week": opened // 86_400.0 % 7.0,
        "bar_seconds": np.full(bars, 900.0),
    }
    window = np.zeros((1, config.lookback, len(COLUMNS)), dtype=np.float32)
    window[0, config.lookback - bars :] = np.stack([named[name] for name in COLUMNS], axis=1)
    return window


def random_orders(config: LemConfig, rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    """`state`, `step` and `scenario` of `decision.onnx`, [B, ...], every scenario in turn."""
    max_steps = rng.integers(1, config.max_steps + 1, rows)
    step = rng.integers(1, max_steps + 1)
    named = {
        "filled_fraction": (step - 1) / max_steps * rng.uniform(0.5, 1.0, rows),
        "price_return": rng.normal(0.0, 0.004, rows) * (step > 1),
        "achieved_return": rng.normal(0.0, 0.001, rows) * (step > 1),
        "benchmark_volume": (step - 1) * rng.lognormal(3.0, 0.3, rows),
        "order_volume": rng.lognormal(0.0, 2.0, rows),
        "min_steps": rng.integers(1, max_steps + 1),
        "max_steps": max_steps,
        "max_slice_fraction": np.maximum(1.0 / max_steps, rng.choice([0.25, 1.0], rows)),
        "max_participation_rate": rng.choice([0.1, 1.0], rows),
        "risk_aversion": rng.choice([0.0, 0.3, 6.0], rows),
    }
    state = np.stack([named[name] for name in STATE_COLUMNS], axis=1).astype(np.float32)
    return {"state": state, "step": step, "scenario": np.arange(rows) % len(SCENARIOS)}


def context_case(net: Lem, rng: np.random.Generator, bars: int) -> GoldenCase:
    window = random_bars(net.config, rng, bars)
    with torch.no_grad():
        context, volume_forecast = net.context(torch.from_numpy(window))
    return GoldenCase(
        graph="context",
        inputs={"bars": window.tolist()},
        outputs={"context": context.tolist(), "volume_forecast": volume_forecast.tolist()},
    )


def decision_case(net: Lem, table: DecisionTable, rng: np.random.Generator, rows: int) -> GoldenCase:
    window = random_bars(net.config, rng, net.config.lookback)
    orders = random_orders(net.config, rng, rows)
    with torch.no_grad():
        context, volume_forecast = net.context(torch.from_numpy(window))
        market = {"context": context.repeat(rows, 1), "volume_forecast": volume_forecast.repeat(rows, 1)}
        inputs = market | {name: torch.from_numpy(value) for name, value in orders.items()}
        allocation, stop_probability = table(**inputs)
    return GoldenCase(
        graph="decision",
        inputs={name: value.tolist() for name, value in inputs.items()},
        outputs={"allocation": allocation.tolist(), "stop_probability": stop_probability.tolist()},
    )
