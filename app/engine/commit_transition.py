"""The one way in which an order changes: move it, commit, and move it again where somebody else was first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.stages.commit import Committer

RACES_MAX = 20

Transition = Callable[[Sequence[OrderState]], Awaitable[Sequence[Change | None]]]
"""For each order what is to be committed, None where the order stays as it is. Called again for those that somebody
else has moved meanwhile, as they are recorded then."""


async def commit_transition(
    committer: Committer, orders: Sequence[OrderState], transition: Transition
) -> list[OrderState]:
    """Move each order by the transition and record it; returns the orders as they are then.

    An order that somebody else has moved meanwhile (a bar, a fill, a cancel) is moved from where it is recorded.
    Raises Unavailable("busy") where that goes on for too long, and what the transition raises.
    """
    recorded = {state.order_id: state for state in orders}
    pending = list(orders)
    for _ in range(RACES_MAX):
        changes = [change for change in await transition(pending) if change is not None]
        recorded |= {change.after.order_id: change.after for change in changes}
        pending = await committer.commit(changes)
        recorded |= {state.order_id: state for state in pending}
        if not pending:
            return list(recorded.values())
    raise Unavailable("busy", f"{len(pending)} orders change faster than they can be moved; repeat the request")
