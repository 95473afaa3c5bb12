"""What is fitted before the first step of the optimiser: straight lines, the bend of volume, the tilts of volume."""

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


def warm_up(net: Lem, draws: Draws, on_progress: OnProgress = silent) -> None:
    """Fit the heads of the context, in place. The processes share the batches where each has one at least, and share
    every step of the tilts."""
    processes = draws.processes
    batches = draws.settings.warm_batches if draws.config.context_width else 0
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
        steps = min(TILT_STEPS, batches)
        fit_tilts(net, draws.for_tilts, steps, processes.add_others, partial(on_progress, "tilts of volume"))
