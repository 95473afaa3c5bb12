"""The training loop: seeded, resumable from its checkpoint at any step with the same result as without a break.

Several processes give the same training in kind, not to the digit.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from app.domain.errors import InvalidInput
from models.network.lem import Lem
from models.objective.objective import Loss
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings
from models.training.checkpoint import load_weights, read_checkpoint, require_same_training, write_checkpoint
from models.training.choice import Choice
from models.training.draws import Draws
from models.training.optimiser import make_optimizer, set_rate
from models.training.processes import Processes
from models.training.progress import OnProgress, silent
from models.training.training_bars import TrainingBars
from models.training.warm_up import warm_up

GRADIENT_NORM_MAX = 1.0


class Trainer:
    """Owns the network and its optimiser. `step` counts the steps taken; `choice` holds what would be released."""

    def __init__(self, config: LemConfig, settings: TrainSettings, bars: TrainingBars, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.config, self.settings, self.bars = config, settings, bars
        self.processes, on = Processes.present(), torch.device(device)
        self.draws = Draws(config=config, settings=settings, bars=bars, processes=self.processes, device=on)
        self.net = Lem(config).to(on)
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay))
        self.optimizer = make_optimizer(self.net, settings)
        self.choice = Choice(self.net)
        self.bars_digest = bars.digest
        self.step, self.warm = 0, False

    def run(self, checkpoint: Path | None, on_progress: OnProgress = silent) -> None:
        """Train to the last step or until validation stops getting better, and write `checkpoint` now and then.
        `on_progress` is called for every step of the warm-up and of the training."""
        settings = self.settings
        if not self.warm:
            self.warm_up(on_progress)
            self._checkpoint(checkpoint)
        while self.step < settings.steps and self.choice.validations_since < settings.patience:
            loss = self.advance()
            last = self.step == settings.steps
            if self.step % settings.validate_every == 0 or last:
                self.validate()
            on_progress("training", self.step, settings.steps, loss)
            if self.step % settings.checkpoint_every == 0 or last:
                self._checkpoint(checkpoint)
        self._checkpoint(checkpoint)

    def advance(self) -> Loss:
        """One step of the optimiser."""
        if not self.warm:
            self.warm_up()
        set_rate(self.optimizer, self.settings.rate(self.step))
        seed = [self.settings.seed, self.step, self.processes.index]
        loss = self.draws.loss(self.net, self.draws.for_step(self.step), seed)
        self.optimizer.zero_grad()
        loss.total.backward()
        self.processes.average_gradients(self.net)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), GRADIENT_NORM_MAX)
        if torch.isfinite(norm):  # one broken batch must not end a long training
            self.optimizer.step()
            self.average.update_parameters(self.net)
        self.step += 1
        return loss

    def warm_up(self, on_progress: OnProgress = silent) -> None:
        warm_up(self.net, self.draws, on_progress)
        self.warm = True

    def validate(self) -> float:
        """The mean utility of the averaged weights on the validation bars; the best so far are kept."""
        return self.choice.validate(self.averaged, self.draws)

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
        net.load_state_dict(self.choice.best)
        return net

    def _checkpoint(self, checkpoint: Path | None) -> None:
        if checkpoint and self.processes.first:
            self.save(checkpoint)

    def save(self, path: Path) -> None:
        """Atomically: a kill in the middle leaves the checkpoint before."""
        write_checkpoint(
            path,
            {
                "config": asdict(self.config),
                "settings": asdict(self.settings),
                "bars": self.bars_digest,
                "step": self.step,
                "warm": self.warm,
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "best": self.choice.best,
                "best_utility": self.choice.best_utility,
                "validations_since": self.choice.validations_since,
            },
        )

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises InvalidInput where it was made with another configuration or version, or with
        other bars."""
        saved = read_checkpoint(path)
        require_same_training(path, saved, self.config, self.settings, self.bars_digest)
        load_weights(self.net, saved["net"])
        self.average.load_state_dict(saved["average"])
        try:
            self.optimizer.load_state_dict(saved["optimizer"])
        except ValueError as error:
            raise InvalidInput("other_network", f"{path} is of another version's training: {error}") from error
        self.step, self.warm, self.choice.best = saved["step"], saved["warm"], saved["best"]
        self.choice.best_utility, self.choice.validations_since = saved["best_utility"], saved["validations_since"]
