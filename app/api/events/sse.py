"""One stream of server-sent events: how events look on the wire, and how long the stream lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

from app.domain.errors import Unavailable
from app.outbox.log import Batch, RecordedEvent
from app.outbox.tail import Follower, TailClosed

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
"""A comment goes out where nothing else has for so long: whoever hears nothing for longer should connect again."""
RETRY_MILLISECONDS = 1_000
CHUNK_EVENTS = 200
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The latter keeps nginx from holding events back."""

Chosen = Callable[[Batch], Coroutine[None, None, Sequence[RecordedEvent]]]
"""Those of a batch that the stream is of."""


async def stream(follower: Follower, chosen: Chosen, on_sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    """Until the client goes or the service ends. A client that connects again with the newest id that it has goes on
    without a gap; so the stream just ends where the store is away for what it must read."""
    yield f"retry: {RETRY_MILLISECONDS}\n{_place(follower)}".encode()
    while True:
        try:
            batch = await follower.next(HEARTBEAT_SECONDS)
            events = await chosen(batch) if batch is not None else ()
        except (TailClosed, Unavailable):
            return
        if batch is None:
            yield f":\n{_place(follower)}".encode()
        for first in range(0, len(events), CHUNK_EVENTS):
            some = events[first : first + CHUNK_EVENTS]
            yield "".join(map(_lines, some)).encode()
            on_sent(len(some))


def _place(follower: Follower) -> str:
    """An id without an event: the client learns how far it has come, before its first event and while none is its own."""
    return f"id: {follower.place}\n\n"


def _lines(each: RecordedEvent) -> str:
    return f"id: {each.place}\nevent: {each.event.what.name}\ndata: {each.text}\n\n"
