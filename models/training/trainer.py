"""The training loop: seeded, resumable from its checkpoint at any step with the same result as without a break.

Everything that is drawn follows from the seed, the step and the process, so there is no random state to keep. Several
processes (torch.distributed) each draw their share of a step's stretches and average their gradients: the same training
in kind, not to the digit.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import distributed, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from app.domain.errors import InvalidInput
from models.fits.straight_lines import calibrate, warm_start
from models.fits.tilts import fit_tilts
from models.network.lem import Lem
from models.objective.objective import Loss, loss_of
from models.objective.stretches import Stretches, draw_stretches
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes, Tape
from models.training.checkpoint import load_weights, read_checkpoint, write_checkpoint

GRADIENT_NORM_MAX = 1.0
SHORT_HORIZON = 12
VALIDATION_SEED, WARM_SEED, HEDGE_SEED = 7_777_777, 8_888_888, 9_999_998
SLOW_RATES = {"context.volume.": 0.03, "context.volatility.": 0.03, "decision.own.": 0.3}
"""What learns at a share of the rate: the heads that start warm, lest the steps' noise undo it, and what a block of the
decision has beside the weights that all share, since it sees a small part of the orders."""
CALIBRATION_BATCHES, TILT_STEPS = 300, 400
VALIDATION_DRAWS = 6
"""Batches of stretches per market that a validation looks at; the same ones each time."""


class Told(Protocol):
    """Hears the stage, how many of its steps are done and of how many; of the training itself also the step's loss."""

    def __call__(self, stage: str, done: int, total: int, loss: Loss | None = None) -> None: ...


def unheard(stage: str, done: int, total: int, loss: Loss | None = None) -> None:
    """Who wants to hear nothing."""


@dataclass(frozen=True, slots=True)
class TrainingBars:
    """What there is to learn from, to measure on, and the walks on which nothing can be known."""

    train: Sequence[MarketTapes]
    validation: Sequence[MarketTapes]
    walks: MarketTapes

    @property
    def digest(self) -> str:
        """Tells whether two trainings have the same bars, split and weighed alike."""
        told = hashlib.sha256()
        for market in (*self.train, *self.validation, self.walks):
            told.update(f"{market.name} {market.weight}".encode())
            for tape in market.tapes:
                told.update(f"{tape.instrument} {tape.bar_seconds} {tape.lo} {tape.hi}".encode())
                told.update(tape.open_time.tobytes())
                told.update(tape.raw.tobytes())
        return told.hexdigest()


