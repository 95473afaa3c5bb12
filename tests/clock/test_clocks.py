"""The wall clock does not jump with the machine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.clock.clocks import STEP_SECONDS_MAX, WallClock
from tests.builders import START

LONG_AGO = START - timedelta(days=1)


class Machine:
    """A machine's two clocks, moved by a test."""

    def __init__(self) -> None:
        self.wall = START.timestamp()
        self.monotonic = 1_000.0
        self.clock = WallClock(lambda: self.wall, lambda: self.monotonic)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def now(self, newest_close: datetime = LONG_AGO) -> float:
        """Seconds since the start by the service's clock."""
        return (self.clock.now(newest_close) - START).total_seconds()


@pytest.mark.parametrize("step", [-30.0, 30.0])
def test_a_small_step_of_the_machine_s_clock_is_not_followed_at_once(step: float) -> None:
    machine = Machine()
    machine.wall += step

    at_once = machine.now()
    machine.passes(30)
    later = machine.now()

    assert at_once == pytest.approx(0, abs=0.001)
    assert later == pytest.approx(30, abs=0.7)


def test_a_small_step_is_followed_in_the_end() -> None:
    machine = Machine()
    machine.wall += 30

    for _ in range(30):
        machine.passes(60)
        machine.now()

    assert machine.now() == pytest.approx(30 * 60 + 30, abs=0.001)


@pytest.mark.parametrize("step", [-3_600.0, 3_600.0])
def test_a_large_step_is_followed_at_once_and_told(step: float, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    machine.wall += step

    assert abs(step) > STEP_SECONDS_MAX
    assert machine.now() == pytest.approx(step, abs=0.001)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_clock_never_goes_back_over_small_steps() -> None:
    machine = Machine()
    seen = []
    for step in (0, -40, 0.5, 25, -0.2, -30):
        machine.wall += step
        machine.passes(1)
        seen.append(machine.now())

    assert seen == sorted(seen)


def test_a_bar_that_has_closed_by_the_machine_s_own_clock_has_closed() -> None:
    """A machine whose clock was slow and is put right must not refuse the bars of the time that it missed."""
    machine = Machine()
    machine.wall += 30

    assert machine.now(START + timedelta(seconds=29)) == 29
    assert machine.now(START + timedelta(seconds=31)) < 31


def test_the_clock_tells_utc() -> None:
    assert WallClock().now(LONG_AGO).tzinfo is UTC
