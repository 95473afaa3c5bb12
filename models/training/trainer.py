"""The training: seeded, resumable from its checkpoint with the same result as without a break.

Its stages: the forecasts are fitted, then taught; the hedge's tilts are fitted; then orders teach the decisions, while
the forecasts stay as they are. Several processes give the same training in kind, not to the digit.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from app.domain.errors import InvalidInput
from models.fits.keeping import NOTHING_KEPT, Kept
from models.network.lem import Lem
from models.objective.objective import Loss, Seen, forecast_loss
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings
from models.training.checkpoint import load_weights, read_checkpoint, require_same_training, write_checkpoint
from models.training.choice import Choice, ValidationOrders, worth_of_forecasts
from models.training.draws import Draws
from models.training.kept_fits import KeptFits
from models.training.optimiser import Named, make_optimizer, set_rate, taught_by_forecasts, taught_by_orders
from models.training.processes import Processes
from models.training.progress import OnProgress, silent
from models.training.training_bars import TrainingBars
from models.training.warm_up import fit_forecasts, fit_hedges

GRADIENT_NORM_MAX = 1.0
FITTING, FORECASTS, HEDGES, ORDERS = "fitting", "forecasts", "hedges", "orders"
STAGES = (FITTING, FORECASTS, HEDGES, ORDERS)
FITS = (FITTING, HEDGES)


class Trainer:
    """Owns the network and its optimiser. `step` counts the steps taken in the `stage`; `choice` holds the best weights
    of the stage: in the last one, what would be released."""

    def __init__(self, config: LemConfig, settings: TrainSettings, bars: TrainingBars, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.config, self.settings, self.bars = config, settings, bars
        self.processes, on = Processes.present(), torch.device(device)
        self.draws = Draws(config=config, settings=settings, bars=bars, processes=self.processes, device=on)
        self.net = Lem(config).to(on)
        self.bars_digest = bars.digest
        self.orders: ValidationOrders | None = None
        self.choice: Choice
        self._enter(FITTING)

    def run(self, checkpoint: Path | None, on_progress: OnProgress = silent) -> None:
        """Train to the last step or until validation stops getting better, and write `checkpoint` after each fit and
        now and then; what a fit under way has reached is kept beside it. `on_progress` is called for every step."""
        kept = self._kept_beside(checkpoint) if checkpoint else None
        while not self._finished():
            self.advance(on_progress, kept or NOTHING_KEPT)
            if self.step % self.settings.checkpoint_every == 0 or self._finished():
                self._checkpoint(checkpoint)
            if kept and self.stage not in FITS and not self.step:
                kept.forget()
        self._checkpoint(checkpoint)

    def _kept_beside(self, checkpoint: Path) -> KeptFits:
        training = [asdict(self.config), asdict(self.settings), self.bars_digest]
        return KeptFits(checkpoint.parent, training, self.processes)

    def advance(self, on_progress: OnProgress = silent, kept: Kept = NOTHING_KEPT) -> Loss | None:
        """One fit, or one step of the optimiser, whose loss is returned."""
        if self.stage in FITS:
            fit = fit_forecasts if self.stage == FITTING else fit_hedges
            fit(self.net, self.draws, on_progress, kept)
            self._enter(STAGES[STAGES.index(self.stage) + 1])
            return None
        if self.stage == FORECASTS and not self.steps:
            self._enter(HEDGES)
            return None
        loss = self._teach()
        on_progress(self.stage, self.step, self.steps, loss)
        if self.step % self.settings.validate_every == 0 or self.step == self.steps:
            self.validate()
        if self.stage == FORECASTS and self.step == self.steps:
            load_weights(self.net, self.choice.best)
            self._enter(HEDGES)
        return loss

    @property
    def steps(self) -> int:
        """How many steps the stage has, where it teaches."""
        forecasts = self.settings.forecast_steps if self.config.context_width else 0
        return {FORECASTS: forecasts, ORDERS: self.settings.steps}.get(self.stage, 0)

    def validate(self) -> float:
        """What the averaged weights are worth on the validation bars; the best so far are kept."""
        if self.stage == FORECASTS:
            worth = worth_of_forecasts(self.averaged, self.draws)
        else:
            self.orders = self.orders or ValidationOrders(self.net, self.draws)
            worth = self.orders.worth(self.averaged)
        self.choice.offer(self.averaged, worth)
        return worth

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

    def _enter(self, stage: str) -> None:
        self.stage, self.step = stage, 0
        self.orders = None
        self.optimizer = make_optimizer(self._taught(), self.settings)
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(self.settings.average_decay))
        self.choice = Choice(self.net)
        if self.steps:  # what no step makes better stays as it is
            self.validate()

    def _taught(self) -> list[Named]:
        """A network without a context has no forecasts to teach."""
        forecasts = self.stage == FORECASTS and self.steps > 0
        return taught_by_forecasts(self.net) if forecasts else taught_by_orders(self.net)

    def _finished(self) -> bool:
        ended = self.step >= self.steps or self.choice.validations_since >= self.settings.patience
        return self.stage == ORDERS and ended

    def _teach(self) -> Loss:
        set_rate(self.optimizer, self.settings.rate(self.step, self.steps))
        if self.stage == FORECASTS:
            loss = forecast_loss(self.net, self.draws.for_forecasts(self.step))
        else:
            seed = [self.settings.seed, self.step, self.processes.index]
            loss = self.draws.loss(self.net, Seen.by(self.net, self.draws.for_step(self.step)), seed)
        if loss.total.requires_grad:  # orders of one step teach nothing: they have nothing to decide
            self._learn(loss)
        self.step += 1
        return loss

    def _learn(self, loss: Loss) -> None:
        self.optimizer.zero_grad()
        loss.total.backward()
        weights = [one for group in self.optimizer.param_groups for one in group["params"]]
        self.processes.average_gradients(weights)
        norm = torch.nn.utils.clip_grad_norm_(weights, GRADIENT_NORM_MAX)
        if torch.isfinite(norm):  # one broken batch must not end a long training
            self.optimizer.step()
            self.average.update_parameters(self.net)

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
                "stage": self.stage,
                "step": self.step,
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                **self.choice.state(),
            },
        )

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint. Raises InvalidInput where it was made with another configuration or version, or with
        other bars."""
        saved = read_checkpoint(path)
        require_same_training(path, saved, self.config, self.settings, self.bars_digest)
        load_weights(self.net, saved["net"])
        self.stage, self.step = saved["stage"], saved["step"]
        self.optimizer = make_optimizer(self._taught(), self.settings)
        self.average.load_state_dict(saved["average"])
        try:
            self.optimizer.load_state_dict(saved["optimizer"])
        except ValueError as error:
            raise InvalidInput("other_network", f"{path} is of another version's training: {error}") from error
        self.choice.restore(saved)
