"""Orders on exchanges: windows of any length within sessions, daily bars however stamped, and a calendar's end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.clock.calendars import calendar
from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput, Unavailable
from app.domain.instrument import Instrument
from app.domain.order import Fills, Horizon
from app.domain.slice import Slice
from app.engine.ports import Calendar
from tests.builders import an_instrument
from tests.clock.session_bars import session_bars, timed, utc
from tests.engine.desk import Desk, ManualClock, a_desk

DAY = 86_400
HALF_HOUR = 1_800
SYMBOL = "BTC-USDT"


def listed(code: str, bar_seconds: int) -> Instrument:
    return an_instrument(bar_seconds=bar_seconds, calendar=code)


def daily_bars(days: Sequence[str], zone: str) -> list[Bar]:
    """Bars stamped at midnight of that zone."""
    opens = [datetime.combine(datetime.fromisoformat(day), time(), ZoneInfo(zone)).astimezone(UTC) for day in days]
    return timed([(each, each + timedelta(days=1)) for each in opens])


def spans(slices: Sequence[Slice]) -> list[str]:
    return [f"{piece.window.start:%d %H:%M}-{piece.window.end:%H:%M}" for piece in slices]


async def traded(desk: Desk, made: Sequence[Bar], first: int, horizon: Horizon) -> tuple[list[Slice], Decimal, bool]:
    """The slices of an order that is posted behind the first bars, its market's volume, and whether any of it was not
    seen."""
    await desk.feed(made[:first])
    order = await desk.order(horizon=horizon)
    await desk.feed_one_by_one(made[first:])
    ended = await desk.again(order)
    assert ended.status == "completed"
    return await desk.slices(order), ended.sums.volume_sum, ended.sums.partial


async def test_steps_longer_than_the_bars_stop_at_the_lunch_break(store_url: str) -> None:
    made = session_bars("XHKG", HALF_HOUR, "2025-03-03", "2025-03-07")
    async with a_desk(store_url, instrument=listed("XHKG", HALF_HOUR)) as desk:
        slices, volume, partial = await traded(desk, made, 22, Horizon(min_steps=6, max_steps=6, step_seconds=3_600))

    assert spans(slices) == [
        "05 01:30-02:30", "05 02:30-03:30", "05 03:30-04:00", "05 05:00-06:00", "05 06:00-07:00", "05 07:00-08:00",
    ]  # fmt: skip
    assert volume == sum(bar.volume for bar in made if bar.open_time.day == 5)
    assert not partial
    assert {piece.decided.basis for piece in slices} == {"model"}


async def test_steps_are_cut_where_a_half_day_ends(store_url: str) -> None:
    """The day after Thanksgiving closes at 13:00 in New York; daylight saving has ended."""
    made = session_bars("XNYS", HALF_HOUR, "2024-11-25", "2024-12-03")
    first = next(index for index, bar in enumerate(made) if bar.open_time.day == 29)
    async with a_desk(store_url, instrument=listed("XNYS", HALF_HOUR)) as desk:
        slices, volume, _ = await traded(desk, made, first, Horizon(min_steps=3, max_steps=3, step_seconds=7_200))

    assert spans(slices) == ["29 14:30-16:30", "29 16:30-18:00", "02 14:30-16:30"]
    assert volume == sum(bar.volume for bar in made[first : first + 7 + 4])


async def test_an_order_whose_feed_is_dead_ends_with_its_session_and_not_with_the_next_one(store_url: str) -> None:
    """New York closes on Friday at 21:00 UTC, and opens on Monday."""
    clock = ManualClock(utc("2025-01-10 20:00"))
    async with a_desk(store_url, clock=clock, instrument=listed("XNYS", HALF_HOUR)) as desk:
        await desk.feed(session_bars("XNYS", HALF_HOUR, "2025-01-06", "2025-01-10 20:00"))
        order = await desk.order(min_steps=2, max_steps=2)
        clock.time = utc("2025-01-10 20:31")
        await desk.engine.late_slices.give()
        clock.time = utc("2025-01-10 21:31")

        await desk.engine.late_slices.give()

        assert spans(await desk.slices(order)) == ["10 20:00-20:30", "10 20:30-21:00"]
        assert (await desk.again(order)).status == "completed"


async def test_a_step_of_a_day_is_a_session(store_url: str) -> None:
    made = session_bars("XHKG", 300, "2025-02-24", "2025-03-08")
    first = next(index for index, bar in enumerate(made) if bar.open_time.day == 6)
    async with a_desk(store_url, instrument=listed("XHKG", 300)) as desk:
        slices, volume, partial = await traded(desk, made, first, Horizon(min_steps=2, max_steps=2, step_seconds=DAY))

    assert spans(slices) == ["06 01:30-08:00", "07 01:30-08:00"]
    assert volume == sum(bar.volume for bar in made[first:])
    assert not partial
    assert {piece.decided.basis for piece in slices} == {"model"}


@pytest.mark.parametrize(
    ("bar_seconds", "step_seconds"), [(HALF_HOUR, 2 * DAY), (DAY, 2 * DAY), (60, DAY), (HALF_HOUR, 4_000)]
)
async def test_steps_that_no_session_can_make_are_refused(store_url: str, bar_seconds: int, step_seconds: int) -> None:
    async with a_desk(store_url, instrument=listed("XNYS", bar_seconds)) as desk:
        await desk.feed(session_bars("XNYS", bar_seconds, "2025-03-03", "2025-03-04")[:3])

        with pytest.raises(InvalidInput) as refused:
            await desk.order(horizon=Horizon(min_steps=1, max_steps=2, step_seconds=step_seconds))

    assert refused.value.code == "step_seconds_unsupported"


SPRING = ["03-25", "03-26", "03-27", "03-28", "03-31", "04-01", "04-02", "04-03", "04-04", "04-07", "04-08"]
AUTUMN = ["09-25", "09-26", "09-29", "09-30", "10-01", "10-02", "10-03", "10-06", "10-07", "10-08", "10-09"]


@pytest.mark.parametrize(
    ("code", "zone", "days"),
    [
        ("XASX", "Australia/Sydney", SPRING),
        ("XASX", "Australia/Sydney", AUTUMN),
        ("XASX", "UTC", AUTUMN),
        ("XTKS", "Asia/Tokyo", SPRING),
        ("XLON", "UTC", SPRING),
        ("CMES", "UTC", AUTUMN),
    ],
)
async def test_daily_bars_of_any_stamp_fill_an_order_while_the_clocks_change(
    store_url: str, code: str, zone: str, days: list[str]
) -> None:
    made = daily_bars([f"2025-{day}" for day in days], zone)
    async with a_desk(store_url, instrument=listed(code, DAY)) as desk:
        slices, volume, partial = await traded(desk, made, 5, Horizon(min_steps=6, max_steps=6))

    assert len(slices) == 6
    assert all(
        timedelta(0) <= bar.open_time - piece.window.start <= timedelta(hours=1)
        for piece, bar in zip(slices, made[5:], strict=True)
    )
    assert volume == sum(bar.volume for bar in made[5:])
    assert not partial
    assert desk.counts["gaps"] == 0


async def test_a_daily_bar_is_taken_once_its_session_has_closed(store_url: str) -> None:
    """New York closed at 20:00 UTC; the window of the next session, stamped at midnight, opens at 04:00."""
    made = daily_bars(["2025-03-10", "2025-03-11", "2025-03-12"], "America/New_York")
    clock = ManualClock(utc("2025-03-12 00:00"))
    async with a_desk(store_url, clock=clock, instrument=listed("XNYS", DAY)) as desk:
        await desk.feed(made[:2])
        order = await desk.order(min_steps=3, max_steps=3)
        clock.time = utc("2025-03-12 19:59:50")
        with pytest.raises(Unavailable) as refused:
            await desk.feed(made[2:])
        clock.time = utc("2025-03-12 20:00:10")

        await desk.feed(made[2:])

        assert refused.value.code == "bar_not_closed"
        assert spans(await desk.slices(order)) == ["12 04:00-04:00", "13 04:00-04:00"]


async def test_one_session_has_one_bar_whatever_its_stamp(store_url: str) -> None:
    midnight = daily_bars(["2025-03-04"], "Asia/Hong_Kong")
    async with a_desk(store_url, instrument=listed("XHKG", DAY)) as desk:
        await desk.feed(midnight)

        with pytest.raises(Conflict) as refused:
            await desk.feed([replace(midnight[0], open_time=utc("2025-03-04 01:30"))])

    assert refused.value.code == "bar_out_of_order"


async def test_an_order_that_would_outlast_the_calendar_is_refused_at_the_door(store_url: str) -> None:
    """Sessions of New York are asked for until the end of 2049; 2049-12-24 is a holiday there."""
    made = daily_bars(["2049-12-21", "2049-12-22", "2049-12-23"], "UTC")
    async with a_desk(store_url, instrument=listed("XNYS", DAY)) as desk:
        await desk.feed(made)

        with pytest.raises(InvalidInput) as refused:
            await desk.order("too-long", horizon=Horizon(min_steps=1, max_steps=6))
        accepted = await desk.order("fits", horizon=Horizon(min_steps=1, max_steps=5))

    assert refused.value.code == "outside_calendar"
    assert "2049-12-31" in str(refused.value)
    assert accepted.status in {"accepted", "working"}


@pytest.mark.parametrize("fills", Fills)
async def test_the_end_of_the_calendar_stops_neither_orders_nor_recovery(store_url: str, fills: Fills) -> None:
    days = ["2049-12-21", "2049-12-22", "2049-12-23", "2049-12-27", "2049-12-28", "2049-12-29", "2049-12-30"]
    made = daily_bars([*days, "2049-12-31"], "UTC")
    async with a_desk(store_url, instrument=listed("XNYS", DAY)) as desk:
        await desk.feed(made[:5])
        order = await desk.order(horizon=Horizon(min_steps=3, max_steps=3), fills=fills)
        await desk.feed_one_by_one(made[5:])

        with pytest.raises(InvalidInput) as refused:
            await desk.feed(daily_bars(["2050-01-03"], "UTC"))
        with pytest.raises(InvalidInput) as refused_order:
            await desk.order("another")

    async with a_desk(store_url, instrument=listed("XNYS", DAY)) as desk:
        ended, readiness = await desk.again(order), await desk.engine.recovery.readiness()
        schedule = await desk.engine.queries.schedule(order.order_id)

    assert {refused.value.code, refused_order.value.code} == {"outside_calendar"}
    assert readiness.ready
    assert len(schedule.steps) == 3
    assert ended.status == ("completed" if fills is Fills.ASSUMED else "working")


async def test_bars_of_a_second_a_session_apart_cost_little(store_url: str) -> None:
    """Laid out, the windows between them would be millions."""
    first = calendar("XNYS").first_open(utc("2024-01-02"), DAY, None)
    opens = [first, *calendar("XNYS").missing(first, utc("2024-03-01"), DAY, 40)]
    async with a_desk(store_url, instrument=listed("XNYS", 1)) as desk:
        ingested = await desk.feed(timed([(each, each + timedelta(seconds=1)) for each in opens]))

    assert (ingested.accepted, ingested.gaps_filled) == (41, 0)


async def test_calendars_are_loaded_off_the_event_loop(store_url: str) -> None:
    """The first exchange takes a second: pandas is imported for it."""
    threads: list[threading.Thread] = []

    def calendars(code: str) -> Calendar:
        threads.append(threading.current_thread())
        return calendar(code)

    async with a_desk(store_url, instrument=listed("XNYS", DAY), calendars=calendars) as desk:
        await desk.feed(daily_bars(["2025-03-04"], "UTC"))

    assert len(threads) == 2
    assert threading.main_thread() not in threads
