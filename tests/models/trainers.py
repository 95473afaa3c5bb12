"""A training of the tiny network that takes a second."""

from __future__ import annotations

import torch

from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes
from models.training.trainer import Trainer
from models.training.training_bars import TrainingBars
from tests.models.tiny import TINY, some_tapes

QUICK = TrainSettings(
    steps=6,
    stretches=2,
    starts=3,
    repeat=1,
    repeat_capped=1,
    warmup=1,
    checkpoint_every=2,
    validate_every=3,
    warm_batches=2,
    forecast_steps=4,
)


def a_trainer(settings: TrainSettings = QUICK) -> Trainer:
    market = MarketTapes(name="walks", tapes=tuple(some_tapes()))
    return Trainer(TINY, settings, TrainingBars(train=[market], validation=[market], walks=market))


def weights_of(trainer: Trainer) -> torch.Tensor:
    return torch.cat([part.flatten() for part in trainer.net.state_dict().values()])
