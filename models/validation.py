"""What a trained network achieves on bars it has not seen, stopping as in deployment.

Shapes: S scenarios, B orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from app.domain.order import SCENARIOS, Benchmark
from models.lem import Lem
from models.rollout import BPS, Paths, Terms, roll
from models.samples import paths_of, stretches_at
from models.tapes import Tape

MIN_STEPS, MAX_STEPS = (1, 6, 9, 11, 12), 12
STRETCHES_PER_BATCH = 32
ORDER_SHARE = 1e-6
"""The order's size as a share of the volume expected over its horizon."""

Row = dict[str, float | int | str]


def validation_table(
    net: Lem, tapes: Sequence[Tape], market: str, risk_aversion: float, *, orders_max: int = 3_000
) -> list[Row]:
    """Mean, spread and tails of the *gain* (minus slippage, before costs) by benchmark and min_steps, in units of the
    volatility per bar and in bps. Orders start every `MAX_STEPS` bars, or more rarely where there would be more than
    `orders_max` (before scenarios)."""
    net.eval()
    longest = min(MAX_STEPS, net.config.max_steps)
    batches = list(_batches(net, tapes, orders_max, longest))
    rows: list[Row] = []
    for min_steps in sorted({min(steps, longest) for steps in MIN_STEPS}):
        gains, bps = [], []
        for paths in batches:
            with torch.no_grad():
                gain = roll(net.decision, paths, _terms(paths, min_steps, longest, risk_aversion)).hard_gain
            gains.append(gain)
            bps.append(gain * paths.volatility * BPS)
        rows += _rows(torch.cat(gains, dim=1), torch.cat(bps, dim=1), market, min_steps, longest)
    return rows


def _batches(net: Lem, tapes: Sequence[Tape], orders_max: int, longest: int) -> Iterator[Paths]:
    """Paths of single orders, side by side."""
    reach = longest + net.config.max_steps
    room = sum(max(0, tape.hi - tape.lo - reach) for tape in tapes)
    every = max(longest, -(-room // orders_max))
    places = [(tape, first) for tape in tapes for first in range(tape.lo, tape.hi - reach, every)]
    for begin in range(0, len(places), STRETCHES_PER_BATCH):
        stretches = stretches_at(places[begin : begin + STRETCHES_PER_BATCH], net.config, longest, 1)
        with torch.no_grad():
            features = net.context.features(stretches.windows)
            yield paths_of(stretches, features, net.context.read(features), 1)


def _terms(paths: Paths, min_steps: int, max_steps: int, risk_aversion: float) -> Terms:
    def every(value: float) -> Tensor:
        return torch.full((len(paths.price),), float(value))

    return Terms(
        min_steps=every(min_steps),
        max_steps=every(max_steps),
        risk_aversion=every(risk_aversion),
        max_slice_fraction=every(1.0),
        max_participation_rate=every(1.0),
        order_volume=ORDER_SHARE * paths.volume_forecast[:, 0].sum(-1),
    )


def _rows(gains: Tensor, bps: Tensor, market: str, min_steps: int, max_steps: int) -> list[Row]:
    rows: list[Row] = []
    for benchmark in Benchmark:
        chosen = [scenario.index for scenario in SCENARIOS if scenario.benchmark is benchmark]
        gain, basis_points = gains[chosen].flatten().double(), bps[chosen].flatten().double()
        low, high = torch.quantile(basis_points, torch.tensor([0.05, 0.95], dtype=torch.double)).tolist()
        figures = {
            "gain_sigma_mean": gain.mean().item(),
            "gain_sigma_std": gain.std().item(),
            "gain_bps_mean": basis_points.mean().item(),
            "gain_bps_p5": low,
            "gain_bps_p95": high,
        }
        rows.append(
            {
                "market": market,
                "benchmark": benchmark.value,
                "min_steps": min_steps,
                "max_steps": max_steps,
                "orders": gain.numel(),
                **{name: round(value, 4) for name, value in figures.items()},
            }
        )
    return rows
