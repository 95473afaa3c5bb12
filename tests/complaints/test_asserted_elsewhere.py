"""Complaints about other engines that tests of another name hold already: each of these tests is there."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ELSEWHERE = {
    "parts hang scheduled because the feed is silent": ("engine/test_health.py", "a_silent_feed_is_told_and_leaves"),
    "an order on a dead feed ends": ("engine/test_wall_clock.py", "an_order_ends_by_the_clock_where_the_feed_is_dead"),
    "flat bars invented in a gap": ("engine/test_bars_in.py", "a_gap_is_filled_with_marked_bars_and_counted"),
    "no price is claimed of a gap": ("engine/test_orders.py", "a_gap_makes_the_benchmark_partial"),
    "stale stream while connected": ("engine/test_late_feeds.py", "a_feed_that_falls_silent_is_told"),
    "late tick after the close": ("engine/test_revised_bars.py", "revisions_change_no_slice_with_a_restart"),
    "partial first bar": ("api/test_wall_clock.py", "a_bar_that_closes_soon_is_refused_until_then"),
    "early closes": ("engine/test_exchanges.py", "steps_are_cut_where_a_half_day_ends"),
    "daylight-saving weeks": ("clock/test_calendars.py", "hours_follow_daylight_saving"),
    "daily bars while the clocks change": ("engine/test_exchanges.py", "daily_bars_of_any_stamp_fill_an_order"),
    "daily bars at local midnight": ("bars/test_rests.py", "daily_bars_at_local_midnight_are_sessions"),
    "sessions that open on Sunday in UTC": ("bars/test_rests.py", "a_monday_that_opens_on_sunday_in_utc"),
    "holes hidden by daylight saving": ("bars/test_session_holes.py", "a_hole_is_found_on_the_days_around_a_change"),
    "whole weeks missing": ("bars/test_gaps.py", "two_lost_weeks_of_sessions_begin_a_new_history"),
    "share classes become one instrument": ("backtest/test_command.py", "two_share_classes_are_never_read_as_one"),
    "an outage read differently by service and backtest": ("api/test_gaps.py", "a_gap_is_filled_in_the_backtest_where"),
    "a limit price between two ticks": ("domain/test_acceptance.py", "a_limit_price_between_two_ticks_is_refused"),
    "fills with 12 decimals": ("engine/test_reported_fills.py", "hundreds_of_fills_at_precise_prices_add_up"),
    "the venue fills more than asked": ("domain/test_over_filled.py", "a_report_beyond_its_slice_is_booked"),
    "the feed dies for good": ("engine/test_exchanges.py", "an_order_whose_feed_is_dead_ends_with_its_session"),
    "the newest bar is revised": ("engine/test_revised_bars.py", "a_revision_is_recorded_beside_its_bar"),
    "history after the first live bar": ("engine/test_revised_bars.py", "history_may_come_after_the_first_live_bar"),
    "windows around a lunch break": ("engine/test_exchanges.py", "steps_longer_than_the_bars_stop_at_the_lunch"),
    "a shutdown while clients poll": ("api/test_process.py", "a_signal_answers_who_waits_and_cuts_who_is_still"),
    "zeros behind the append-only file": ("store/test_append_only.py", "with_zeros_behind_the_last_change_the_store"),
    "a store that evicts": ("store/test_durability.py", "what_may_lose_acknowledged_orders_has_a_code"),
    "every bar comes late": ("engine/test_late_feeds.py", "only_the_first_slice_of_a_feed_that_is_always_late"),
}


@pytest.mark.parametrize("complaint", ELSEWHERE)
def test_a_complaint_that_is_held_elsewhere_is_held_there(complaint: str) -> None:
    file, name = ELSEWHERE[complaint]

    assert f"def test_{name}" in (TESTS / file).read_text(encoding="utf-8")
