"""Walks through the life cycle of orders, as many steps as somebody asks for."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lifecycle.machine import Lifecycle
from tests.lifecycle.service import Service

STEPS_A_RUN = 40


def explore(folder: Path, *, steps: int) -> None:
    """Raises AssertionError with the shortest walk that was found on which service and model differ."""
    how = settings(
        max_examples=max(1, steps // STEPS_A_RUN),
        stateful_step_count=STEPS_A_RUN,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with Service(folder) as service:
        Lifecycle.service = service
        run_state_machine_as_test(Lifecycle, settings=how)
