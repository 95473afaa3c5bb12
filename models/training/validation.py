"""What a trained network achieves on bars that it has not seen, stopping as in deployment.

Shapes: S scenarios, B orders.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.domain.durations import DAY_SECONDS
from app.domain.order import SCENARIOS, Benchmark
from models.network.expectation import STEPS_USUAL
from models.network.lem import Lem
from models.network.scenarios import vwap_flags
from models.objective.forecasts import VOLATILITY_MIN
from models.objective.objective import RISK_AVERSIONS
from models.objective.paths import Paths, paths_of
from models.objective.rollout import BPS, roll
from models.objective.stretches import stretches_at
from models.objective.terms import small_orders
from models.objective.utility import utility
from models.tapes.spacing import bars_per_day, over_the_day
from models.tapes.tapes import Tape

HORIZONS = {12: (1, 6, 9, 11, 12), 96: (32, 64, 96), 250: (125,)}
"""Entries of min_steps for each max_steps that the table has."""
USUAL_HORIZON = 12
BARS_PER_BATCH, ORDERS_MAX = 3_000, 2_000
Row = dict[str, float | int | str]


def validation_table(
    net: Lem, tapes: Sequence[Tape], market: str, risk_aversion: float, *, bars_max: int = 8_000
) -> list[Row]:
    """Mean, spread and tails of the *gain* (minus slippage, before costs) by benchmark, max_steps and min_steps, in
    units of the volatility per bar and in bps. Orders start about every max_steps bars, or more rarely where they would
    come to more bars than `bars_max` (before scenarios)."""
    net.eval()
    rows: list[Row] = []
    for longest in horizons_of(net, tapes):
        batches = list(_batches(net, _begins(tapes, bars_max // longest, longest), longest))
        for min_steps in sorted({min(steps, longest) for steps in HORIZONS.get(longest, (1, longest))}):
            gains, bps = [], []
            for paths in batches:
                gain = _gains(net, paths, min_steps, risk_aversion) * math.sqrt(longest / STEPS_USUAL)
                gains.append(gain)
                bps.append(gain * paths.volatility * BPS)
            rows += _rows(torch.cat(gains, dim=1), torch.cat(bps, dim=1), market, min_steps, longest)
    return rows


def horizons_of(net: Lem, tapes: Sequence[Tape]) -> list[int]:
    """Those of HORIZONS that the network decides and of which every tape on average has a few orders."""
    bars = sum(tape.hi - tape.lo for tape in tapes) / max(1, len(tapes))
    known = {min(horizon, net.config.max_steps) for horizon in HORIZONS}
    return sorted(horizon for horizon in known if horizon == min(known) or 3 * horizon < bars)


class Judged(NamedTuple):
    """[B] each, for orders in all scenarios. `day` of the start, since the epoch; `utility` at the default risk
    aversion, the mean over a short, a middle and the longest min_steps; `tracking`, the mean absolute slippage against
    VWAP over all steps, at its own risk aversion. Both in units of volatility and of the horizon's scale."""

    day: NDArray[np.float64]
    utility: NDArray[np.float64]
    tracking: NDArray[np.float64]


def judged(net: Lem, tapes: Sequence[Tape], longest: int = USUAL_HORIZON, *, bars_max: int = 60_000) -> Judged:
    """What orders of `longest` steps achieve. Each stretch of bars is read once: reading takes longer than deciding."""
    begins = _begins(tapes, max(1, min(ORDERS_MAX, bars_max // longest)), longest)
    utilities, errors = [], []
    for paths in _batches(net, begins, longest):
        known = paths.volatility > VOLATILITY_MIN
        gains = [_gains(net, paths, least, RISK_AVERSIONS.default) for least in {1, max(1, longest // 2), longest}]
        utilities.append(utility(torch.stack(gains) * known, RISK_AVERSIONS.default, torch.sqrt).mean((0, 1)))
        tracked = _gains(net, paths, longest, RISK_AVERSIONS.tracking) * known
        errors.append(tracked[vwap_flags()].abs().mean(0))
    day = np.array([tape.open_time[first] // DAY_SECONDS for tape, first in begins], dtype=np.float64)
    return Judged(day, torch.cat(utilities).double().numpy(), torch.cat(errors).double().numpy())


def _gains(net: Lem, paths: Paths, min_steps: int, risk_aversion: float) -> Tensor:
    """[S, B] in units of volatility and of the horizon's scale."""
    with torch.no_grad():
        return roll(net.decision, paths, small_orders(paths, min_steps, risk_aversion)).hard_gain


def _begins(tapes: Sequence[Tape], orders_max: int, longest: int) -> list[tuple[Tape, int]]:
    """The bars at which single orders start: side by side, or further apart, so that all times of day come in turn."""
    room = sum(max(0, tape.hi - tape.lo - longest) for tape in tapes)
    every = max(longest, -(-room // orders_max))
    return [
        (tape, first)
        for tape in tapes
        for first in range(tape.lo, tape.hi - longest - 1, over_the_day(every, bars_per_day(tape.open_time)))
    ]


def _batches(net: Lem, begins: Sequence[tuple[Tape, int]], longest: int) -> Iterator[Paths]:
    count = max(1, BARS_PER_BATCH // longest)
    for begin in range(0, len(begins), count):
        stretches = stretches_at(begins[begin : begin + count], net.config, contexts=longest, starts=1)
        with torch.no_grad():
            features = net.context.features(stretches.windows)
            yield paths_of(stretches, features, net.context.read(features), 1)


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
