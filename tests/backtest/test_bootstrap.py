"""Intervals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from app.backtest.bootstrap import DayBlocks, block_days, interval_of

DAYS = 400


def half_width(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], day: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> float:
    low, high = DayBlocks(day, horizon_days=1, resamples=2000, seed=1).interval(values)
    return (high - low) / 2.0


def test_independent_days_give_the_textbook_interval() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, DAYS)

    low, high = DayBlocks(np.arange(DAYS), horizon_days=1, resamples=4000, seed=0).interval(values)

    expected = 1.96 * values.std() / np.sqrt(DAYS)
    assert (high - low) / 2.0 == pytest.approx(expected, rel=0.12)
    assert (high + low) / 2.0 == pytest.approx(values.mean(), abs=0.03)


def test_more_instruments_on_the_same_days_add_no_certainty_where_they_move_together() -> None:
    values = np.random.default_rng(1).normal(0.0, 1.0, DAYS)

    one = half_width(values, np.arange(DAYS))
    ten = half_width(np.tile(values, 10), np.tile(np.arange(DAYS), 10))

    assert ten == pytest.approx(one, rel=1e-9)


def test_more_orders_on_the_same_days_add_certainty_where_they_do_not() -> None:
    random = np.random.default_rng(2)

    one = half_width(random.normal(0.0, 1.0, DAYS), np.arange(DAYS))
    nine = half_width(random.normal(0.0, 1.0, 9 * DAYS), np.tile(np.arange(DAYS), 9))

    assert nine == pytest.approx(one / 3.0, rel=0.2)


def test_days_that_follow_each_other_alike_widen_the_interval() -> None:
    noise = np.random.default_rng(3).normal(0.0, 1.0, DAYS)
    smooth = np.convolve(noise, np.ones(4) / 2.0, "same")  # the same variance, persistent over four days

    assert half_width(smooth, np.arange(DAYS)) > 1.4 * half_width(noise, np.arange(DAYS))


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(4)

    covered = 0
    for _ in range(200):
        low, high = DayBlocks(np.arange(120), horizon_days=1, resamples=300, seed=5).interval(
            random.normal(0.0, 1.0, 120)
        )
        covered += low <= 0.0 <= high

    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    values, day = np.arange(60.0), np.arange(60) // 2

    first, again = (DayBlocks(day, horizon_days=1, resamples=200, seed=9).interval(values) for _ in range(2))

    assert first == again


def test_one_day_has_no_interval() -> None:
    low, high = DayBlocks(np.zeros(10, dtype=np.int64), horizon_days=1, resamples=100, seed=0).interval(np.arange(10.0))

    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(("days", "horizon", "expected"), [(300, 1, 5), (300, 12, 24), (12, 12, 3), (2, 1, 1)])
def test_blocks_hold_twice_the_horizon_where_there_are_days_enough(days: int, horizon: int, expected: int) -> None:
    assert block_days(days, horizon) == expected


def test_days_that_lie_apart_make_blocks_of_fewer_of_them() -> None:
    every_third_week = 21 * np.arange(200)

    blocks = DayBlocks(every_third_week, horizon_days=96, resamples=100, seed=0)

    assert blocks.block_days == 10
    assert blocks.block_span_days == 210 > blocks.horizon_days


def test_too_few_days_for_a_block_that_is_longer_than_an_order_can_be_seen() -> None:
    blocks = DayBlocks(np.arange(400), horizon_days=364, resamples=100, seed=0)

    assert blocks.block_span_days <= blocks.horizon_days


def test_the_weights_of_the_days_give_the_resampled_means() -> None:
    values, day = np.random.default_rng(3).normal(0.0, 1.0, 90), np.arange(90) // 3
    blocks = DayBlocks(day, horizon_days=1, resamples=50, seed=2)

    weights = blocks.weights()[:, day]

    assert (weights * values).sum(axis=1) / weights.sum(axis=1) == pytest.approx(blocks.resampled(values))


def test_the_width_of_a_normal_lies_in_its_interval() -> None:
    values = np.random.default_rng(4).normal(0.0, 2.0, (DAYS, 2))
    blocks = DayBlocks(np.arange(DAYS), horizon_days=1, resamples=300, seed=1)

    low, high = interval_of(blocks.resampled_width(values))

    assert low < 2.0 * 2 * 1.645 < high
    assert high - low < 1.5
