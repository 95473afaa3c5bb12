"""What rose falls in the mirror; all else stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.bars.series import Series
from app.bars.walks import Walk, simulate_bars, simulated_series
from models.tapes.markets import training_tapes
from models.tapes.mirror import mirrored
from tests.models.tiny import TINY, a_plan


def a_series() -> Series:
    return simulated_series("WALK", simulate_bars(np.random.default_rng(1), Walk(), 1, 50), 0, 900)


def test_prices_are_turned_over_round_the_first_close() -> None:
    series = a_series()
    image = mirrored(series)

    for name, other in (("open", "open"), ("high", "low"), ("low", "high"), ("close", "close"), ("price", "price")):
        assert np.allclose(getattr(image, name) * getattr(series, other), series.close[0] ** 2)
    assert (image.low <= image.price).all()
    assert (image.price <= image.high).all()
    assert (image.volume == series.volume).all()


def test_a_mirror_of_a_mirror_shows_the_market() -> None:
    series = a_series()
    twice = mirrored(mirrored(series))

    for name in ("open", "high", "low", "close", "notional", "volume"):
        assert np.allclose(getattr(twice, name), getattr(series, name))


def test_bars_without_a_notional_or_without_volume_have_an_image_too() -> None:
    series = a_series()
    series.notional[3], series.volume[5], series.notional[5] = np.nan, 0.0, 0.0
    image = mirrored(series)

    assert np.isnan(image.notional[3])
    assert image.notional[5] == 0.0
    assert np.isfinite(image.price).all()


def test_training_and_choosing_see_every_market_both_ways(tmp_path: Path) -> None:
    market = training_tapes("walks_1h", a_plan(tmp_path).markets["walks_1h"], TINY)

    assert len(market.mirrored) == len(market.tapes) > 0
    for tape, image in zip(market.tapes, market.mirrored, strict=True):
        assert (tape.lo, tape.hi) == (image.lo, image.hi)
        assert np.allclose(tape.close * image.close, tape.close[0] ** 2)
