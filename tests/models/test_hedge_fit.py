"""What a hedge makes of the volume forecasts is fitted to how closely it tracks, and to nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.decision.market import COLUMNS
from models.fits.straight_lines import warm_start
from models.fits.tilts import fit_tilts
from models.network.lem import Lem
from models.objective.stretches import Stretches
from models.tapes.tapes import Tape, simulated_tapes
from models.training.validation import judged
from tests.models.tiny import TINY, drawn_from, halves

pytestmark = pytest.mark.trains

STEPS, STRETCHES, STARTS = 60, 16, 4
VOLUMES = [COLUMNS.index("volume"), COLUMNS.index("notional")]


def busy_when_moving(tape: Tape) -> Tape:
    """The same bars, with the more volume the more their close moves: what was not foreseen of it weighs the most."""
    moves = np.abs(np.diff(np.log(tape.close), prepend=np.log(tape.close[0])))
    raw = tape.raw.copy()
    raw[:, VOLUMES] *= np.exp(2.0 * moves / moves.mean())[:, None].astype(np.float32)
    return replace(tape, raw=raw)


def test_fitted_tilts_track_vwap_closer_and_nothing_else_is_learned() -> None:
    """Fitted on the first half of each tape, looked at on the second; the start is to take each forecast as it is."""
    torch.manual_seed(0)
    net = Lem(TINY).eval()
    tapes = [busy_when_moving(tape) for tape in simulated_tapes(TINY, seed=5, walks=6)]
    early, late = halves(tapes)
    rng = np.random.default_rng(0)

    def drawn(_number: int) -> Stretches:
        return drawn_from(early, STRETCHES, STARTS, rng)

    warm_start(net.context, map(drawn, range(STEPS)))
    with torch.no_grad():
        net.context.forced_tilts.bias.zero_()
    before = {name: weights.clone() for name, weights in net.named_parameters()}
    untilted = judged(net, late, TINY.max_steps).tracking

    fit_tilts(net, drawn, STEPS)

    tilted = judged(net, late, TINY.max_steps).tracking
    assert tilted.mean() < 0.98 * untilted.mean()
    changed = {name for name, weights in net.named_parameters() if not torch.equal(weights, before[name])}
    assert changed == {"context.forced_tilts.weight", "context.forced_tilts.bias"}
    assert not any(weights.requires_grad for weights in net.context.forced_tilts.parameters())
