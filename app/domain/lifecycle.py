"""The life cycle of an order: which statuses there are, what moves an order from one to the next, and why it stops.

`TRANSITIONS` is the whole of it. A pair that the table does not have changes nothing: a cancelled order stays
cancelled when a late fill completes its quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """Where an order is in its life. `accepted`: its first slice is still to come; `working`: it has slices, and more
    may follow; `paused`: no slice comes until it is resumed; `completed`: all of it is filled; `cancelled`: ended by
    the OMS; `expired`: its steps have passed and something is left; `rejected`: never taken; `replaced`: another order
    has taken its place."""

    ACCEPTED = "accepted"
    WORKING = "working"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def live(self) -> bool:
        """Whether bars can still move the order."""
        return self in LIVE


class Move(StrEnum):
    """What can happen to an order's status."""

    SLICE = "slice"
    """A slice is decided."""
    FILLED = "filled"
    """All of the order is filled, but for less than a lot."""
    OUT_OF_STEPS = "out_of_steps"
    """All steps have passed, and something is left."""
    CANCEL = "cancel"
    """The OMS wants no further slice."""
    PAUSE = "pause"
    """The OMS wants nothing traded for the time being."""
    REPLACE = "replace"
    """Another order takes the place of this one."""
    RESUME = "resume"
    """The OMS wants the order, which has slices, to go on."""
    RESUME_UNBEGUN = "resume_unbegun"
    """The OMS wants the order to go on, which has no slice yet."""
    BUSTED = "busted"
    """Something that counted as filled is not, and the order can go on with its next window."""
    BUSTED_LATE = "busted_late"
    """Something that counted as filled is not, and the order's time is over."""


LIVE = frozenset({Status.ACCEPTED, Status.WORKING, Status.PAUSED})

TRANSITIONS: Mapping[tuple[Status, Move], Status] = {
    (Status.ACCEPTED, Move.SLICE): Status.WORKING,
    (Status.ACCEPTED, Move.FILLED): Status.COMPLETED,
    (Status.ACCEPTED, Move.OUT_OF_STEPS): Status.EXPIRED,
    (Status.ACCEPTED, Move.CANCEL): Status.CANCELLED,
    (Status.WORKING, Move.SLICE): Status.WORKING,
    (Status.WORKING, Move.FILLED): Status.COMPLETED,
    (Status.WORKING, Move.OUT_OF_STEPS): Status.EXPIRED,
    (Status.WORKING, Move.CANCEL): Status.CANCELLED,
    (Status.ACCEPTED, Move.PAUSE): Status.PAUSED,
    (Status.WORKING, Move.PAUSE): Status.PAUSED,
    (Status.PAUSED, Move.PAUSE): Status.PAUSED,
    (Status.ACCEPTED, Move.RESUME_UNBEGUN): Status.ACCEPTED,
    (Status.WORKING, Move.RESUME): Status.WORKING,
    (Status.PAUSED, Move.RESUME): Status.WORKING,
    (Status.PAUSED, Move.RESUME_UNBEGUN): Status.ACCEPTED,
    (Status.PAUSED, Move.SLICE): Status.PAUSED,
    (Status.COMPLETED, Move.BUSTED): Status.WORKING,
    (Status.COMPLETED, Move.BUSTED_LATE): Status.EXPIRED,
    (Status.PAUSED, Move.FILLED): Status.COMPLETED,
    (Status.PAUSED, Move.OUT_OF_STEPS): Status.EXPIRED,
    (Status.PAUSED, Move.CANCEL): Status.CANCELLED,
    (Status.CANCELLED, Move.CANCEL): Status.CANCELLED,
    (Status.ACCEPTED, Move.REPLACE): Status.REPLACED,
    (Status.WORKING, Move.REPLACE): Status.REPLACED,
    (Status.PAUSED, Move.REPLACE): Status.REPLACED,
}


class StatusReason(StrEnum):
    """Who has moved an order to another status. `oms`: you have asked for it; `model`: a slice was decided; `fills`:
    all of the order is filled; `clock`: its steps have passed; `bust`: a fill was busted, or corrected to less."""

    OMS = "oms"
    MODEL = "model"
    FILLS = "fills"
    CLOCK = "clock"
    BUST = "bust"


REASONS: Mapping[Move, StatusReason] = {
    Move.SLICE: StatusReason.MODEL,
    Move.FILLED: StatusReason.FILLS,
    Move.OUT_OF_STEPS: StatusReason.CLOCK,
    Move.CANCEL: StatusReason.OMS,
    Move.PAUSE: StatusReason.OMS,
    Move.RESUME: StatusReason.OMS,
    Move.RESUME_UNBEGUN: StatusReason.OMS,
    Move.REPLACE: StatusReason.OMS,
    Move.BUSTED: StatusReason.BUST,
    Move.BUSTED_LATE: StatusReason.BUST,
}
_BETWEEN = {(before, after): REASONS[move] for (before, move), after in TRANSITIONS.items()}
_INTO = {after: REASONS[move] for (_, move), after in reversed(list(TRANSITIONS.items()))}


def reason_of(before: Status, after: Status) -> StatusReason:
    """Why an order has gone from one status to another one. Where more than one move lies between them, the last one
    counts."""
    return _BETWEEN.get((before, after)) or _INTO[after]


def permits(status: Status, move: Move) -> bool:
    """Whether an order in `status` can make the move."""
    return (status, move) in TRANSITIONS


def status_after(status: Status, move: Move) -> Status:
    """The status that the move leads to; the same status where the table does not have the pair."""
    return TRANSITIONS.get((status, move), status)


class StopReason(StrEnum):
    """Why the order's last slice is its last: `model` decided to, the pace was done `early`, `max_steps` came (or the
    last step in which the order may trade), or the market was at the `finish_price`."""

    MODEL = "model"
    EARLY = "early"
    MAX_STEPS = "max_steps"
    FINISH_PRICE = "finish_price"


def stop_reason(step: int, max_steps: int, *, stopping: bool, finishing: bool = False) -> StopReason:
    """Why an order ended with `step`; `stopping` tells that the model had decided to stop, `finishing` that the market
    was at the finish price."""
    if step == max_steps:
        return StopReason.MAX_STEPS
    if finishing:
        return StopReason.FINISH_PRICE
    return StopReason.MODEL if stopping else StopReason.EARLY
