"""What is fitted rather than taught: straight lines and the bend of volume before the first step, and the tilts of
volume once the forecasts are taught."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from models.fits.hooks import alone
from models.fits.straight_lines import calibrate, warm_start
from models.fits.tilts import fit_tilts
from models.network.lem import Lem
from models.objective.stretches import Stretches
from models.training.draws import Draws
from models.training.progress import OnProgress, silent

CALIBRATION_BATCHES, TILT_STEPS = 300, 400


def fit_forecasts(net: Lem, draws: Draws, on_progress: OnProgress = silent) -> None:
    """Fit the heads of the context, in place. The processes share the batches where each has one at least."""
    processes, batches = draws.processes, _batches(draws)
    shared = processes.count > 1 and batches >= processes.count
    mine = range(processes.index, batches, processes.count) if shared else range(batches)

    def drawn() -> Iterator[Stretches]:
        for done, number in enumerate(mine, start=1):
            yield draws.for_lines(number)
            on_progress("straight lines", min(done * processes.count, batches), batches)

    add_others = processes.add_others if shared else alone
    warm_start(net.context, drawn(), add_others, partial(on_progress, "bend of volume"))
    if batches:
        calibrate(net.context, map(draws.for_lines, mine[:CALIBRATION_BATCHES]), add_others)


def fit_hedges(net: Lem, draws: Draws, on_progress: OnProgress = silent) -> None:
    """Fit the tilts of volume, in place. The processes share every step."""
    steps = min(TILT_STEPS, _batches(draws))
    if steps:
        fit_tilts(net, draws.for_tilts, steps, draws.processes.add_others, partial(on_progress, "tilts of volume"))


def _batches(draws: Draws) -> int:
    return draws.settings.warm_batches if draws.config.context_width else 0
