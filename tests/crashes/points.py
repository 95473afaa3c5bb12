"""The named points of the way, and how a service under test passes them.

Nothing in the product knows of a point: the launcher wraps the functions of the stages in the process under test (see
"The way of a bar" in docs/architecture.md).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

from app.engine.bars import BarIntake
from app.engine.fills import FillReports
from app.engine.orders import OrderEntry
from app.engine.ownership.leases import Leases
from app.engine.stages import decide
from app.engine.stages.announce import Announcer
from app.engine.stages.decide import Decider
from app.store.redis_store import RedisStore


class Point(StrEnum):
    BAR_RECEIVED = "bar received"
    STORING = "before the bar is stored"
    STORED = "bar stored"
    CONTEXT = "context read"
    DECIDED = "decided"
    COMMITTING = "before the commit"
    COMMITTED = "committed"
    ANNOUNCED = "announced"
    BAR_ANSWERED = "bar done, not answered"
    CREATING = "before the order is stored"
    CREATED = "order stored"
    ORDER_ANSWERED = "order done, not answered"
    FILL_RECEIVED = "fill received"
    FILL_BOOKED = "fill booked"
    FILL_ANSWERED = "fill done, not answered"
    SLICE_CLOSED = "slice closed"
    CANCELLING = "cancel received"
    CANCELLED = "cancelled"
    LEASE_WANTED = "before a lease is taken"
    LEASE_TAKEN = "lease taken"


SHARED_POINTS = frozenset({Point.LEASE_WANTED, Point.LEASE_TAKEN})
"""Nobody passes them where a service has its store alone."""

Passed = Callable[[Point], None]


def _every(_: tuple[Any, ...], __: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """A point is before or after a function of `owner`; `counts` says which of its calls pass the point, from the
    call's arguments and, after it, its answer."""

    point: Point
    owner: Any
    name: str
    after: bool
    counts: Callable[[tuple[Any, ...], Any], bool] = _every


def _books_a_fill(arguments: tuple[Any, ...], _: Any) -> bool:
    return any(change.fill is not None for change in arguments[1])


def _decided_some(_: tuple[Any, ...], answer: Any) -> bool:
    return bool(answer)


PLACES = (
    Place(Point.BAR_RECEIVED, BarIntake, "post", after=False),
    Place(Point.STORING, RedisStore, "append_bars", after=False),
    Place(Point.STORED, RedisStore, "append_bars", after=True),
    Place(Point.CONTEXT, decide, "read_windows", after=True),
    Place(Point.DECIDED, Decider, "decide", after=True, counts=_decided_some),
    Place(Point.COMMITTING, RedisStore, "commit", after=False),
    Place(Point.COMMITTED, RedisStore, "commit", after=True),
    Place(Point.ANNOUNCED, Announcer, "announce", after=True),
    Place(Point.BAR_ANSWERED, BarIntake, "post", after=True),
    Place(Point.CREATING, RedisStore, "create", after=False),
    Place(Point.CREATED, RedisStore, "create", after=True),
    Place(Point.ORDER_ANSWERED, OrderEntry, "submit", after=True),
    Place(Point.FILL_RECEIVED, FillReports, "report", after=False),
    Place(Point.FILL_BOOKED, RedisStore, "commit", after=True, counts=_books_a_fill),
    Place(Point.FILL_ANSWERED, FillReports, "report", after=True),
    Place(Point.SLICE_CLOSED, FillReports, "close", after=True),
    Place(Point.CANCELLING, OrderEntry, "cancel", after=False),
    Place(Point.CANCELLED, OrderEntry, "cancel", after=True),
    Place(Point.LEASE_WANTED, Leases, "_assign", after=False),
    Place(Point.LEASE_TAKEN, Leases, "_assign", after=True),
)


def watch(passed: Passed) -> None:
    """From now on `passed` is called in this process at every passage of a point."""
    for place in PLACES:
        setattr(place.owner, place.name, _wrapped(place, getattr(place.owner, place.name), passed))


def _wrapped(place: Place, call: Callable[..., Any], passed: Passed) -> Callable[..., Any]:
    def pass_by(arguments: tuple[Any, ...], answer: Any = None) -> None:
        if place.counts(arguments, answer):
            passed(place.point)

    @wraps(call)
    async def asynchronous(*arguments: Any, **options: Any) -> Any:
        if not place.after:
            pass_by(arguments)
        answer = await call(*arguments, **options)
        if place.after:
            pass_by(arguments, answer)
        return answer

    @wraps(call)
    def synchronous(*arguments: Any, **options: Any) -> Any:
        answer = call(*arguments, **options)
        pass_by(arguments, answer)
        return answer

    return asynchronous if inspect.iscoroutinefunction(call) else synchronous
