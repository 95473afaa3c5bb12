"""All that a training draws at random. Every draw follows from the seed, the step and the process, so no random state
is kept from a stop to a resumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.network.lem import Lem
from models.objective.objective import Loss, loss_of
from models.objective.stretches import Stretches, draw_stretches
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes, Tape
from models.training.processes import Processes
from models.training.training_bars import TrainingBars

SHORT_HORIZON = 12
LINES_SEED, TILTS_SEED = 8_888_888, 9_999_998


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Stretches of bars, and random orders on them. Where processes share a step, all of them choose the same market,
    and each its own bars of it."""

    config: LemConfig
    settings: TrainSettings
    bars: TrainingBars
    processes: Processes
    device: torch.device

    def for_step(self, step: int) -> Stretches:
        """This process' share of one step of the optimiser."""
        settings = self.settings
        common = np.random.default_rng([settings.seed, step])
        horizon = self.config.max_steps if common.random() < settings.long_share else SHORT_HORIZON
        tapes: Sequence[Tape] = self.bars.walks.tapes
        if self.bars.train and common.random() >= settings.simulated_share:
            tapes = self._market(common).both_ways
        rng = np.random.default_rng([settings.seed, step, self.processes.index])
        return self._stretches(tapes, self.processes.share_of(settings.stretches), rng, horizon)

    def for_lines(self, number: int) -> Stretches:
        """A batch that straight lines are fitted to: few windows of many stretches, as neighbours say the same; of no
        mirror images, since a crash has none."""
        settings = self.settings
        rng = np.random.default_rng([LINES_SEED, settings.seed, number])
        tapes = self._market(rng).tapes
        drawn = draw_stretches(tapes, self.config, settings.stretches, settings.starts, rng, horizon=1)
        return drawn.to(self.device)

    def for_tilts(self, number: int) -> Stretches:
        """This process' share of a batch that the tilts of volume are fitted to."""
        seed = [TILTS_SEED, self.settings.seed, number]
        tapes = self._market(np.random.default_rng(seed)).both_ways
        rng = np.random.default_rng([*seed, self.processes.index])
        return self._stretches(tapes, self.processes.share_of(self.settings.stretches), rng, SHORT_HORIZON)

    def for_validation(self, market: MarketTapes, seed: list[int]) -> Stretches:
        rng = np.random.default_rng(seed)
        return self._stretches(market.both_ways, self.settings.stretches, rng, SHORT_HORIZON)

    def loss(self, net: Lem, stretches: Stretches, seed: list[int]) -> Loss:
        """Of random orders on the stretches."""
        state = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(state >> 1))
        repeats = self.settings.repeat, self.settings.repeat_capped
        return loss_of(net, stretches, generator, self.settings.costs, repeats)

    def _market(self, rng: np.random.Generator) -> MarketTapes:
        """One market by weight; the walks where there is no other."""
        markets = self.bars.train or [self.bars.walks]
        weights = np.array([market.weight for market in markets])
        return markets[rng.choice(len(markets), p=weights / weights.sum())]

    def _stretches(self, tapes: Sequence[Tape], count: int, rng: np.random.Generator, horizon: int) -> Stretches:
        horizon = min(horizon, self.config.max_steps)
        return draw_stretches(tapes, self.config, count, self.settings.starts, rng, horizon).to(self.device)
