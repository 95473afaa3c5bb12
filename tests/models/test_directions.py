"""The outlook takes no side by itself: what it says of rising prices it says of falling ones, turned over. A crash is
the exception, and where moves come without volume nothing is foreseen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.engine.market import COLUMNS
from models.config import LemConfig
from models.directions import CRASH_FROM, CRASH_SPANS
from models.features import BarFeatures
from models.golden import random_bars
from tests.models.tiny import TINY, a_net


def column(name: str) -> int:
    return COLUMNS.index(name)


FULL = LemConfig()


def a_window(config: LemConfig = TINY) -> torch.Tensor:
    return torch.from_numpy(random_bars(config, np.random.default_rng(3), config.lookback))


def turned_over(window: torch.Tensor) -> torch.Tensor:
    """The same market with every price p in the place of 1 / p."""
    turned = window.clone()
    unit = float(window[0, -1, column("close")]) ** 2
    for name, other in (("open", "open"), ("close", "close"), ("high", "low"), ("low", "high")):
        turned[..., column(name)] = unit / window[..., column(other)]
    volume, notional = window[..., column("volume")], window[..., column("notional")]
    turned[..., column("notional")] = torch.where(volume > 0.0, volume**2 * unit / notional, 0.0)
    return turned


def test_every_direction_changes_its_sign_where_prices_are_turned_over() -> None:
    features, turned = BarFeatures(TINY)(a_window()), BarFeatures(TINY)(turned_over(a_window()))

    assert features.directions.abs().max() > 0.5
    odd = slice(0, -len(CRASH_SPANS))
    assert torch.allclose(features.directions[:, odd], -turned.directions[:, odd], atol=0.03)


@pytest.mark.parametrize(("move", "counts"), [(-0.01, False), (-0.15, True), (0.15, False)])
def test_only_a_crash_counts_as_one(move: float, counts: bool) -> None:
    window = a_window(FULL)
    columns = [column(name) for name in ("open", "high", "low", "close", "notional")]
    window[:, -1:, columns] = window[:, -2:-1, columns]
    window[:, -1, columns] *= np.exp(move)
    features = BarFeatures(FULL)(window)

    assert bool(features.directions[0, -len(CRASH_SPANS)] > 0.0) == counts
    assert (move / features.volatility[0] < -CRASH_FROM) == counts


def test_where_volume_does_not_go_with_the_moves_nothing_is_foreseen() -> None:
    window = a_window(FULL)
    still = window.clone()
    still[..., column("volume")], still[..., column("notional")] = 1.0, window[..., column("close")]
    net = a_net(FULL, noise=0.05).context
    with torch.no_grad():
        of_market, of_walk = (net.read(net.features(bars)).outlook for bars in (window, still))

    assert of_market.abs().max() > 0.05
    assert not of_walk.any()


def test_the_outlook_turns_over_with_the_prices() -> None:
    net = a_net().context
    with torch.no_grad():
        outlook, turned = (net.read(net.features(window)).outlook for window in (a_window(), turned_over(a_window())))

    assert outlook.abs().max() > 0.05
    assert torch.allclose(outlook, -turned, atol=0.03)
