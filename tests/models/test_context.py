"""The context reads closed bars, without units, and survives what feeds really send."""

from __future__ import annotations

import numpy as np
import torch

from app.decision.market import COLUMNS
from models.network.context_layout import CONTEXT
from models.network.features import BarFeatures
from models.network.variables import VARIABLES
from models.release.golden import random_bars
from tests.models.tiny import TINY, a_net

PRICES = [COLUMNS.index(name) for name in ("open", "high", "low", "close", "notional")]
VOLUMES = [COLUMNS.index(name) for name in ("volume", "notional")]


def a_window(bars: int = TINY.lookback, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(random_bars(TINY, np.random.default_rng(seed), bars))


def test_the_unit_of_the_price_does_not_matter() -> None:
    window, dearer = a_window(), a_window()
    dearer[..., PRICES] *= 1024.0

    context, volume = a_net().context(window)
    other, other_volume = a_net().context(dearer)

    assert torch.allclose(context, other, atol=1e-4)
    assert torch.allclose(volume, other_volume, rtol=1e-4)


def test_the_unit_of_the_volume_scales_the_forecast_and_nothing_else() -> None:
    window, larger = a_window(), a_window()
    larger[..., VOLUMES] *= 64.0

    context, volume = a_net().context(window)
    other, other_volume = a_net().context(larger)

    volume_alone = torch.arange(context.shape[1]) == CONTEXT.log_volume
    assert torch.allclose(context[:, ~volume_alone], other[:, ~volume_alone], atol=1e-4)
    assert torch.allclose(64.0 * volume, other_volume, rtol=1e-4)


def test_windows_in_one_batch_do_not_touch_each_other() -> None:
    windows = torch.cat([a_window(seed=1), a_window(seed=2)])

    together = a_net().context(windows)[0]
    alone = a_net().context(windows[1:])[0]

    assert torch.allclose(together[1:], alone, atol=1e-5)


def test_every_figure_is_finite_for_short_history_and_bars_without_volume() -> None:
    silent = a_window()
    silent[..., VOLUMES] = 0.0
    frozen = a_window()
    frozen[..., [COLUMNS.index(name) for name in ("open", "high", "low", "close")]] = 50.0
    frozen[..., COLUMNS.index("notional")] = 50.0 * frozen[..., COLUMNS.index("volume")]

    for window in (a_window(TINY.history_min), a_window(2), silent, frozen, torch.zeros_like(silent)):
        context, volume = a_net().context(window)

        assert torch.isfinite(context).all()
        assert torch.isfinite(volume).all()
        assert (volume >= 0.0).all()


def test_missing_history_counts_for_nothing() -> None:
    """Rows of zeros before the first bar leave the volatility where the bars that exist put it."""
    short = a_window(TINY.history_min)

    features = BarFeatures(TINY)(short)

    close = short[0, -TINY.history_min :, COLUMNS.index("close")].double()
    moves = torch.log(close[1:] / close[:-1])
    assert 0.5 < features.volatility.item() / moves.pow(2).mean().sqrt().item() < 2.0


def test_the_volume_profile_is_that_of_the_same_time_on_earlier_days() -> None:
    """Days of 12 bars in which the seventh is 10 times as busy: the forecast knows which bar ahead that is."""
    window = a_window()
    place = torch.arange(TINY.lookback)
    window[0, :, COLUMNS.index("second_of_day")] = (place % 12) * 7200.0
    window[0, :, COLUMNS.index("bar_seconds")] = 7200.0
    window[0, :, COLUMNS.index("volume")] = torch.where(place % 12 == 6, 10.0, 1.0)
    window[0, :, COLUMNS.index("notional")] = 100.0 * window[0, :, COLUMNS.index("volume")]
    ahead = [(TINY.lookback + step) % 12 == 6 for step in range(TINY.max_steps)]

    profile = BarFeatures(TINY)(window).volume_profile[0]

    assert any(ahead)
    assert profile[torch.tensor(ahead)].min() > profile[~torch.tensor(ahead)].max() + 0.5


def test_the_variables_are_named_in_their_order() -> None:
    features = BarFeatures(TINY)(a_window())

    assert features.variables.shape == (1, TINY.recurrence, len(VARIABLES))
    newest = a_window()[0, -1, COLUMNS.index("second_of_day")] / 86_400.0 * 2.0 * np.pi
    assert torch.isclose(features.variables[0, -1, VARIABLES.index("day_sin")], torch.sin(newest), atol=1e-5)
