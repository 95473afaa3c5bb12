"""Bars as arrays are the twins of the domain's bars."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from app.bars.gaps import filled
from app.bars.series import aggregated, raw_rows, raw_windows
from app.domain.bar import Bar, aggregate, fill_gap
from app.domain.errors import InvalidInput
from tests.builders import a_bar, at, bars
from tests.market import raw_window, series_of


def odd_bars() -> list[Bar]:
    """No notional, no volume, a notional that no trade could have made, one bar after a gap."""
    return [
        a_bar(0),
        a_bar(1, high=Decimal(103), low=Decimal(99), close=Decimal(101)),
        a_bar(2, high=Decimal(103), volume=Decimal(0), notional=Decimal(0)),
        a_bar(3, high=Decimal(102), notional=Decimal(9_000)),
        a_bar(4, high=Decimal(102), notional=Decimal(5_050)),
        fill_gap(a_bar(4), at(5), at(6)),
        *bars(30, first=6, seed=3),
    ]


def test_prices_follow_the_rule_of_a_bar() -> None:
    made = odd_bars()

    assert series_of(made).price == pytest.approx([float(bar.price) for bar in made])


@pytest.mark.parametrize("newest", [0, 7, 35])
def test_windows_are_those_of_the_service(newest: int) -> None:
    made = odd_bars()

    windows = raw_windows(raw_rows(series_of(made)), 20, np.array([newest]))

    np.testing.assert_allclose(windows[0], raw_window(made[: newest + 1], 20), rtol=2e-7)


def test_a_window_holds_no_later_bar() -> None:
    made = odd_bars()

    short = raw_windows(raw_rows(series_of(made[:11])), 8, np.array([10]))
    long = raw_windows(raw_rows(series_of(made)), 8, np.array([10]))

    np.testing.assert_array_equal(short, long)


def test_longer_bars_are_those_of_the_service() -> None:
    made = odd_bars()

    hours = aggregated(series_of(made), 3600)

    expected = series_of([aggregate(made[first : first + 4]) for first in range(0, 36, 4)])
    for name in ("open_time", "open", "high", "low", "close", "volume", "notional", "trades", "synthetic", "price"):
        assert getattr(hours, name) == pytest.approx(getattr(expected, name)), name


def test_longer_bars_start_on_the_grid_of_the_epoch() -> None:
    hours = aggregated(series_of(bars(12, first=3)), 3600)

    assert hours.open_time.tolist() == [int(at(4).timestamp()), int(at(8).timestamp())]


@pytest.mark.parametrize("step_seconds", [450, 1000])
def test_a_step_that_is_no_multiple_of_the_bars_is_refused(step_seconds: int) -> None:
    with pytest.raises(InvalidInput, match="multiple of the bars' 900"):
        aggregated(series_of(bars(12)), step_seconds)


def test_a_gap_is_filled_as_in_the_service() -> None:
    made = bars(10)
    with_gap = [*made[:4], *made[6:]]

    whole = filled(series_of(with_gap))

    expected = series_of([*made[:4], fill_gap(made[3], at(4), at(5)), fill_gap(made[3], at(5), at(6)), *made[6:]])
    for name in ("open_time", "open", "high", "low", "close", "volume", "notional", "trades", "synthetic", "price"):
        assert getattr(whole, name) == pytest.approx(getattr(expected, name)), name
