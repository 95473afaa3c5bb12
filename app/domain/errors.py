"""What a user can get wrong, each with a stable code.

LemError
├── InvalidInput     the request can never be met as it stands
├── Unauthenticated  nobody knows who the caller is
├── Forbidden        the caller may not do that
│   └── Misdirected  the request names another host than this service
├── NotFound         nothing has that name
├── Conflict         the request contradicts what is already recorded
├── Gone             it was there, and is no longer kept
└── Unavailable      the service cannot answer now; the same request may succeed later
    ├── TooEarly     its time is yet to come
    └── TooFast      the caller sends more than it lets the service answer
"""

from __future__ import annotations

from typing import Self


class LemError(Exception):
    """A refusal. `code` is stable and meant for programs; `detail` is meant for people. `pointer` is a JSON pointer to
    the part of the request that is wrong, such as `#/limits/limit_price`, where one part is."""

    def __init__(self, code: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer

    def with_pointer(self, pointer: str) -> Self:
        """Set the pointer where only a caller knows which part of the request is wrong. Returns the error itself, as
        `with_traceback` does."""
        self.pointer = pointer
        return self

    def __reduce__(self) -> tuple[type[LemError], tuple[str | int | None, ...]]:
        """Pickle all arguments, so that a refusal raised in a worker process keeps its code, its detail and its
        pointer."""
        return type(self), (self.code, self.detail, self.pointer)


class InvalidInput(LemError):
    """The request can never be met as it stands."""


class Unauthenticated(LemError):
    """Nobody knows who the caller is: the request has no key, or one that is not known or no longer good."""


class Forbidden(LemError):
    """The caller is known, or need not be, and may not do that."""


class Misdirected(Forbidden):
    """The request names another host than this service."""


class NotFound(LemError):
    """Nothing has that name."""


class Conflict(LemError):
    """The request contradicts what is already recorded."""


class Gone(LemError):
    """It was there, and is no longer kept."""


class Unavailable(LemError):
    """The service cannot answer now; the same request may succeed later."""


class TooEarly(Unavailable):
    """What was asked for is right, but its time is yet to come: `retry_after_seconds` from now."""

    def __init__(self, code: str, detail: str, retry_after_seconds: int, pointer: str | None = None) -> None:
        super().__init__(code, detail, pointer)
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> tuple[type[TooEarly], tuple[str | int | None, ...]]:
        return type(self), (self.code, self.detail, self.retry_after_seconds, self.pointer)


class TooFast(Unavailable):
    """The caller has asked for more than it has answers to: it must wait for them."""
