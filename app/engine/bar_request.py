"""One request of a feed: which of its bars are refused, and how many synthetic bars it has caused."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.bar import Bar
from app.domain.errors import InvalidInput, LemError
from app.engine.results import RejectedBar

SYNTHETIC_BARS_MAX = 20_000
"""Of one request: the gaps of a sparse history cost more work than its bars do."""

BARS = "#/bars/"
"""Where a request has its bars, as a JSON pointer."""


@dataclass(frozen=True, slots=True)
class SentBar:
    """A bar and its index in the request."""

    index: int
    bar: Bar


@dataclass(slots=True)
class BarRequest:
    """With `partial`, bars that cannot be taken are left out and told; without, the first of them refuses all."""

    partial: bool
    rejected: list[RejectedBar] = field(default_factory=list)
    synthetic: int = 0

    def refuse(self, index: int, error: LemError) -> None:
        """The bar at `index` cannot be taken. Raises the error, with a pointer to the bar, unless parts are taken."""
        if not self.partial:
            raise error.with_pointer(_pointer(index))
        self.rejected.append(RejectedBar(index=index, code=error.code, detail=error.detail))

    def count_synthetic(self, index: int, count: int) -> None:
        """The bar at `index` leaves a gap of so many windows to be filled. Raises InvalidInput("too_many_gaps")."""
        self.synthetic += count
        if self.synthetic > SYNTHETIC_BARS_MAX:
            detail = (
                f"the gaps up to this bar take more than {SYNTHETIC_BARS_MAX} synthetic bars; "
                "send the history in several requests"
            )
            raise InvalidInput("too_many_gaps", detail, _pointer(index))


def index_of(error: LemError) -> int | None:
    """Of the bar that a refusal points to; None where it points to none."""
    index = (error.pointer or "").removeprefix(BARS)
    return int(index) if index.isdigit() else None


def _pointer(index: int) -> str:
    return f"{BARS}{index}"
