"""A LEM small enough to train in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from app.bars.walks import Walk, simulate_bars, write_bars
from models.network.lem import Lem
from models.objective.stretches import Stretches, draw_stretches
from models.settings.sizes import LemConfig
from models.settings.train_plan import TrainPlan, make_plan
from models.tapes.tapes import Tape, simulated_tapes

TINY_SIZES = {
    "lookback": 40,
    "recurrence": 8,
    "history_min": 16,
    "max_steps": 4,
    "variable_width": 4,
    "hidden": 8,
    "kan_width": 4,
    "kan_knots": 5,
    "heads": 2,
    "context_width": 6,
    "bend_width": 8,
    "decision_hidden": 8,
}
TINY = LemConfig(**TINY_SIZES)
TINY_BUNDLE, TINY_WEIGHTS = (Path(__file__).parent / name for name in ("tiny-1", "tiny-1.pt"))
"""A trained one and its weights, as tests/models/make_tiny.py writes them. Not to be written to by tests."""


def a_net(config: LemConfig = TINY, *, seed: int = 0, noise: float = 0.3) -> Lem:
    """Weights far from the start's zeros, so that every part of the network has a say."""
    torch.manual_seed(seed)
    net = Lem(config)
    with torch.no_grad():
        for weights in net.parameters():
            weights.add_(noise * torch.randn_like(weights))
    return net.eval()


def some_tapes(walks: int = 3) -> list[Tape]:
    return simulated_tapes(TINY, seed=5, walks=walks)


def some_stretches(count: int = 3, starts: int = 4, config: LemConfig = TINY) -> Stretches:
    """For orders over the longest horizon, with what came after every window."""
    return drawn_from(some_tapes(), count, starts, np.random.default_rng(0), config)


def drawn_from(
    tapes: Sequence[Tape], count: int, starts: int, rng: np.random.Generator, config: LemConfig = TINY
) -> Stretches:
    longest = config.max_steps
    return draw_stretches(tapes, config, count, starts, rng, horizon=longest, ahead=longest)


def halves(tapes: list[Tape]) -> tuple[list[Tape], list[Tape]]:
    """The first half of each, to fit on, and the second, to look at."""
    middle = len(tapes[0].close) // 2
    return [replace(tape, hi=middle) for tape in tapes], [replace(tape, lo=middle) for tape in tapes]


QUICK_RUN = {
    "steps": 2,
    "stretches": 2,
    "starts": 2,
    "repeat": 1,
    "repeat_capped": 1,
    "validate_every": 2,
    "warm_batches": 2,
    "forecast_steps": 2,
}


def a_plan(folder: Path) -> TrainPlan:
    """Two files of hourly walks from 2024-01-01, split in the middle."""
    first_open = 1_704_067_200
    for number in range(2):
        bars = simulate_bars(np.random.default_rng(number), Walk(bar_seconds=3600), 1, 400)
        write_bars(folder / f"WALK{number}-1h.parquet", bars, 0, 3600, first_open=first_open)
    market = {"path": folder, "train_end": "2024-01-10", "validation_end": "2024-01-17"}
    return make_plan({"markets": {"walks_1h": market}, "training": QUICK_RUN, "model": TINY_SIZES}, "test")
