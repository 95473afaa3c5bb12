"""All that a training draws at random. Every draw follows from the seed, the step and the process, so no random state
is kept from a stop to a resumption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.network.lem import Lem
from models.objective.objective import Loss, Seen, order_loss
from models.objective.stretches import Stretches, draw_stretches
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes, Tape
from models.training.processes import Processes
from models.training.training_bars import TrainingBars

USUAL_HORIZON, USUAL_SHARE = 12, 0.7
"""Of the horizons that are not long, so many are of this length; the others are shorter."""
STRETCHES_MIN = 4
LINES_SEED, TILTS_SEED, FORECASTS_SEED = 8_888_888, 9_999_998, 6_666_666


def bars_to_foresee(config: LemConfig, settings: TrainSettings) -> int:
    """How many bars in a row hold forecasts of all steps and what came after them."""
    return settings.starts + config.max_steps + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Stretches of bars, and random orders on them. Where processes share a step, all of them choose the same market
    and the same horizon, and each its own bars of it."""

    config: LemConfig
    settings: TrainSettings
    bars: TrainingBars
    processes: Processes
    device: torch.device

    def for_step(self, step: int) -> Stretches:
        """This process' share of one step of the optimiser."""
        settings = self.settings
        common = np.random.default_rng([settings.seed, step])
        horizon = self._horizon(common)
        tapes: Sequence[Tape] = self.bars.walks.tapes
        if self.bars.train and common.random() >= settings.simulated_share:
            tapes = self._market(common).both_ways
        rng = np.random.default_rng([settings.seed, step, self.processes.index])
        return self._orders(tapes, horizon, rng, share=True)

    def for_lines(self, number: int) -> Stretches:
        """A batch that straight lines are fitted to: few windows of many stretches, as neighbours say the same; of no
        mirror images, since a crash has none."""
        return self._windows(np.random.default_rng([LINES_SEED, self.settings.seed, number]))

    def for_forecasts(self, step: int) -> Stretches:
        """This process' share of a step that teaches forecasts."""
        return self._windows(np.random.default_rng([FORECASTS_SEED, self.settings.seed, step, self.processes.index]))

    def for_tilts(self, number: int) -> Stretches:
        """This process' share of a batch that the tilts of volume are fitted to."""
        seed = [TILTS_SEED, self.settings.seed, number]
        common = np.random.default_rng(seed)
        tapes = self._market(common).both_ways
        horizon = USUAL_HORIZON if common.random() >= self.settings.long_share else self._long_horizon(common)
        rng = np.random.default_rng([*seed, self.processes.index])
        return self._orders(tapes, horizon, rng, share=True)

    def for_validation(self, market: MarketTapes, seed: list[int], horizon: int) -> Stretches:
        return self._orders(market.both_ways, horizon, np.random.default_rng(seed), share=False)

    def forecasts_of(self, market: MarketTapes, seed: list[int]) -> Stretches:
        """Windows of one market, with what came after them."""
        return self._after(market.tapes, np.random.default_rng(seed))

    def loss(self, net: Lem, seen: Seen, seed: list[int]) -> Loss:
        """Of random orders on what was seen."""
        state = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(state >> 1))
        repeats = self.settings.repeat, self.settings.repeat_capped
        return order_loss(net, seen, generator, self.settings.costs, repeats)

    def _horizon(self, rng: np.random.Generator) -> int:
        if rng.random() < self.settings.long_share:
            return self._long_horizon(rng)
        shorter = 2 + int(rng.random() * (USUAL_HORIZON - 2))  # an order of one step has nothing to decide
        return min(self.config.max_steps, USUAL_HORIZON if rng.random() < USUAL_SHARE else shorter)

    def _long_horizon(self, rng: np.random.Generator) -> int:
        """Half of them are no longer than the middle of the usual and the longest along the logarithm."""
        times = max(1.0, self.config.max_steps / USUAL_HORIZON)
        return min(self.config.max_steps, round(USUAL_HORIZON * float(times ** rng.random())))

    def foreseeable(self, markets: Sequence[MarketTapes]) -> list[MarketTapes]:
        """Those with enough bars in a row to hold forecasts of all steps against what came."""
        needed = bars_to_foresee(self.config, self.settings)
        return [market for market in markets if market.longest >= needed]

    def _market(self, rng: np.random.Generator, *, foreseen: bool = False) -> MarketTapes:
        """One market by weight; the walks where there is no other."""
        markets = self.bars.train or [self.bars.walks]
        markets = self.foreseeable(markets) if foreseen else markets
        weights = np.array([market.weight for market in markets])
        return markets[rng.choice(len(markets), p=weights / weights.sum())]

    def _windows(self, rng: np.random.Generator) -> Stretches:
        return self._after(self._market(rng, foreseen=True).tapes, rng)

    def _after(self, tapes: Sequence[Tape], rng: np.random.Generator) -> Stretches:
        settings, ahead = self.settings, self.config.max_steps
        drawn = draw_stretches(tapes, self.config, settings.stretches, settings.starts, rng, ahead=ahead)
        return drawn.to(self.device)

    def _orders(self, tapes: Sequence[Tape], horizon: int, rng: np.random.Generator, *, share: bool) -> Stretches:
        """Longer orders take more bars each, so that fewer stretches of them are drawn; none are longer than the tapes
        permit."""
        longest = max(tape.hi - tape.lo for tape in tapes) - self.settings.starts - 1
        horizon = max(1, min(horizon, longest))
        count = self.settings.stretches * min(1.0, math.sqrt(USUAL_HORIZON / horizon))
        count = max(min(STRETCHES_MIN, self.settings.stretches), round(count))
        count = self.processes.share_of(count) if share else count
        drawn = draw_stretches(tapes, self.config, count, self.settings.starts, rng, horizon=horizon)
        return drawn.to(self.device)
