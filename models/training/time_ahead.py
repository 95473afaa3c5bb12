"""How long a training will take, told before its first step: a step of each kind is tried on this machine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from time import perf_counter

from models.fits.gathered import Gathered
from models.fits.tilts import fit_tilts
from models.fits.volume_bend_fit import BATCH, EPOCHS, fit_bend
from models.network.lem import Lem
from models.objective.objective import Seen, forecast_loss
from models.training.trainer import FITTING, FORECASTS, HEDGES, ORDERS, STAGES, Trainer
from models.training.warm_up import BEND, LINES, TILTS, fitted_batches, tilt_steps

TRIES = 3
MINUTE, HOUR = 60, 3_600


def time_ahead(trainer: Trainer) -> str | None:
    """A sentence on what is to come, or None where nothing is. Nothing of the trainer changes."""
    ahead = {name: seconds for name, seconds in _seconds(trainer).items() if seconds > 0.0}
    if not ahead:
        return None
    parts = ", ".join(f"{name} {_words(seconds)}" for name, seconds in ahead.items())
    return f"about {_words(sum(ahead.values()))} ahead: {parts}"


def _seconds(trainer: Trainer) -> dict[str, float]:
    """Of each part that is to come, in order."""
    net, draws, settings = copy.deepcopy(trainer.net), trainer.draws, trainer.settings
    to_come = STAGES[STAGES.index(trainer.stage) :]
    batches, processes = fitted_batches(draws), draws.processes.count
    forecasts = settings.forecast_steps if trainer.config.context_width else 0
    seconds: dict[str, float] = {}
    if FITTING in to_come and batches:
        gathered = Gathered(net.context)
        seconds[LINES] = batches / processes * _each(lambda number: gathered.add(draws.for_lines(number)))
        windows = batches / gathered.batches * sum(len(part.levels) for part in gathered.windows)
        seconds[BEND] = EPOCHS * windows / BATCH * _each(lambda _: fit_bend(net.context, gathered.windows[:1]))
    if FORECASTS in to_come and forecasts:
        steps = forecasts - (trainer.step if trainer.stage == FORECASTS else 0)
        seconds[FORECASTS] = steps * _each(lambda step: forecast_loss(net, draws.for_forecasts(step)).total.backward())
    if HEDGES in to_come and tilt_steps(draws):
        seconds[TILTS] = tilt_steps(draws) * _each(lambda number: fit_tilts(net, lambda _: draws.for_tilts(number), 1))
    steps = settings.steps - (trainer.step if trainer.stage == ORDERS else 0)
    if steps:
        seconds[ORDERS] = steps * _each(lambda step: _order_step(trainer, net, step))
    return seconds


def _order_step(trainer: Trainer, net: Lem, step: int) -> None:
    loss = trainer.draws.loss(net, Seen.by(net, trainer.draws.for_step(step)), [step]).total
    if loss.requires_grad:
        loss.backward()


def _each(act: Callable[[int], None]) -> float:
    """Seconds of one. The first is slower than the others, and does not count."""
    act(0)
    began = perf_counter()
    for number in range(1, TRIES + 1):
        act(number)
    return (perf_counter() - began) / TRIES


def _words(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    return f"{seconds / HOUR:.1f} h"
