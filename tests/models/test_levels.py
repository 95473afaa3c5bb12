"""What the forecasts of volume and volatility read: the newest bars, their averages, and their place in the week."""

from __future__ import annotations

import torch

from models.network.levels import AVERAGED, LEVELS, SPANS, WAVES, levels

BARS = 48
WINDOW = torch.tensor([[0.5, -0.5]])


def figures(day: float, second: float, newest_surprise: float = 0.0) -> torch.Tensor:
    variables = {name: torch.zeros(1, BARS) for name in (*AVERAGED, "return")}
    variables["volume_surprise"][0, -1] = newest_surprise
    return levels(variables, WINDOW, torch.tensor([day]), torch.tensor([second]))[0]


def test_the_window_comes_first_and_every_figure_is_counted() -> None:
    assert figures(0.0, 0.0).shape == (WINDOW.shape[1] + len(LEVELS),)
    assert torch.equal(figures(0.0, 0.0)[:2], WINDOW[0])


def test_a_surprise_of_the_newest_bar_weighs_less_the_longer_the_average() -> None:
    means = figures(0.0, 0.0, newest_surprise=12.0)[2 : 2 + len(SPANS)]

    assert means.tolist() == [12.0 / span for span in SPANS]


def test_the_waves_come_back_after_a_week_and_tell_its_hours_apart() -> None:
    waves = 2 * len(WAVES)
    monday = figures(0.0, 3_600.0)[-waves:]

    assert torch.allclose(figures(7.0, 3_600.0)[-waves:], monday, atol=1e-4)
    for day, second in ((0.0, 7_200.0), (1.0, 3_600.0), (5.0, 3_600.0)):
        assert (figures(day, second)[-waves:] - monday).abs().max() > 0.5
