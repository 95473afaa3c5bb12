"""Traces, as the engine knows them: the parts of its work, a span for a batch of orders and never one for an order."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

_NOTHING = nullcontext()


class Spans(Protocol):
    def part(self, name: str, **counts: int) -> AbstractContextManager[object]:
        """A part of what is under way, for as long as it is open: `append`, `advance`, `context`, `decide` or `commit`.
        `counts` say how much there is of it, such as `bars` or `orders`."""
        ...


class NoSpans:
    """Where nobody has asked for traces."""

    def part(self, name: str, **counts: int) -> AbstractContextManager[object]:
        return _NOTHING


NO_SPANS = NoSpans()
