"""Steps of an exchange's bars: made from bars alone, they are those that the service makes with its calendar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.bars.series import raw_rows
from app.bars.session_steps import session_steps
from app.bars.stretches import stretches
from app.clock.calendars import calendar
from app.decision.market import Floats
from app.domain.bar import Bar
from app.domain.errors import InvalidInput
from app.engine.instruments.history import StepHistory
from app.engine.instruments.live import LiveInstrument
from app.engine.stages.filling import filling
from tests.bars.exchanges import NEW_YORK, lost, opens, series_at, write_series
from tests.builders import an_instrument
from tests.clock.session_bars import session_bars, utc
from tests.market import series_of

DAY = 86_400
AUTUMN = ("2024-10-21", "2024-12-07")
"""New York's clocks go back on 3 November, 28 November is a holiday and the 29th half a day."""
SPRING = ("2025-02-20", "2025-04-04")

Dropped = Callable[[datetime], bool]
made_once = cache(session_bars)


def no_bar(_: datetime) -> bool:
    return False


def some_bars(moment: datetime) -> bool:
    """The first bar of some days and the last of others, a bar here and there, hours of one day, the night from one day
    to the next with hours of both."""
    clock = moment.strftime("%m-%d %H:%M")
    return (
        clock in {"11-11 14:30", "11-12 14:30", "11-13 20:45", "11-14 15:00", "11-14 15:45", "11-15 18:00"}
        or "11-18 16:00" <= clock < "11-18 18:15"
        or "11-19 19:00" <= clock < "11-20 16:15"
    )


def unfinished(moment: datetime) -> bool:
    """The file begins in the middle of a step and ends before one is over."""
    return moment < utc("2024-10-21 14:00") or moment >= utc("2024-12-06 20:30")


def by_chance(moment: datetime) -> bool:
    """About one bar in thirty, the same ones each time."""
    return Random(moment.timestamp()).random() < 0.03


def served(code: str, bar_seconds: int, step_seconds: int, kept: Sequence[Bar]) -> Floats:
    """[W, C]: the raw rows of all steps that the service makes of the bars, with its gaps filled."""
    live = LiveInstrument(an_instrument(bar_seconds=bar_seconds, calendar=code), calendar(code), lookback=1)
    history = StepHistory(step_seconds, bar_seconds, len(kept), calendar(code))
    history.push(kept[0])
    for last, bar in pairwise(kept):
        for each in (*filling(live, last, bar), bar):
            history.push(each)
    rows: Floats = history.window(kept[-1]).bars[0]
    return rows[np.flatnonzero(rows.any(axis=1))[0] :]


@pytest.mark.parametrize(
    ("code", "days", "bar_seconds", "step_seconds", "dropped"),
    [
        *product(["XNYS"], [AUTUMN], [900], [1_800, 3_600, 7_200, 28_800, DAY], [no_bar, some_bars]),
        *product(["XNYS"], [AUTUMN], [900], [3_600, DAY], [unfinished, by_chance]),
        ("XNYS", AUTUMN, 300, DAY, no_bar),
        ("XNYS", SPRING, 900, 3_600, no_bar),
        ("XHKG", ("2024-12-02", "2025-01-18"), 900, 3_600, by_chance),
        ("XHKG", ("2024-12-02", "2025-01-18"), 900, DAY, no_bar),
        ("XTKS", ("2024-10-15", "2024-11-20"), 900, 3_600, no_bar),
        ("XASX", ("2025-03-20", "2025-04-30"), 900, 7_200, no_bar),
        ("XLON", ("2024-12-02", "2025-01-10"), 900, 3_600, no_bar),
        ("CMES", ("2025-02-10", "2025-04-10"), 1_800, 7_200, no_bar),
    ],
)
def test_steps_of_a_file_are_those_of_the_service(
    code: str, days: tuple[str, str], bar_seconds: int, step_seconds: int, dropped: Dropped
) -> None:
    """Half days, holidays, lunch breaks, changes of the clocks and of the hours; holes of every kind."""
    kept = [bar for bar in made_once(code, bar_seconds, *days) if not dropped(bar.open_time)]

    [steps] = session_steps(series_of(kept), step_seconds)

    np.testing.assert_allclose(raw_rows(steps), served(code, bar_seconds, step_seconds, kept), rtol=2e-7)


def test_a_step_without_a_bar_is_marked_and_shows_the_last_close() -> None:
    kept = [bar for bar in made_once("XNYS", 900, *AUTUMN) if not some_bars(bar.open_time)]

    [steps] = session_steps(series_of(kept), 3_600)

    unseen = [datetime.fromtimestamp(each, UTC) for each in steps.open_time[steps.synthetic].tolist()]
    assert [f"{each:%d %H:%M}" for each in unseen] == ["18 16:30", "19 19:30", "19 20:30", "20 14:30"]
    index = np.flatnonzero(steps.synthetic)
    assert (steps.close[index] == steps.open[index]).all()
    assert steps.volume[index].sum() == 0


