"""A schedule on the wire: every step of an order, done, current and projected."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from pydantic import ConfigDict
from pydantic.config import JsonDict

from app.api.slices import bodies as slice_bodies
from app.api.slices.bodies import SliceOut, WindowOut
from app.api.values import Answer, DecimalOut
from app.domain.lifecycle import Status
from app.engine.results import Schedule, ScheduledStep, StepState

PROBABILITY_DIGITS = 6

EXAMPLE: JsonDict = {
    "step": 4,
    "state": "projected",
    "window": {"start": "2025-01-06T14:45:00Z", "end": "2025-01-06T15:00:00Z"},
    "fraction": "0.09",
    "executed": "0",
    "end_probability": "0.18",
    "slice": None,
}


class StepOut(Answer):
    """One step of an order: done, current or projected."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    step: int
    """Number of the step, counted from 1."""
    state: StepState
    """Whether the step is over, runs, or is yet to be decided."""
    window: WindowOut
    """When the step is traded."""
    fraction: DecimalOut
    """Fraction of the order that was asked for. Of a projected step it is the mean of what may be, where an order that
    has ended before asks for nothing."""
    executed: DecimalOut
    """What was traded in the step, in the unit that the order fixes."""
    end_probability: DecimalOut
    """Chance, seen from now, that the order ends with this step, 0 to 1."""
    slice: SliceOut | None
    """The slice as it was decided; null for a projected step."""

    @classmethod
    def of(cls, step: ScheduledStep) -> Self:
        return cls(
            step=step.step,
            state=step.state,
            window=WindowOut(start=step.window.start, end=step.window.end),
            fraction=step.fraction,
            executed=step.executed,
            end_probability=Decimal(repr(round(step.end_probability, PROBABILITY_DIGITS))),
            slice=None if step.slice is None else SliceOut.of(step.slice),
        )


class ScheduleOut(Answer):
    """The slices so far, the current one, and the projected rest."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "order_id": slice_bodies.ORDER_ID,
                    "status": "working",
                    "steps": [
                        EXAMPLE
                        | {"step": 3, "state": "current", "end_probability": "0", "slice": slice_bodies.EXAMPLE},
                        EXAMPLE,
                    ],
                }
            ]
        }
    )

    order_id: str
    """Our name of the order."""
    status: Status
    """Where the order is in its life."""
    steps: list[StepOut]
    """Every step up to `max_steps` that may be reached."""

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        steps = [StepOut.of(step) for step in schedule.steps]
        return cls(order_id=schedule.order_id, status=schedule.status, steps=steps)
