"""The volume forecast knows what no straight line can say, and says no more where the window is no market's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.decision.market import COLUMNS
from models.fits.straight_lines import warm_start
from models.fits.volume_bend_fit import Windows, fit_bend
from models.network.lem import Lem
from models.objective.forecasts import deviance, volume_ratio
from models.objective.stretches import Stretches
from models.settings.sizes import LemConfig
from models.tapes.tapes import Tape, simulated_tapes
from tests.models.tiny import TINY_SIZES, a_net, drawn_from, halves, some_stretches

pytestmark = pytest.mark.trains

SIZES = LemConfig(**{**TINY_SIZES, "bend_width": 32})
BATCHES, STRETCHES, STARTS, TIMES = 20, 32, 4, 60
VOLUMES = [COLUMNS.index("volume"), COLUMNS.index("notional")]


def calling_for_volume(tape: Tape) -> Tape:
    """The same bars, which have the more volume the more they move, as markets' have, and five times as much after a
    middling move, but not after a small or a large one."""
    moves = np.abs(np.diff(np.log(tape.close), prepend=np.log(tape.close[0])))
    middling = (moves > 0.5 * moves.mean()) & (moves < 1.5 * moves.mean())
    raw = tape.raw.copy()
    raw[:, VOLUMES] *= np.exp(moves / moves.mean())[:, None].astype(np.float32)
    raw[1:, VOLUMES] *= np.where(middling[:-1], 5.0, 1.0)[:, None].astype(np.float32)
    return replace(tape, raw=raw)


def test_the_bend_foresees_what_the_lines_cannot() -> None:
    """Fitted on the first half of each tape, looked at on the second."""
    torch.manual_seed(0)
    net = Lem(SIZES).eval()
    tapes = [calling_for_volume(tape) for tape in simulated_tapes(SIZES, seed=5, walks=6)]
    rng = np.random.default_rng(0)
    early, late = halves(tapes)
    batches = [drawn_from(early, STRETCHES, STARTS, rng, SIZES) for _ in range(BATCHES)]
    coming = drawn_from(late, 200, STARTS, rng, SIZES)
    warm_start(net.context, batches)
    with torch.no_grad():
        straight = next_error(net, coming)
        seen = [windows_of(net, stretches) for stretches in batches]

    fit_bend(net.context, TIMES * seen, lambda _sum: None)

    assert next_error(net, coming) < 0.9 * straight
    kept = [weights for name, weights in net.named_parameters() if name.startswith("context.bend.")]
    assert kept
    assert not any(weights.requires_grad for weights in kept)


def next_error(net: Lem, stretches: Stretches) -> float:
    """The deviance of the next bar's volume."""
    with torch.no_grad():
        features = net.context.features(stretches.windows)
        return deviance(volume_ratio(stretches, features, net.context.read(features))[:, 0]).item()


def windows_of(net: Lem, stretches: Stretches) -> Windows:
    features = net.context.features(stretches.windows)
    return Windows.of(net.context, stretches, features, features.volatility > 0.0)


def test_where_the_window_is_no_markets_the_lines_speak_alone() -> None:
    net = a_net()
    with torch.no_grad():
        features = net.context.features(some_stretches().windows)
        walk = replace(features, trust=torch.zeros_like(features.trust))
        market = replace(features, trust=torch.ones_like(features.trust))
        on_walk, on_market = net.context.read(walk).volume, net.context.read(market).volume
        net.context.bend = None
        straight = net.context.read(walk).volume

    assert torch.equal(on_walk, straight)
    assert not torch.allclose(on_market, straight, rtol=0.01)
