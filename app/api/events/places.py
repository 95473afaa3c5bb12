"""How many streams of events a process has open at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol

from fastapi import Depends, Request

from app.domain.errors import Unavailable

STREAMS_MAX = 1_000
"""Of one process."""


class EventMetrics(Protocol):
    def event_streams_open(self, count: int) -> None: ...

    def event_stream_refused(self) -> None:
        """There were as many as may be."""
        ...

    def events_sent(self, count: int) -> None: ...


class StreamPlaces:
    """The open streams of events of one application."""

    def __init__(self, metrics: EventMetrics) -> None:
        self.metrics = metrics
        self._open = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises Unavailable("too_many_event_streams") where all places are taken."""
        if self._open >= STREAMS_MAX:
            self.metrics.event_stream_refused()
            detail = f"{STREAMS_MAX} streams of events are open already; follow several orders on GET /v1/events"
            raise Unavailable("too_many_event_streams", detail)
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._open += change
        self.metrics.event_streams_open(self._open)


async def _places(request: Request) -> StreamPlaces:
    """A coroutine though it awaits nothing: FastAPI calls plain functions in a thread."""
    places: StreamPlaces = request.app.state.event_streams
    return places


StreamPlacesDep = Annotated[StreamPlaces, Depends(_places)]