class Trainer:
    """Owns the network and its optimiser; `step` steps are behind it, `best` is what would be released."""

    def __init__(self, config: LemConfig, settings: TrainSettings, bars: TrainingBars, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.config, self.settings, self.bars, self.device = config, settings, bars, torch.device(device)
        self.net = Lem(config).to(self.device)
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay))
        self.optimizer = torch.optim.AdamW(
            self._groups(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.process = distributed.get_rank() if distributed.is_initialized() else 0
        self.processes = distributed.get_world_size() if distributed.is_initialized() else 1
        self.digest = bars.digest
        self.step, self.warm = 0, False
        self.best = copy.deepcopy(self.net.state_dict())
        self.best_utility, self.validations_since = -math.inf, 0

    def run(self, checkpoint: Path | None, told: Told = unheard) -> None:
        """Train to the last step or until validation stops getting better, writing `checkpoint` now and then; `told`
        hears of every step of what is fitted before, and then of every step."""
        settings = self.settings
        if not self.warm:
            self.warm_up(told)
            if checkpoint and self.process == 0:
                self.save(checkpoint)
        while self.step < settings.steps and self.validations_since < settings.patience:
            loss = self.advance()
            last = self.step == settings.steps
            if self.step % settings.validate_every == 0 or last:
                self.validate()
            told("training", self.step, settings.steps, loss)
            if checkpoint and self.process == 0 and (self.step % settings.checkpoint_every == 0 or last):
                self.save(checkpoint)
        if checkpoint and self.process == 0:
            self.save(checkpoint)

    def advance(self) -> Loss:
        """One step of the optimiser."""
        settings = self.settings
        if not self.warm:
            self.warm_up()
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate(self.step) * group["share"]
        loss = self._loss(self.net, self._draw(), [settings.seed, self.step, self.process])
        self.optimizer.zero_grad()
        loss.total.backward()
        self._share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), GRADIENT_NORM_MAX)
        if torch.isfinite(norm):  # one broken batch must not end a long training
            self.optimizer.step()
            self.average.update_parameters(self.net)
        self.step += 1
        return loss

    def validate(self) -> float:
        """Mean utility of the averaged weights over the validation markets, whose draws the processes share; the best
        so far is kept."""
        draws = [(place, draw) for place in range(len(self.bars.validation)) for draw in range(VALIDATION_DRAWS)]
        total = torch.zeros(1, dtype=torch.float64)
        for place, draw in draws[self.process :: self.processes]:
            total += self._validation_utility(self.bars.validation[place], [VALIDATION_SEED, place, draw])
        if self.processes > 1:
            distributed.all_reduce(total)
        utility = float(total) / len(draws)
        self.validations_since += 1
        if utility > self.best_utility:
            self.best_utility, self.validations_since = utility, 0
            self.best = copy.deepcopy(self.averaged.state_dict())
        return utility

    def _validation_utility(self, market: MarketTapes, seed: list[int]) -> float:
        rng = np.random.default_rng(seed)
        stretches = self._stretches(market.both_ways, self.settings.stretches, rng, SHORT_HORIZON)
        with torch.no_grad():
            return self._loss(self.averaged, stretches, seed).utility

    @property
    def averaged(self) -> Lem:
        """The running average of the weights as it stands now."""
        average = self.average.module
        assert isinstance(average, Lem)  # noqa: S101 - for the type checker: an average of ours is ours
        return average

    @property
    def released(self) -> Lem:
        """The network as it would be exported now."""
        net = Lem(self.config)
        net.load_state_dict(self.best)
        return net

    def _groups(self) -> list[dict[str, Any]]:
        """The weights, each group with its share of the learning rate."""
        groups: dict[float, list[nn.Parameter]] = {share: [] for share in (1.0, *SLOW_RATES.values())}
        for name, weights in self.net.named_parameters():
            if weights.requires_grad:
                share = next((rate for start, rate in SLOW_RATES.items() if name.startswith(start)), 1.0)
                groups[share].append(weights)
        return [{"params": weights, "share": share} for share, weights in groups.items() if weights]

    def warm_up(self, told: Told = unheard) -> None:
        """Fit what starts from straight lines; the processes share the batches."""
        batches = self.settings.warm_batches if self.config.context_width else 0
        shared = self.processes > 1 and batches >= self.processes
        mine = range(self.process, batches, self.processes) if shared else range(batches)

        def drawn() -> Iterator[Stretches]:
            for done, number in enumerate(mine, start=1):
                yield self._warm_stretches(number)
                told("straight lines", min(done * self.processes, batches), batches)

        add_others = distributed.all_reduce if shared else lambda _sum: None
        warm_start(self.net.context, drawn(), add_others, partial(told, "bend of volume"))
        if batches:
            calibrate(self.net.context, map(self._warm_stretches, mine[:CALIBRATION_BATCHES]), add_others)
            # Each of these is shared, however few there are.
            add_all = distributed.all_reduce if self.processes > 1 else lambda _sum: None
            steps = min(TILT_STEPS, batches)
            fit_tilts(self.net, self._hedge_stretches, steps, add_all, partial(told, "tilts of volume"))
        self.warm = True

    def _warm_stretches(self, number: int) -> Stretches:
        """Few windows of many stretches, as neighbours say the same; of no images, since a crash has none."""
        settings = self.settings
        rng = np.random.default_rng([WARM_SEED, settings.seed, number])
        tapes = self._market(rng).tapes
        drawn = draw_stretches(tapes, self.config, settings.stretches, settings.starts, rng, horizon=1)
        return drawn.to(self.device)

    def _hedge_stretches(self, number: int) -> Stretches:
        """All processes choose the same market, each its own bars of it."""
        seed = [HEDGE_SEED, self.settings.seed, number]
        tapes = self._market(np.random.default_rng(seed)).both_ways
        return self._stretches(tapes, self._share, np.random.default_rng([*seed, self.process]), SHORT_HORIZON)

    def _draw(self) -> Stretches:
        """This step's stretches: all processes choose the same market, each its own bars of it."""
        settings = self.settings
        common = np.random.default_rng([settings.seed, self.step])
        horizon = self.config.max_steps if common.random() < settings.long_share else SHORT_HORIZON
        tapes: Sequence[Tape] = self.bars.walks.tapes
        if self.bars.train and common.random() >= settings.simulated_share:
            tapes = self._market(common).both_ways
        rng = np.random.default_rng([settings.seed, self.step, self.process])
        return self._stretches(tapes, self._share, rng, horizon)

    def _market(self, rng: np.random.Generator) -> MarketTapes:
        """By weight; the walks where there is no other."""
        markets = self.bars.train or [self.bars.walks]
        weights = np.array([market.weight for market in markets])
        return markets[rng.choice(len(markets), p=weights / weights.sum())]

    @property
    def _share(self) -> int:
        """How many stretches of a step are this process'."""
        return max(1, self.settings.stretches // self.processes)

    def _stretches(self, tapes: Sequence[Tape], count: int, rng: np.random.Generator, horizon: int) -> Stretches:
        horizon = min(horizon, self.config.max_steps)
        return draw_stretches(tapes, self.config, count, self.settings.starts, rng, horizon).to(self.device)

    def _loss(self, net: Lem, stretches: Stretches, seed: list[int]) -> Loss:
        generator = torch.Generator().manual_seed(
            int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> 1)
        )
        repeats = self.settings.repeat, self.settings.repeat_capped
        return loss_of(net, stretches, generator, self.settings.costs, repeats)

    def _share_gradients(self) -> None:
        if self.processes == 1:
            return
        gradients = [weights.grad for weights in self.net.parameters() if weights.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.processes
        for gradient, part in zip(gradients, flat.split([one.numel() for one in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def save(self, path: Path) -> None:
        """Atomically: a kill in the middle leaves the checkpoint before."""
        write_checkpoint(
            path,
            {
                "config": asdict(self.config),
                "settings": asdict(self.settings),
                "bars": self.digest,
                "step": self.step,
                "warm": self.warm,
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "best": self.best,
                "best_utility": self.best_utility,
                "validations_since": self.validations_since,
            },
        )

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises InvalidInput where it was made with another configuration or version, or with
        other bars."""
        saved = read_checkpoint(path)
        for name, ours in (("config", asdict(self.config)), ("settings", asdict(self.settings))):
            if saved[name] != ours:
                differing = sorted(key for key in ours if saved[name].get(key) != ours[key])
                raise InvalidInput(
                    "other_training", f"{path} was made with another {name} ({', '.join(differing)}): use another --out"
                )
        if saved.get("bars") != self.digest:
            raise InvalidInput(
                "other_training",
                f"{path} was made with other bars or another split: use another --out",
            )
        load_weights(self.net, saved["net"])
        self.average.load_state_dict(saved["average"])
        try:
            self.optimizer.load_state_dict(saved["optimizer"])
        except ValueError as error:
            raise InvalidInput("other_network", f"{path} is of another version's training: {error}") from error
        self.step, self.warm, self.best = saved["step"], saved["warm"], saved["best"]
        self.best_utility, self.validations_since = saved["best_utility"], saved["validations_since"]
