"""What is fitted rather than taught: straight lines and the bend of volume before the first step, and the tilts of
volume once the forecasts are taught."""

from __future__ import annotations

from functools import partial

from models.fits.gathered import Gathered
from models.fits.hooks import alone
from models.fits.keeping import NOTHING_KEPT, Kept
from models.fits.straight_lines import calibrate, start_from
from models.fits.tilts import fit_tilts
from models.network.lem import Lem
from models.training.draws import Draws
from models.training.progress import OnProgress, silent

CALIBRATION_BATCHES = 300
LINES, BEND, TILTS = "straight lines", "bend of volume", "tilts of volume"
"""What the fits are called where a training reports how far it is."""


def fit_forecasts(net: Lem, draws: Draws, on_progress: OnProgress = silent, kept: Kept = NOTHING_KEPT) -> None:
    """Fit the heads of the context, in place. The processes share the batches where each has one at least."""
    processes, batches = draws.processes, fitted_batches(draws)
    shared = processes.count > 1 and batches >= processes.count
    mine = range(processes.index, batches, processes.count) if shared else range(batches)
    add_others = processes.add_others if shared else alone
    gathered = Gathered(net.context, kept)
    gathered.go_on()
    for done, number in enumerate(mine[gathered.batches :], start=gathered.batches + 1):
        gathered.add(draws.for_lines(number))
        on_progress(LINES, min(done * (processes.count if shared else 1), batches), batches)
    gathered.keep()
    start_from(gathered, add_others, partial(on_progress, BEND))
    if batches:
        calibrate(net.context, map(draws.for_lines, mine[:CALIBRATION_BATCHES]), add_others)


def fit_hedges(net: Lem, draws: Draws, on_progress: OnProgress = silent, kept: Kept = NOTHING_KEPT) -> None:
    """Fit the tilts of volume, in place. The processes share every step."""
    steps = tilt_steps(draws)
    if steps:
        fit_tilts(net, draws.for_tilts, steps, draws.processes.add_others, partial(on_progress, TILTS), kept)


def fitted_batches(draws: Draws) -> int:
    """How many batches the straight lines are fitted to."""
    return draws.settings.warm_batches if draws.config.context_width else 0


def tilt_steps(draws: Draws) -> int:
    return min(draws.settings.tilt_steps, fitted_batches(draws))
