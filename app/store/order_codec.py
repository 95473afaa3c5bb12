"""The mandate of an order, which never changes, as JSON text and back. What changes is in state_codec.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Any

from app.domain.earlier import Earlier
from app.domain.order import Benchmark, Fills, Horizon, HorizonInTime, Limits, Order, Side, SizeMode
from app.domain.order_words import Completion, RiskAversion
from app.domain.state import OrderState
from app.store import older_forms
from app.store.forms import array, array_from, is_array, moment, number, text

MANDATES_CACHED = 20_000
NAMES = frozenset(RiskAversion)
NO_TERM = 0
DEFAULT_TERMS: list[Any] = [NO_TERM, None, None, None]
"""Completion, finish price, minutes after the open and before the close that are avoided."""
ADDED_LATER: list[Any] = [None, NO_TERM, NO_TERM, None, NO_TERM]
"""Of mandates that are shorter: the account, the orders in whose place this one stands, the desk's terms, the bundle
and the model that was asked for. Each of them came behind those before it."""


def mandate_text(state: OrderState) -> str:
    order, limits, in_time = state.order, state.order.limits, state.order.horizon_in_time
    return array(
        order.order_id,
        order.client_order_id,
        order.instrument,
        order.side,
        str(order.size),
        order.size_mode,
        order.benchmark,
        order.horizon.min_steps,
        order.horizon.max_steps,
        order.horizon.step_seconds,
        [in_time.earliest_end.isoformat(), in_time.latest_end.isoformat()] if in_time else None,
        order.start_time.isoformat() if order.start_time else None,
        text(limits.max_slice_fraction),
        text(limits.max_participation_rate),
        text(limits.limit_price),
        None if order.risk_aversion is None else str(order.risk_aversion),
        order.fills,
        order.report_delay_seconds,
        str(state.lot),
        str(state.base_lot),
        state.total,
        state.slice_cap,
        str(state.min_notional),
        order.account,
        [[each.order_id, each.last_step] for each in state.earlier] or NO_TERM,
        _desk_terms(order),
        state.bundle,
        order.model or NO_TERM,
    )


def _desk_terms(order: Order) -> object:
    """What few orders have."""
    limits = order.limits
    terms = [
        NO_TERM if order.completion is Completion.WITHIN_LIMITS else order.completion,
        text(limits.finish_price),
        limits.avoid_open_minutes,
        limits.avoid_close_minutes,
    ]
    return terms if terms != DEFAULT_TERMS else NO_TERM


def order_from(mandate: str) -> Order:
    order: Order = standing_from(mandate)["order"]
    return order


def earlier_from(mandate: str) -> Sequence[Earlier]:
    """The orders in whose place the order stands, oldest first."""
    earlier: Sequence[Earlier] = standing_from(mandate).get("earlier", ())
    return earlier


@lru_cache(maxsize=MANDATES_CACHED)
def standing_from(mandate: str) -> Mapping[str, Any]:
    """The parts of `OrderState` that never change; kept, for they are read whenever the order is."""
    if not is_array(mandate):
        return older_forms.mandate_from(mandate)
    (
        order_id, client_order_id, instrument, side, size, size_mode, benchmark, min_steps, max_steps, step_seconds,
        ends, start_time, max_slice_fraction, max_participation_rate, limit_price, risk_aversion, fills,
        report_delay_seconds, lot, base_lot, total, slice_cap, min_notional, *added,
    ) = array_from(mandate)  # fmt: skip
    account, chain, desk_terms, bundle, model, *_ = added + ADDED_LATER[len(added) :]
    earlier = tuple(Earlier(order_id=each, last_step=step) for each, step in chain or ())
    completion, finish_price, avoid_open_minutes, avoid_close_minutes, *_ = desk_terms or DEFAULT_TERMS
    order = Order(
        order_id=order_id,
        client_order_id=client_order_id,
        instrument=instrument,
        side=Side(side),
        size=Decimal(size),
        size_mode=SizeMode(size_mode),
        benchmark=Benchmark(benchmark),
        horizon=Horizon(min_steps=min_steps, max_steps=max_steps, step_seconds=step_seconds),
        start_time=moment(start_time),
        limits=Limits(
            max_slice_fraction=number(max_slice_fraction),
            max_participation_rate=number(max_participation_rate),
            limit_price=number(limit_price),
            finish_price=number(finish_price),
            avoid_open_minutes=avoid_open_minutes,
            avoid_close_minutes=avoid_close_minutes,
        ),
        risk_aversion=_risk_aversion(risk_aversion),
        completion=Completion(completion or Completion.WITHIN_LIMITS),
        fills=Fills(fills),
        report_delay_seconds=report_delay_seconds,
        horizon_in_time=_horizon_in_time(ends, step_seconds),
        account=account,
        replaces=earlier[-1].order_id if earlier else None,
        model=model or None,
    )
    lots = {"lot": Decimal(lot), "base_lot": Decimal(base_lot), "min_notional": Decimal(min_notional)}
    return {
        "order": order,
        **lots,
        "total": total,
        "slice_cap": slice_cap,
        "earlier": earlier,
        "bundle": intern(bundle) if bundle else None,
    }


def _risk_aversion(value: str | None) -> Decimal | RiskAversion | None:
    return RiskAversion(value) if value in NAMES else number(value)


def _horizon_in_time(ends: Sequence[str] | None, step_seconds: int | None) -> HorizonInTime | None:
    if ends is None:
        return None
    earliest_end, latest_end = map(datetime.fromisoformat, ends)
    return HorizonInTime(earliest_end=earliest_end, latest_end=latest_end, step_seconds=step_seconds)
