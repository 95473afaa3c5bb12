"""A horizon in time is counted in steps when the order is accepted: trading windows, on any calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.clock.calendars import calendar
from app.domain.errors import Conflict, InvalidInput
from app.domain.order import AskedOrder, HorizonInTime, Order, OrderInTime
from app.engine.horizons import STEPS_COUNTED_MAX, in_steps
from app.engine.instruments.live import LiveInstrument
from app.engine.results import StepState
from tests.builders import START, a_bar, an_instrument, an_order, at, bars
from tests.clock.session_bars import session_bars
from tests.engine.desk import Desk, ManualClock, a_desk

FIVE_MINUTES, HALF_HOUR, HOUR, DAY = 300, 1_800, 3_600, 86_400
NEW_YORK, HONG_KONG, SYDNEY = "America/New_York", "Asia/Hong_Kong", "Australia/Sydney"
HISTORY = 20


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def in_time(
    earliest_end: datetime, latest_end: datetime, step_seconds: int | None = None, **changes: Any
) -> OrderInTime:
    horizon = HorizonInTime(earliest_end=earliest_end, latest_end=latest_end, step_seconds=step_seconds)
    return OrderInTime.of(an_order(**changes), horizon)


def listed(code: str, bar_seconds: int, newest: datetime) -> LiveInstrument:
    """An instrument whose newest bar opens then."""
    live = LiveInstrument(an_instrument(bar_seconds=bar_seconds, calendar=code), calendar(code), lookback=8)
    opens = newest.astimezone(UTC)
    live.newest = a_bar(open_time=opens, close_time=opens + timedelta(seconds=bar_seconds))
    return live


def steps(live: LiveInstrument, asked: OrderInTime, start: datetime, steps_max: int = 256) -> tuple[int, int]:
    first = live.first_open(start.astimezone(UTC), live.step_seconds_of(asked))
    horizon = in_steps(asked, live, first, steps_max).horizon
    return horizon.min_steps, horizon.max_steps


def refusal(live: LiveInstrument, asked: OrderInTime, start: datetime, steps_max: int = 256) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        steps(live, asked, start, steps_max)
    return refused.value


@pytest.mark.parametrize(
    ("day", "closes", "counted"),
    [
        ("2024-11-27", "16:00", (39, 78)),  # a full day
        ("2024-11-29", "13:00", (39, 42)),  # half a day, the day after Thanksgiving
        ("2024-11-29", "16:00", (39, 42)),  # nobody trades after 13:00
        ("2025-03-07", "16:00", (39, 78)),  # before and after the clocks change
        ("2025-03-10", "16:00", (39, 78)),
        ("2025-10-31", "16:00", (39, 78)),
        ("2025-11-03", "16:00", (39, 78)),
    ],
)
def test_a_whole_day_has_the_windows_of_its_session(day: str, closes: str, counted: tuple[int, int]) -> None:
    asked = in_time(local(NEW_YORK, f"{day} 12:45"), local(NEW_YORK, f"{day} {closes}"))
    live = listed("XNYS", FIVE_MINUTES, local(NEW_YORK, "2024-11-26 15:55"))

    assert steps(live, asked, local(NEW_YORK, f"{day} 02:00")) == counted


@pytest.mark.parametrize("closes", ["13:00", "16:00"])
def test_an_order_that_must_last_until_the_usual_close_ends_when_half_a_day_does(closes: str) -> None:
    until = local(NEW_YORK, f"2024-11-29 {closes}")
    live = listed("XNYS", FIVE_MINUTES, local(NEW_YORK, "2024-11-27 15:55"))

    assert steps(live, in_time(until, until), local(NEW_YORK, "2024-11-29 09:30")) == (42, 42)


@pytest.mark.parametrize(
    ("code", "zone", "bar_seconds", "step_seconds", "start", "earliest", "latest", "counted"),
    [
        # windows of an hour are cut at the lunch break: 9:30, 10:30, 11:30 to 12:00, 13:00, 14:00, 15:00
        ("XHKG", HONG_KONG, HALF_HOUR, HOUR, "2025-03-03 09:30", "2025-03-03 12:00", "2025-03-03 16:00", (3, 6)),
        ("XHKG", HONG_KONG, HALF_HOUR, HOUR, "2025-03-03 09:30", "2025-03-03 12:30", "2025-03-03 13:59", (3, 3)),
        # over a night, a weekend, and a holiday with half a day behind it
        ("XNYS", NEW_YORK, HALF_HOUR, None, "2024-11-26 15:00", "2024-11-27 10:00", "2024-11-27 11:00", (3, 5)),
        ("XNYS", NEW_YORK, HALF_HOUR, None, "2025-03-07 15:30", "2025-03-10 09:30", "2025-03-10 10:30", (1, 3)),
        ("XNYS", NEW_YORK, HALF_HOUR, None, "2024-11-27 14:00", "2024-11-29 10:00", "2024-12-02 10:00", (5, 12)),
        # steps of a day made of shorter bars are whole sessions
        ("XNYS", NEW_YORK, FIVE_MINUTES, DAY, "2024-11-25 08:00", "2024-11-27 16:00", "2024-11-29 13:00", (3, 4)),
        ("XNYS", NEW_YORK, FIVE_MINUTES, DAY, "2024-11-25 08:00", "2024-11-27 16:00", "2024-11-29 12:59", (3, 3)),
        # Sydney's clocks go back on 2025-04-06, and its session is on two dates of UTC in summer
        ("XASX", SYDNEY, HALF_HOUR, None, "2025-04-04 15:00", "2025-04-07 11:00", "2025-04-07 16:00", (4, 14)),
        # futures trade through midnight
        ("CMES", "America/Chicago", HOUR, None, "2025-03-04 14:00", "2025-03-04 18:00", "2025-03-05 02:00", (4, 12)),
        ("24/7", "UTC", 900, None, "2025-01-06 00:07", "2025-01-06 01:00", "2025-01-07 00:14", (3, 95)),
        ("24/7", "UTC", 900, 5400, "2025-01-06 00:07", "2025-01-06 01:00", "2025-01-07 00:00", (1, 15)),
    ],
)
def test_steps_are_the_trading_windows_between_the_times(
    code: str,
    zone: str,
    bar_seconds: int,
    step_seconds: int | None,
    start: str,
    earliest: str,
    latest: str,
    counted: tuple[int, int],
) -> None:
    live = listed(code, bar_seconds, local(zone, "2024-11-22 12:00"))
    asked = in_time(local(zone, earliest), local(zone, latest), step_seconds)

    assert steps(live, asked, local(zone, start)) == counted


@pytest.mark.parametrize("stamp", ["00:00 America/New_York", "09:30 America/New_York", "00:00 UTC", "14:30 UTC"])
@pytest.mark.parametrize("closes", ["16:00", "20:00"])
def test_months_of_daily_bars_have_a_step_for_each_session(stamp: str, closes: str) -> None:
    """A bar's window lasts until the next one opens, but its session is over at its close. New York is
    closed on three of the days: 2025-01-09, 2025-01-20, 2025-02-17."""
    clock, _, zone = stamp.partition(" ")
    live = listed("XNYS", DAY, local(zone, f"2025-01-02 {clock}"))
    asked = in_time(local(NEW_YORK, f"2025-02-03 {closes}"), local(NEW_YORK, f"2025-04-03 {closes}"))

    assert steps(live, asked, local(NEW_YORK, "2025-01-02 18:00")) == (20, 62)


@pytest.mark.parametrize(
    ("earliest", "latest", "counted"),
    [
        (at(-5), at(3), (1, 3)),  # an earliest end that has passed
        (at(0), at(3), (1, 3)),
        (at(1), at(3), (1, 3)),
        (at(1) + timedelta(microseconds=1), at(4) - timedelta(microseconds=1), (2, 3)),
        (at(3), at(3), (3, 3)),
    ],
)
def test_times_between_two_windows_count_for_no_later_end_than_the_latest(
    earliest: datetime, latest: datetime, counted: tuple[int, int]
) -> None:
    assert steps(listed("24/7", 900, at(-1)), in_time(earliest, latest), START) == counted


@pytest.mark.parametrize(
    ("earliest", "latest", "code", "said"),
    [
        (at(-3), at(-1), "horizon_too_short", "at least 2025-01-06T00:15"),
        (at(0), at(1) - timedelta(seconds=1), "horizon_too_short", "at least 2025-01-06T00:15"),
        (at(2) + timedelta(seconds=1), at(3) - timedelta(seconds=1), "horizon_too_short", "ends at 2025-01-06T00:30"),
        (
            at(9),
            at(25),
            "horizon_too_long",
            "after 25 steps; the model decides at most 24, the last of which ends at 2025-01-06T06",
        ),
        (at(9), at(10**6), "horizon_too_long", f"more than {STEPS_COUNTED_MAX} steps"),
        (at(10**6), at(10**6), "horizon_too_long", f"more than {STEPS_COUNTED_MAX} steps"),
    ],
)
def test_times_that_leave_no_step_or_too_many_are_refused(
    earliest: datetime, latest: datetime, code: str, said: str
) -> None:
    refused = refusal(listed("24/7", 900, at(-1)), in_time(earliest, latest), START, steps_max=24)

    assert (refused.code, refused.pointer) == (code, "#/horizon/latest_end")
    assert latest.isoformat() in str(refused)
    assert said in str(refused)


def test_a_policy_may_decide_more_steps_than_are_counted_for_a_refusal() -> None:
    asked, steps_max = in_time(at(1), at(STEPS_COUNTED_MAX + 500)), STEPS_COUNTED_MAX + 1_000

    assert steps(listed("24/7", 900, at(-1)), asked, START, steps_max) == (1, STEPS_COUNTED_MAX + 500)


def test_the_last_session_that_the_calendar_knows_can_be_traded_and_no_later_one() -> None:
    live = listed("XNYS", DAY, local("UTC", "2049-12-22 00:00"))
    last, later = local(NEW_YORK, "2049-12-31 16:00"), local(NEW_YORK, "2050-01-03 16:00")

    refused = refusal(live, in_time(last, later), local("UTC", "2049-12-28"))

    assert steps(live, in_time(last, last), local("UTC", "2049-12-28")) == (4, 4)
    assert (refused.code, refused.pointer) == ("outside_calendar", "#/horizon/latest_end")
    assert "2049-12-31" in str(refused)


async def test_the_schedule_of_an_order_in_time_ends_with_its_latest_end(store_url: str) -> None:
    """Two sessions with a night between them, from the middle of one to the middle of the next."""
    made = session_bars("XNYS", HALF_HOUR, "2025-03-06", "2025-03-10")
    instrument = an_instrument(bar_seconds=HALF_HOUR, calendar="XNYS")
    latest = local(NEW_YORK, "2025-03-07 12:10")
    async with a_desk(store_url, instrument=instrument) as desk:
        await desk.feed(made[:8])

        state, _ = await desk.engine.orders.submit(in_time(latest - timedelta(minutes=10), latest))
        steps_to_come = (await desk.engine.queries.schedule(state.order_id)).steps
        await desk.feed_one_by_one(made[8:])
        worked = await desk.again(state)
        slices = await desk.slices(state)

    assert (state.order.horizon.min_steps, state.order.horizon.max_steps) == (5 + 5, 5 + 5)
    assert [each.window.start for each in steps_to_come] == [bar.open_time for bar in made[8:18]]
    assert {each.state for each in steps_to_come[1:]} == {StepState.PROJECTED}
    assert steps_to_come[-1].window.end == local(NEW_YORK, "2025-03-07 12:00")
    assert slices[-1].window.end == local(NEW_YORK, "2025-03-07 12:00")
    assert (worked.status, worked.step) == ("completed", 10)


async def test_the_same_order_later_gets_the_steps_that_were_counted_first(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    asked = in_time(at(HISTORY + 4), at(HISTORY + 8))
    first, created = await desk.engine.orders.submit(asked)
    await desk.feed(bars(HISTORY + 3)[HISTORY:])

    again, created_again = await desk.engine.orders.submit(asked)
    later, _ = await desk.engine.orders.submit(in_time(at(HISTORY + 4), at(HISTORY + 8), client_order_id="oms-2"))

    assert (created, created_again) == (True, False)
    assert (first.order.horizon.min_steps, first.order.horizon.max_steps) == (4, 8)
    assert again.order == first.order
    assert (again.order.horizon_in_time, again.step) == (asked.horizon, 4)
    assert (later.order.horizon.min_steps, later.order.horizon.max_steps) == (1, 5)


async def test_an_order_in_time_is_answered_when_its_times_have_passed(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    asked = in_time(at(HISTORY + 2), at(HISTORY + 2))
    await desk.engine.orders.submit(asked)
    await desk.feed(bars(HISTORY + 6)[HISTORY:])

    again, created = await desk.engine.orders.submit(asked)

    assert (again.status, again.step, created) == ("completed", 2, False)


async def test_other_times_or_the_same_steps_without_times_are_another_order(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    taken, _ = await desk.engine.orders.submit(in_time(at(HISTORY + 4), at(HISTORY + 8)))
    others: list[AskedOrder] = [
        in_time(at(HISTORY + 4), at(HISTORY + 9)),
        Order.of(taken.order, taken.order.horizon),
    ]

    for other in others:
        with pytest.raises(Conflict) as refused:
            await desk.engine.orders.submit(other)
        assert refused.value.code == "client_order_id_reused"


async def test_a_refused_order_in_time_leaves_its_client_order_id_free(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    with pytest.raises(InvalidInput):
        await desk.engine.orders.submit(in_time(at(1), at(2)))

    taken, created = await desk.engine.orders.submit(in_time(at(HISTORY + 1), at(HISTORY + 2)))

    assert created
    assert taken.order.horizon.max_steps == 2


async def test_steps_are_counted_from_a_start_to_come(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    asked = in_time(at(HISTORY + 10), at(HISTORY + 12), start_time=at(HISTORY + 6) + timedelta(seconds=1))
    state, _ = await desk.engine.orders.submit(asked)

    assert state.next_open == at(HISTORY + 7)
    assert (state.order.horizon.min_steps, state.order.horizon.max_steps) == (3, 5)


async def test_with_the_wall_clock_steps_are_counted_from_the_next_boundary(store_url: str) -> None:
    clock = ManualClock(at(HISTORY) + timedelta(seconds=100))
    async with a_desk(store_url, clock=clock) as desk:
        await desk.feed(bars(HISTORY))

        state, _ = await desk.engine.orders.submit(in_time(at(HISTORY + 2), at(HISTORY + 4)))

    assert state.next_open == at(HISTORY + 1)
    assert (state.order.horizon.min_steps, state.order.horizon.max_steps) == (1, 3)


async def test_a_long_hole_in_the_feed_takes_no_order_beyond_its_latest_end(desk: Desk) -> None:
    made, latest = bars(HISTORY + 400), at(HISTORY + 10)
    await desk.feed(made[:HISTORY])
    state, _ = await desk.engine.orders.submit(in_time(latest, latest))
    await desk.feed_one_by_one(made[HISTORY : HISTORY + 2])

    await desk.feed_one_by_one(made[HISTORY + 395 :])

    assert not (await desk.again(state)).status.live
    assert max(piece.window.end for piece in await desk.slices(state)) <= latest
