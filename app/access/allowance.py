"""How often a key may call."""

from __future__ import annotations


class Allowance:
    """A bucket of requests that is full after a second without any: `per_second` requests at once, and as many in each
    second after that. Times are seconds of any clock that never goes back."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._left = float(per_second)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more request may be made."""
        left = min(float(self.per_second), self._left + (now - self._at) * self.per_second)
        self._at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1
