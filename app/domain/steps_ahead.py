"""Which of an order's steps to come lie in minutes that the order avoids."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.projection import Bound


@dataclass(frozen=True, slots=True)
class StepsAhead:
    """The steps from `first` to the order's last one: `avoided[i]` is the limit that forbids the step `first + i`, None
    where that step may trade."""

    first: int
    avoided: tuple[Bound | None, ...]

    def at(self, step: int) -> Bound | None:
        return self.avoided[step - self.first]

    def usable_after(self, step: int) -> int:
        """How many steps after that one may trade."""
        return self.avoided[step - self.first + 1 :].count(None)

    @property
    def usable(self) -> int:
        """How many steps may trade."""
        return self.avoided.count(None)

    @property
    def last_usable(self) -> int:
        """The last step that may trade; the one before `first` where none may."""
        for index in range(len(self.avoided) - 1, -1, -1):
            if self.avoided[index] is None:
                return self.first + index
        return self.first - 1
