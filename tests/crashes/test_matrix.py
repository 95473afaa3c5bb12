"""The crash matrix: services and stores that are killed, stopped, cut off and full leave what an undisturbed run
leaves."""

from __future__ import annotations

import pytest

from tests.crashes.faults import Fault
from tests.crashes.harm import Kind, Layout, Scenario
from tests.crashes.matrix import outcomes
from tests.crashes.points import Point
from tests.crashes.run import a_worker
from tests.crashes.table import failure

pytestmark = pytest.mark.spawns

SCENARIOS, JOBS = 200, 3
"""A job waits a part of its time: for a store that is away, for a lease to end."""


def test_two_hundred_scenarios_lose_double_and_change_nothing() -> None:
    found = list(outcomes(range(SCENARIOS), JOBS))

    assert [failure(outcome) for outcome in found if outcome.failed] == []
    assert len({outcome.seed for outcome in found if outcome.struck}) == SCENARIOS


@pytest.mark.parametrize(
    ("fault", "point", "found"),
    [
        (Fault.NO_RECOVERY, Point.STORED, "lost"),
        (Fault.NO_MEMORY, Point.FILL_BOOKED, "doubled"),
    ],
)
async def test_a_service_with_a_fault_is_found_out(fault: Fault, point: Point, found: str) -> None:
    """Else the test above would prove little."""
    with a_worker(fault) as worker:
        outcome = await worker.outcome(Scenario(10, Kind.KILL, point, Layout.SHARED))

    assert getattr(outcome, found) > 0
