"""What a user can get wrong, each with a stable code.

LemError
├── InvalidInput   the request can never be met as it stands
├── NotFound       nothing has that name
├── Conflict       the request contradicts what is already recorded
└── Unavailable    the service cannot answer now; the same request may succeed later
    └── TooEarly   its time is yet to come
"""

from __future__ import annotations


class LemError(Exception):
    """A refusal. `code` is stable and meant for programs; `detail` is meant for people. `pointer` is a JSON pointer to
    the part of the request that is wrong, such as `#/limits/limit_price`, where one part is."""

    def __init__(self, code: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer

    def __reduce__(self) -> tuple[type[LemError], tuple[str, str, str | None]]:
        """Pickle all arguments, so that a refusal raised in a worker process keeps its code, its detail and its
        pointer."""
        return type(self), (self.code, self.detail, self.pointer)


class InvalidInput(LemError):
    """The request can never be met as it stands."""


class NotFound(LemError):
    """Nothing has that name."""


class Conflict(LemError):
    """The request contradicts what is already recorded."""


class Unavailable(LemError):
    """The service cannot answer now; the same request may succeed later."""


class TooEarly(Unavailable):
    """What was asked for is right, but its time is yet to come: `retry_after_seconds` from now."""

    retry_after_seconds = 1
