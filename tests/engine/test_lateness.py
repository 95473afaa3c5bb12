"""How long a late bar is waited for, by what is set and by what the feed has shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from app.domain.instrument import Instrument
from app.engine.lateness import BARS_TO_RECOVER, FeedLateness
from tests.builders import an_instrument
from tests.engine.desk import Counts


def lateness(setting: float | None = None) -> FeedLateness:
    return FeedLateness(Counts(), setting)


def an_hourly(**changes: Any) -> Instrument:
    return an_instrument(bar_seconds=3_600, **changes)


@pytest.mark.parametrize(("bar_seconds", "grace"), [(6, 2.0), (60, 6.0), (120, 12.0), (3_600, 30.0), (2, 1.5)])
def test_by_default_the_grace_is_a_tenth_of_the_bar_within_2_and_30_seconds(bar_seconds: int, grace: float) -> None:
    assert lateness().grace(an_instrument(bar_seconds=bar_seconds)).total_seconds() == grace


def test_the_service_s_setting_wins_over_the_default_and_the_instrument_s_over_both() -> None:
    assert lateness(7).grace(an_hourly()).total_seconds() == 7
    assert lateness(7).grace(an_hourly(grace_seconds=120)).total_seconds() == 120


def test_a_feed_that_comes_under_the_name_of_a_deleted_instrument_is_waited_for_as_any_new_one() -> None:
    late = lateness()
    late.came(an_hourly(), 29.0)
    learned, minute = late.grace(an_hourly()), an_instrument(bar_seconds=60)

    late.forget(minute.symbol)

    assert learned.total_seconds() == 30
    assert late.grace(minute).total_seconds() == 6


@pytest.mark.parametrize("setting", [None, 9.0])
def test_a_grace_leaves_a_quarter_of_the_bar_to_trade_in(setting: float | None) -> None:
    late = lateness(setting)
    short = an_instrument(bar_seconds=8)
    for _ in range(5):
        late.came(short, 5.9)

    assert late.grace(short).total_seconds() == 6


def test_a_feed_that_is_late_is_waited_for_a_quarter_longer_than_it_took() -> None:
    late = lateness()
    minute = an_instrument(bar_seconds=60)

    late.came(minute, 8)
    late.came(minute, 4)

    assert late.grace(minute).total_seconds() == 10


def test_bars_later_than_the_longest_grace_make_nobody_wait_for_others_like_them() -> None:
    late, minute = lateness(), an_instrument(bar_seconds=60)

    for seconds in (40, 8, 35):
        late.came(minute, seconds)

    assert late.grace(minute).total_seconds() == 10
    assert late.news(minute) == 8


def test_what_was_set_is_not_learned_away() -> None:
    late, minute = lateness(3), an_instrument(bar_seconds=60)

    late.came(minute, 20)

    assert late.grace(minute).total_seconds() == 3


def test_history_says_nothing_of_the_feed() -> None:
    late, minute = lateness(), an_instrument(bar_seconds=60)

    late.came(minute, 3_600)

    assert late.grace(minute).total_seconds() == 6


def test_a_feed_that_turns_late_and_recovers_is_told_once_each(caplog: pytest.LogCaptureFixture) -> None:
    counts = Counts()
    late, minute = FeedLateness(counts, None), an_instrument(bar_seconds=60)

    with caplog.at_level(logging.WARNING):
        for seconds in (1, 9, 8, 1, 12, *[1] * (BARS_TO_RECOVER + 3)):
            late.came(minute, seconds)

    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "the feed of BTC-USDT is late",
        "the feed of BTC-USDT has recovered",
    ]
    assert counts.of["bars late"] == 3


def test_only_what_makes_others_wait_longer_is_news_and_its_end() -> None:
    late, minute = lateness(), an_instrument(bar_seconds=60)
    told = []
    for seconds in (1, 8, 8.2, *[1] * 20):
        late.came(minute, seconds)
        told.append(late.news(minute))

    assert [each for each in told if each is not None] == [8, 0]
