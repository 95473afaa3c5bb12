"""What an order and its answer have in common: the horizon and the limits."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.api.values import WHOLE, Answer, DecimalOut, Edge, PositiveIn, RateIn, TimeIn, TimeOut
from app.domain.durations import DAY_SECONDS
from app.domain.order import AVOID_MINUTES_MAX, HORIZON_STEPS_MAX, Order

STEP_SECONDS_MAX = DAY_SECONDS

AT_LEAST_ONE: JsonDict = {"minimum": 1}

Steps = Annotated[int, Field(le=HORIZON_STEPS_MAX, json_schema_extra=AT_LEAST_ONE), WHOLE]
StepSeconds = Annotated[int, Field(le=STEP_SECONDS_MAX, json_schema_extra=AT_LEAST_ONE), WHOLE]
Minutes = Annotated[int, Field(ge=0, le=AVOID_MINUTES_MAX), WHOLE]


class HorizonIn(Edge):
    """The order ends at some step between `min_steps` and `max_steps`."""

    min_steps: Steps
    """The order does not end before this step; 1 to `max_steps`."""
    max_steps: Steps
    """The order ends with this step at the latest."""
    step_seconds: StepSeconds | None = None
    """Length of a step in seconds, 1 to 86,400: a multiple of the instrument's bars. Without it a step is a bar."""


class HorizonTimesIn(Edge):
    """Times in the place of steps. The order is accepted with the steps that these times leave of the trading windows
    from its first one on, and keeps them. It ends at `latest_end` or before, and not before the step in which
    `earliest_end` lies; where nobody trades then, not before the last step before it."""

    earliest_end: TimeIn
    """The order does not end before the step in which this time lies: RFC 3339 with an offset."""
    latest_end: TimeIn
    """No step ends later: RFC 3339 with an offset, not before `earliest_end`."""
    step_seconds: StepSeconds | None = None
    """Length of a step in seconds, 1 to 86,400: a multiple of the instrument's bars. Without it a step is a bar."""


IN_STEPS, IN_TIMES = (kind.model_fields.keys() - {"step_seconds"} for kind in (HorizonIn, HorizonTimesIn))
"""The fields that only one kind of horizon has."""


def _one_kind(value: Any) -> HorizonIn | HorizonTimesIn:
    given = value.keys() if isinstance(value, dict) else set()
    steps, times = given & IN_STEPS, given & IN_TIMES
    if steps and times:
        raise PydanticCustomError(
            "horizon_ambiguous", "give min_steps and max_steps, or earliest_end and latest_end, not both"
        )
    return (HorizonTimesIn if times else HorizonIn).model_validate(value)


class LimitsIn(Edge):
    """Hard limits of every slice."""

    max_slice_fraction: RateIn | None = None
    """The largest slice as a fraction of the order, above 0 and at most 1; at least 1/`max_steps`."""
    max_participation_rate: RateIn | None = None
    """The largest slice as a fraction of the volume that the market is expected to trade in the step, above 0 and at
    most 1."""
    limit_price: PositiveIn | None = None
    """Nothing is asked for while the last close is above it (a buy) or below it (a sell): quote currency, a multiple of
    the instrument's tick."""
    finish_price: PositiveIn | None = None
    """Where the last close is at it or below (a buy), or at it or above (a sell), all that is left is asked for at
    once, within the other limits and not before `min_steps`: quote currency, a multiple of the instrument's tick."""
    avoid_open_minutes: Minutes | None = None
    """Nothing is asked for in a window that touches so many first minutes of a session, 0 to 1,440; for instruments
    with sessions. Without it the open is taken part in."""
    avoid_close_minutes: Minutes | None = None
    """Nothing is asked for in a window that touches so many last minutes of a session, 0 to 1,440; for instruments
    with sessions. Without it the close is taken part in."""


AskedHorizon = Annotated[HorizonIn | HorizonTimesIn, BeforeValidator(_one_kind)]


class HorizonOut(Answer):
    """`earliest_end` and `latest_end` are what the order gave, where it gave times; `min_steps` and `max_steps` are
    then what was counted when it was accepted."""

    min_steps: int
    """The order does not end before this step."""
    max_steps: int
    """The order ends with this step at the latest."""
    step_seconds: int | None
    """Length of a step in seconds; null where a step is a bar."""
    earliest_end: TimeOut | None
    """As the order gave it, in UTC; null where it gave steps."""
    latest_end: TimeOut | None
    """As the order gave it, in UTC; null where it gave steps."""

    @classmethod
    def of(cls, order: Order) -> Self:
        steps, times = order.horizon, order.horizon_in_time
        return cls(
            min_steps=steps.min_steps,
            max_steps=steps.max_steps,
            step_seconds=steps.step_seconds,
            earliest_end=times.earliest_end if times else None,
            latest_end=times.latest_end if times else None,
        )


class LimitsOut(Answer):
    """Hard limits of every slice."""

    max_slice_fraction: DecimalOut | None
    """The largest slice as a fraction of the order; null for no limit."""
    max_participation_rate: DecimalOut | None
    """The largest slice as a fraction of the market's expected volume; null for no limit."""
    limit_price: DecimalOut | None
    """In quote currency; null for no limit."""
    finish_price: DecimalOut | None
    """In quote currency; null where no price finishes the order."""
    avoid_open_minutes: int | None
    """First minutes of a session that are avoided; null for none."""
    avoid_close_minutes: int | None
    """Last minutes of a session that are avoided; null for none."""