def test_cut_steps_are_as_long_as_the_time_that_is_left() -> None:
    [steps] = session_steps(series_of(made_once("XNYS", 900, *AUTUMN)), 3_600)

    closes = [datetime.fromtimestamp(each, UTC) for each in (steps.open_time + steps.seconds).tolist()]

    assert sorted(set(steps.seconds.tolist())) == [1_800, 3_600]
    assert {f"{each:%m-%d %H:%M}" for each, long in zip(closes, steps.seconds, strict=True) if long < 3_600} >= {
        "11-01 20:00", "11-04 21:00", "11-29 18:00",
    }  # fmt: skip


def test_prints_after_an_early_close_belong_to_no_step() -> None:
    """Trading ends at 13:00, and three bars come later: one at the close, as of an auction."""
    kept = {"13:00", "13:40", "15:15"}
    early = lambda local: f"{local:%m-%d}" == "09-12" and f"{local:%H:%M}" >= "13:00" and f"{local:%H:%M}" not in kept  # noqa: E731
    flat = series_at(opens(NEW_YORK, ("09:30", "16:00"), minutes=5, days=30, lost=early))
    late = np.isin(flat.open_time, [utc(f"2024-09-12 {clock}").timestamp() for clock in ("17:00", "17:40", "19:15")])
    series = replace(flat, volume=np.where(late, 1.0, flat.volume))

    [steps], [days] = session_steps(series, 3_600), session_steps(series, DAY)

    of_day = [index for index, each in enumerate(steps.open_time) if datetime.fromtimestamp(each, UTC).day == 12]
    assert steps.seconds[of_day].tolist() == [3_600, 3_600, 3_600, 1_800]
    assert sorted(set(days.seconds.tolist())) == [12_600, 23_400]
    assert not steps.synthetic.any()


def test_a_session_that_opens_late_counts_from_its_own_open() -> None:
    late = lost("2024-09-12T09:30", "2024-09-12T11:00")

    [steps] = session_steps(series_at(opens(NEW_YORK, ("09:30", "16:00"), lost=late, days=30)), 7_200)

    begun = [datetime.fromtimestamp(each, UTC) for each in steps.open_time.tolist()]
    assert [f"{each:%H:%M}" for each in begun if each.day == 12] == ["15:00", "17:00", "19:00"]
    assert not steps.synthetic.any()


def test_hours_of_one_weekday_are_kept() -> None:
    """Jakarta's break is longer on Fridays."""
    fridays = lambda local: local.weekday() == 4 and "11:30" <= f"{local:%H:%M}" < "14:00"  # noqa: E731
    times = opens("Asia/Jakarta", ("09:00", "12:00"), ("13:30", "16:00"), lost=fridays, days=40)

    [steps] = session_steps(series_at(times), 3_600)

    wall = [datetime.fromtimestamp(each, ZoneInfo("Asia/Jakarta")) for each in steps.open_time.tolist()]
    by_day = {day: [f"{each:%H:%M}" for each in wall if each.weekday() == day] for day in (3, 4)}
    assert by_day[3][:6] == ["09:00", "10:00", "11:00", "13:30", "14:30", "15:30"]
    assert by_day[4][:5] == ["09:00", "10:00", "11:00", "14:00", "15:00"]


def test_after_a_long_hole_the_steps_begin_anew() -> None:
    """Bars of a minute are missing for six hours of one session."""
    hole = lost("2024-09-12T09:40", "2024-09-12T15:40")
    times = opens(NEW_YORK, ("09:30", "16:00"), minutes=1, days=20, lost=hole)

    before, after = session_steps(series_at(times), 600)

    assert datetime.fromtimestamp(int(before.open_time[-1]), UTC) == utc("2024-09-12 13:30")
    assert datetime.fromtimestamp(int(after.open_time[0]), UTC) == utc("2024-09-12 19:40")


@pytest.mark.parametrize("step_seconds", [450, 1_000, 2 * DAY])
def test_steps_that_no_session_can_make_are_refused(step_seconds: int, tmp_path: Path) -> None:
    path = tmp_path / "LISTED-15m.parquet"
    write_series(path, series_at(opens(NEW_YORK, ("09:30", "16:00"), days=20)))

    with pytest.raises(InvalidInput, match=r"LISTED-15m\.parquet: step_seconds is") as refused:
        stretches(path, step_seconds)

    assert refused.value.code == "bad_step_seconds"


def test_daily_steps_of_a_file_are_one_bar_for_each_session(tmp_path: Path) -> None:
    path = tmp_path / "LISTED-5m.parquet"
    write_series(path, series_at(opens(NEW_YORK, ("09:30", "16:00"), minutes=5, days=90)))

    [days] = stretches(path, DAY)

    assert len(days) == 65
    assert set(days.seconds.tolist()) == {23_400}
    assert set(days.volume.tolist()) == {7_800.0}
