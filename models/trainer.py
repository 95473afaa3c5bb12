"""The training loop: seeded, resumable from its checkpoint at any step, with the same result as without a break."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from app.domain.errors import InvalidInput
from models.config import LemConfig
from models.lem import Lem
from models.objective import Loss, loss_of
from models.samples import draw_stretches
from models.tapes import Tape

GRADIENT_NORM_MAX = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """`stretches` of `starts` order starts make one step; a share of them is simulated. The learning rate rises over
    `warmup` steps and falls to zero along a cosine. What is released is the weights' running average."""

    steps: int = 6_000
    seed: int = 0
    stretches: int = 24
    starts: int = 13
    repeat: int = 3
    repeat_capped: int = 1
    simulated_share: float = 0.3
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    warmup: int = 100
    average_decay: float = 0.995
    checkpoint_every: int = 100

    def rate(self, step: int) -> float:
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        return self.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))


class Trainer:
    """Owns the network, its optimiser and the random streams; `step` steps are behind it."""

    def __init__(
        self, config: LemConfig, settings: TrainSettings, real: Sequence[Tape], simulated: Sequence[Tape]
    ) -> None:
        if not real and not simulated:
            raise InvalidInput("no_bars", "there is nothing to train on: neither bar files nor simulated walks")
        torch.manual_seed(settings.seed)
        self.config, self.settings, self.real, self.simulated = config, settings, real, simulated
        self.net = Lem(config)
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay))
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.rng = np.random.default_rng(settings.seed)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.step = 0

    @property
    def released(self) -> Lem:
        """The averaged network."""
        net = self.average.module
        assert isinstance(net, Lem)  # noqa: S101 - for the type checker: it is a copy of ours
        return net

    def run(self, checkpoint: Path | None, told: Callable[[int, Loss], None] = lambda _step, _loss: None) -> None:
        """Train to the last step, writing `checkpoint` now and then; `told` hears of every step."""
        while self.step < self.settings.steps:
            loss = self.advance()
            told(self.step, loss)
            if checkpoint and (self.step % self.settings.checkpoint_every == 0 or self.step == self.settings.steps):
                self.save(checkpoint)

    def advance(self) -> Loss:
        """One step of the optimiser."""
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate(self.step)
        share = settings.simulated_share if self.real and self.simulated else float(bool(self.simulated))
        tapes = self.simulated if self.rng.random() < share else self.real
        stretches = draw_stretches(tapes, self.config, settings.stretches, settings.starts, self.rng)
        loss = loss_of(
            self.net, stretches, self.generator, repeat=settings.repeat, repeat_capped=settings.repeat_capped
        )
        self.optimizer.zero_grad()
        loss.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), GRADIENT_NORM_MAX)
        if torch.isfinite(norm):  # one broken batch must not end a long training
            self.optimizer.step()
            self.average.update_parameters(self.net)
        self.step += 1
        return loss

    def save(self, path: Path) -> None:
        """Atomically: a kill in the middle leaves the checkpoint before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        torch.save(
            {
                "config": asdict(self.config),
                "settings": asdict(self.settings),
                "step": self.step,
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "rng": self.rng.bit_generator.state,
                "generator": self.generator.get_state(),
            },
            draft,
        )
        draft.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises InvalidInput where it was made with another configuration."""
        saved = read_checkpoint(path)
        for name, ours in (("config", asdict(self.config)), ("settings", asdict(self.settings))):
            if saved[name] != ours:
                differing = sorted(key for key in ours if saved[name].get(key) != ours[key])
                raise InvalidInput(
                    "other_training", f"{path} was made with another {name} ({', '.join(differing)}): use another --out"
                )
        self.net.load_state_dict(saved["net"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.rng.bit_generator.state = saved["rng"]
        self.generator.set_state(saved["generator"])
        self.step = saved["step"]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Raises InvalidInput where it is missing or no checkpoint."""
    try:
        saved: dict[str, Any] = torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise InvalidInput("no_checkpoint", f"{path} does not exist") from None
    except Exception as error:  # torch and pickle raise many kinds for a damaged file
        raise InvalidInput("bad_checkpoint", f"{path} cannot be read: {error}") from error
    return saved


def released_net(saved: dict[str, Any]) -> Lem:
    """The averaged network of a checkpoint."""
    net = Lem(LemConfig(**saved["config"]))
    prefix = "module."
    weights = {name.removeprefix(prefix): value for name, value in saved["average"].items() if name.startswith(prefix)}
    net.load_state_dict(weights)
    return net
