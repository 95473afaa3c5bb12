"""The fields of the ticket: what a person types, the body of an order as the interface takes it, and what is wrong with
which field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.api.orders.bodies import OrderIn
from app.api.problem_bodies import Problem
from app.api.problems import problem_of
from app.api.values import plain
from app.domain.errors import LemError
from app.domain.order import AskedOrder, OrderInTime, SizeMode

Body = TypeVar("Body", bound=OrderIn)

LIMITS = (
    *("max_slice_fraction", "max_participation_rate", "limit_price", "finish_price"),
    *("avoid_open_minutes", "avoid_close_minutes"),
)
TERMS = (
    *("client_order_id", "account", "instrument", "side", "benchmark", "start_time", "risk_aversion", "completion"),
    *("fills", "report_delay_seconds", "model"),
)
HORIZON = ("min_steps", "max_steps", "earliest_end", "latest_end", "step_seconds")
COSTS = ("half_spread_bps", "impact")
PLACES: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in TERMS},
    **{name: ("horizon", name) for name in HORIZON},
    **{name: ("limits", name) for name in LIMITS},
    **{name: ("costs", name) for name in COSTS},
}
"""Where the field of that name stands in the body; only the size has a place that depends on what was chosen."""
WHOLE = frozenset({"min_steps", "max_steps", "step_seconds", *LIMITS[-2:], "report_delay_seconds"})
TIMES = frozenset({"start_time", "earliest_end", "latest_end"})
MINUTES_LENGTH = len("2025-01-06T14:30")
ELSEWHERE = {"#": "size", "#/quantity": "size", "#/notional": "size", "#/horizon": "min_steps"}
"""The field to which a pointer leads that is no field's own."""
OF_CODES = {"client_order_id_reused": "client_order_id"}
"""The field that is to blame for what the interface blames on no field."""
LABELS: Mapping[str, str] = {
    "client_order_id": "Name of the order",
    "account": "Account",
    "instrument": "Instrument",
    "side": "Side",
    "size": "Size",
    "size_mode": "Size in",
    "benchmark": "Benchmark",
    "min_steps": "Earliest end, step",
    "max_steps": "Latest end, step",
    "step_seconds": "Length of a step (s)",
    "start_time": "Start (UTC)",
    "earliest_end": "Earliest end (UTC)",
    "latest_end": "Latest end (UTC)",
    "max_participation_rate": "Largest participation (fraction)",
    "max_slice_fraction": "Largest slice (fraction)",
    "limit_price": "Limit price",
    "finish_price": "Finish price",
    "avoid_open_minutes": "Avoid after the open (min)",
    "avoid_close_minutes": "Avoid before the close (min)",
    "risk_aversion": "Risk aversion",
    "completion": "Completion",
    "fills": "Fills",
    "report_delay_seconds": "Reports come within (s)",
    "model": "Model",
    "half_spread_bps": "Half spread (bps)",
    "impact": "Impact factor",
}


def body_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The body of an order or a quote. What is no number or time stays as it was typed, and is refused as such."""
    body: dict[str, Any] = {"horizon": {}}
    for name, place in PLACES.items():
        if name in fields:
            *parents, last = place
            inside = body
            for parent in parents:
                inside = inside.setdefault(parent, {})
            inside[last] = _value(name, fields[name])
    if "size" in fields:
        body[fields.get("size_mode", SizeMode.QUANTITY)] = "".join(fields["size"].split())
    return body


def _value(name: str, text: str) -> str | int:
    if name in WHOLE and text.isascii() and text.isdigit() and len(text) < MINUTES_LENGTH:
        return int(text)
    if name in TIMES and "T" in text and not text.endswith(("Z", "z")) and "+" not in text:
        return f"{text}:00Z" if len(text) == MINUTES_LENGTH else f"{text}Z"  # as a browser's field of a time gives it
    return text


def fields_of_order(order: AskedOrder) -> dict[str, str]:
    """The order's terms as they are typed; what is not given is left out."""
    times = order.horizon if isinstance(order, OrderInTime) else order.horizon_in_time
    steps = None if isinstance(order, OrderInTime) or times else order.horizon
    found: dict[str, object] = {name: getattr(order, name) for name in TERMS}
    found |= {name: getattr(order.limits, name) for name in LIMITS}
    found |= {"size": order.size, "size_mode": order.size_mode, "step_seconds": order.horizon.step_seconds}
    if steps is not None:
        found |= {"min_steps": steps.min_steps, "max_steps": steps.max_steps}
    if times is not None:
        found |= {"earliest_end": times.earliest_end, "latest_end": times.latest_end}
    return {name: _typed(value) for name, value in found.items() if value is not None}


def _typed(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return str(value)


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong: by field, and what no field is to blame for. `status` is that of the answer."""

    status: int
    by_field: Mapping[str, str]
    others: tuple[str, ...]

    def typed(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        """Of fields that have been filled in."""
        return {name: told for name, told in self.by_field.items() if name in fields}

    def missing(self, fields: Mapping[str, str]) -> list[str]:
        """Labels of the fields that are still to be filled in."""
        return [LABELS[name] for name in self.by_field if name not in fields]


def read(kind: type[Body], fields: Mapping[str, str]) -> Body:
    """Raises RequestValidationError, as the interface does for the same body."""
    try:
        return kind.model_validate(body_of(fields))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from error


def order_in(fields: Mapping[str, str], account: str | None) -> AskedOrder:
    """The costs are those of a quote alone. Raises what the interface does."""
    return read(OrderIn, {name: text for name, text in fields.items() if name not in COSTS}).to_domain(account)


def faults_of(error: LemError | RequestValidationError, path: str) -> Faults:
    return _faults(problem_of(error, path))


def _faults(problem: Problem) -> Faults:
    if problem.code in OF_CODES:
        return Faults(problem.status, {OF_CODES[problem.code]: problem.detail}, ())
    by_field: dict[str, str] = {}
    others: list[str] = []
    for wrong in problem.errors or ():
        name = _field_at(wrong.pointer or "")
        if name is None:
            others.append(f"{(wrong.pointer or '').removeprefix('#/')}: {wrong.detail}")
        else:
            by_field.setdefault(name, wrong.detail)
    return Faults(problem.status, by_field, tuple(others) if problem.errors else (problem.detail,))


def _field_at(pointer: str) -> str | None:
    if pointer in ELSEWHERE:
        return ELSEWHERE[pointer]
    last = pointer.rpartition("/")[2]
    return last if last in LABELS else None
