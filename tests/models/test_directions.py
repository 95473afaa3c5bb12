"""The outlook takes no side by itself: what it says of rising prices it says of falling ones, turned over. A crash is
the exception, and where moves come without volume nothing is foreseen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.bars.series import raw_rows
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.decision.market import COLUMNS
from models.network.directions import CRASH_FROM, CRASH_SPANS
from models.network.features import BarFeatures
from models.release.golden import random_bars
from models.settings.sizes import LemConfig
from models.tapes.mirror import mirrored
from tests.models.tiny import a_net


def column(name: str) -> int:
    return COLUMNS.index(name)


FULL = LemConfig(max_steps=12)
"""At the longest horizon the order side, which is not asked here, takes 10 s to make."""


def a_window() -> torch.Tensor:
    return torch.from_numpy(random_bars(FULL, np.random.default_rng(3), FULL.lookback))


def both_ways() -> tuple[torch.Tensor, torch.Tensor]:
    """A window of a market, and of its mirror image."""
    walk = Walk(volume_per_move=2.0, volume_deviation=0.2)
    series = simulated_series("WALK", simulate_bars(np.random.default_rng(3), walk, 1, FULL.lookback), 0, 900)
    shown, image = (torch.from_numpy(raw_rows(each))[None] for each in (series, mirrored(series)))
    return shown, image


def test_every_direction_changes_its_sign_where_prices_are_turned_over() -> None:
    features, turned = (BarFeatures(FULL)(window) for window in both_ways())

    assert features.directions.abs().max() > 0.5
    odd = slice(0, -len(CRASH_SPANS))
    assert torch.allclose(features.directions[:, odd], -turned.directions[:, odd], atol=0.03)


@pytest.mark.parametrize(("move", "counts"), [(-0.01, False), (-0.15, True), (0.15, False)])
def test_only_a_crash_counts_as_one(move: float, counts: bool) -> None:
    window = a_window()
    columns = [column(name) for name in ("open", "high", "low", "close", "notional")]
    window[:, -1:, columns] = window[:, -2:-1, columns]
    window[:, -1, columns] *= np.exp(move)
    features = BarFeatures(FULL)(window)

    assert bool(features.directions[0, -len(CRASH_SPANS)] > 0.0) == counts
    assert (move / features.volatility[0] < -CRASH_FROM) == counts


def test_where_volume_does_not_go_with_the_moves_nothing_is_foreseen() -> None:
    window = a_window()
    still = window.clone()
    still[..., column("volume")], still[..., column("notional")] = 1.0, window[..., column("close")]
    net = a_net(FULL, noise=0.05).context
    with torch.no_grad():
        of_market, of_walk = (net.read(net.features(bars)).outlook for bars in (window, still))

    assert of_market.abs().max() > 0.05
    assert not of_walk.any()


def test_the_outlook_turns_over_with_the_prices() -> None:
    net = a_net(FULL, noise=0.05).context
    with torch.no_grad():
        outlook, turned = (net.read(net.features(window)).outlook for window in both_ways())

    assert outlook.abs().max() > 0.05
    assert torch.allclose(outlook, -turned, atol=0.03)
