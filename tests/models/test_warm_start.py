"""What a straight line can foresee is known before the first step of training, and no more than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.decision.market import COLUMNS
from models.fits.straight_lines import calibrate, warm_start
from models.network.context import ContextReading
from models.network.features import Features
from models.network.lem import Lem
from models.objective.forecasts import forecast_losses, outlook_loss, volume_ratio
from models.objective.stretches import Stretches
from models.tapes.tapes import Tape, simulated_tapes
from tests.models.tiny import TINY, drawn_from, halves

pytestmark = pytest.mark.trains

BATCHES, STRETCHES, STARTS = 40, 16, 4
VOLUME, NOTIONAL = COLUMNS.index("volume"), COLUMNS.index("notional")


def turning_back(tape: Tape) -> Tape:
    """The same bars, of which every close gives back half of its move within the next bar, and with the more volume the
    more they move."""
    close = tape.close.copy()
    for place in range(1, len(close)):
        move = np.log(tape.close[place] / tape.close[place - 1])
        close[place] = close[place - 1] * np.exp(move - 0.5 * np.log(close[place - 1] / tape.price[place - 1]))
    raw = tape.raw.copy()
    raw[:, 3] = close
    raw[:, 1], raw[:, 2] = np.maximum(raw[:, 1], close), np.minimum(raw[:, 2], close)
    moves = np.abs(np.diff(np.log(close), prepend=np.log(close[0])))
    raw[:, [VOLUME, NOTIONAL]] *= np.exp(2.0 * moves / moves.mean())[:, None].astype(np.float32)
    return replace(tape, close=close, raw=raw)


def warmed(tapes: list[Tape]) -> tuple[Lem, Stretches, Features, ContextReading]:
    """A network fitted on the first half of each tape, and its reading of stretches in the second."""
    torch.manual_seed(0)
    net = Lem(TINY).eval()
    rng = np.random.default_rng(0)
    early, late = halves(tapes)
    warm_start(net.context, [drawn_from(early, STRETCHES, STARTS, rng) for _ in range(BATCHES)])
    stretches = drawn_from(late, 200, STARTS, rng)
    features = net.context.features(stretches.windows)
    with torch.no_grad():
        return net, stretches, features, net.context.read(features)


def test_prices_that_turn_back_are_foreseen() -> None:
    """The outlook's error over that of foreseeing nothing, on bars it was not fitted on."""
    _, stretches, features, reading = warmed([turning_back(tape) for tape in simulated_tapes(TINY, seed=5, walks=6)])

    assert outlook_loss(stretches, features, reading).item() < 0.97


def test_on_walks_next_to_nothing_is_foreseen() -> None:
    _, _, _, reading = warmed(simulated_tapes(TINY, seed=5, walks=6))

    assert reading.outlook.std() < 0.05


def test_the_volume_forecast_starts_better_than_the_profile_alone() -> None:
    net, stretches, features, reading = warmed(simulated_tapes(TINY, seed=5, walks=6))
    cold = Lem(TINY).eval()
    with torch.no_grad():
        profile = cold.context.read(features)

    warm_error, _ = forecast_losses(stretches, features, reading)
    cold_error, _ = forecast_losses(stretches, features, profile)

    assert warm_error < cold_error
    assert torch.isfinite(net.context.volume.weight).all()


def test_what_is_expected_comes_on_average_even_where_volumes_burst() -> None:
    """One bar in ten has ten times the volume: half a variance above the mean of the logs is not enough."""

    def bursting(tape: Tape) -> Tape:
        raw = tape.raw.copy()
        bursts = np.random.default_rng(1).random(len(raw)) < 0.1
        raw[:, [VOLUME, NOTIONAL]] *= np.where(bursts, 10.0, 1.0)[:, None].astype(np.float32)
        return replace(tape, raw=raw)

    tapes = [bursting(tape) for tape in simulated_tapes(TINY, seed=5, walks=6)]
    net, stretches, features, reading = warmed(tapes)
    before = volume_ratio(stretches, features, reading).mean(0)

    calibrate(net.context, [drawn_from(tapes, 200, STARTS, np.random.default_rng(2)) for _ in range(BATCHES)])

    with torch.no_grad():
        after = volume_ratio(stretches, features, net.context.read(features)).mean(0)
    assert ((after - 1.0).abs() < (before - 1.0).abs()).all()
    assert (after - 1.0).abs().max() < 0.1


def test_without_windows_the_heads_stay_as_they_were() -> None:
    net = Lem(TINY)

    warm_start(net.context, [])

    assert not net.context.outlook.weight.any()
    assert not net.context.volume.weight.any()
