"""Orders that are projected side by side get what each would get alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.decision.chain import ChainReading, Reading
from app.decision.decide import decide, decide_all
from app.decision.market import COLUMNS
from app.decision.policies.twap import Twap
from app.decision.projections import Rooms, project_all
from app.domain.projection import Bound, Room, project
from app.domain.slice import Basis
from tests.builders import a_room
from tests.engine.policies import NotANumber
from tests.market import some_rows

MODEL_OUTPUTS = st.floats(0.0, 1.0) | st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, 0.5, 1e300, 1e-300])


@dataclass(frozen=True)
class Case:
    """Rooms that differ in what `Rooms` keeps by order, and a proposal for each."""

    rooms: list[Room]
    proposals: list[tuple[float, float]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    max_steps = draw(st.integers(1, 300))
    total = draw(st.integers(1, 40) | st.integers(1, 10**18))
    least_cap = -(-total // max_steps)
    step = draw(st.integers(1, max_steps))
    slice_cap = draw(st.sampled_from([total, least_cap]) | st.integers(least_cap, total))
    shortest = max(step, -(-total // slice_cap))
    alike: dict[str, Any] = {"step": step, "total": total, "slice_cap": slice_cap}
    alike["min_slice"] = draw(st.integers(0, 5) | st.integers(0, 2 * total))
    alike["avoided"] = draw(st.sampled_from([None, None, Bound.AVOID_OPEN]))
    alike["usable_after"] = draw(st.none() | st.integers(0, max_steps - step))
    alike["completing"] = draw(st.booleans())
    capped, priced, count = draw(st.booleans()), draw(st.booleans()), draw(st.integers(1, 6))
    finishing = draw(st.booleans())
    rooms = [
        a_room(
            **alike,
            max_steps=(longest := draw(st.integers(shortest, max_steps))),
            min_steps=draw(st.integers(1, longest)),
            leaves=draw(st.integers(0, total)),
            stopping=draw(st.booleans()),
            market_cap=draw(st.integers(0, total)) if capped else None,
            price_blocked=draw(st.booleans()) if priced else False,
            at_finish_price=draw(st.booleans()) if finishing else False,
        )
        for _ in range(count)
    ]
    return Case(rooms, [(draw(MODEL_OUTPUTS), draw(MODEL_OUTPUTS)) for _ in rooms])


def side_by_side(rooms: list[Room]) -> Rooms:
    first = rooms[0]
    return Rooms(
        step=first.step,
        total=first.total,
        slice_cap=first.slice_cap,
        min_slice=first.min_slice,
        min_steps=np.array([each.min_steps for each in rooms]),
        max_steps=np.array([each.max_steps for each in rooms]),
        leaves=np.array([each.leaves for each in rooms]),
        stopping=np.array([each.stopping for each in rooms]),
        market_cap=None if first.market_cap is None else np.array([each.market_cap for each in rooms]),
        price_blocked=np.array([each.price_blocked for each in rooms]),
        at_finish_price=np.array([each.at_finish_price for each in rooms]),
        avoided=first.avoided is not None,
        usable_after=first.usable_after,
        completing=first.completing,
    )


VERY_LARGE = 838_488_366_986_797_801
"""Lots; eleven times as many are more than 64 bits hold."""


@settings(max_examples=50)
@given(cases())
@example(Case([a_room(step=1, max_steps=12, total=VERY_LARGE, slice_cap=VERY_LARGE, leaves=1)], [(0.0, 0.0)]))
def test_side_by_side_and_alone_are_the_same(case: Case) -> None:
    alone = [project(room, *proposal) for room, proposal in zip(case.rooms, case.proposals, strict=True)]

    together = project_all(side_by_side(case.rooms), *np.array(case.proposals).T)

    assert together.lots.tolist() == [each.lots for each in alone]
    assert together.stopping.tolist() == [each.stopping for each in alone]


def test_a_batch_falls_back_where_each_of_its_orders_would() -> None:
    empty = np.zeros((1, Twap.lookback, len(COLUMNS)), dtype=np.float32)
    model, fallback = (Reading(policy, policy.observe(empty, 12)) for policy in (NotANumber(), Twap()))
    reading, rooms = ChainReading(model, (fallback,)), [a_room(step=3)] * 3
    rows = replace(some_rows(3, step=3), scenario=np.array([0, 4, 7]))

    alone, together = decide(reading, rows, rooms), decide_all(reading, rows, side_by_side(rooms))

    assert [each.judgement.basis for each in alone] == [Basis.MODEL, Basis.FALLBACK, Basis.FALLBACK]
    assert together.fallbacks == 2
    assert together.projections.lots.tolist() == [each.projection.lots for each in alone]
    assert together.allocation.tolist() == [each.judgement.allocation for each in alone]
