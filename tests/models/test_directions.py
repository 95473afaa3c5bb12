"""The outlook takes no side by itself: what it says of rising prices it says of falling ones, turned over."""

from __future__ import annotations

import numpy as np
import torch

from app.engine.market import COLUMNS
from models.features import BarFeatures
from models.golden import random_bars
from tests.models.tiny import TINY, a_net


def column(name: str) -> int:
    return COLUMNS.index(name)


def a_window() -> torch.Tensor:
    return torch.from_numpy(random_bars(TINY, np.random.default_rng(3), TINY.lookback))


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
    assert torch.allclose(features.directions, -turned.directions, atol=0.03)


def test_the_outlook_turns_over_with_the_prices() -> None:
    net = a_net().context
    with torch.no_grad():
        outlook, turned = (net.read(net.features(window)).outlook for window in (a_window(), turned_over(a_window())))

    assert outlook.abs().max() > 0.05
    assert torch.allclose(outlook, -turned, atol=0.03)
