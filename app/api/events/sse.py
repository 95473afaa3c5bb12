"""One stream of server-sent events: how events look on the wire, and how long the stream lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from time import monotonic

from app.domain.errors import Unavailable
from app.outbox.log import Batch, RecordedEvent
from app.outbox.tail import Follower, TailClosed

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 13.0
"""A comment goes out where nothing else has for so long, and is there within 15 seconds: whoever hears nothing for
longer connects again."""
CHECK_SECONDS = 1.0
"""How often it is looked whether the client's key is still good."""
RETRY_MILLISECONDS = 1_000
CHUNK_EVENTS = 200
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The latter keeps nginx from holding events back."""

Chosen = Callable[[Batch], Coroutine[None, None, Sequence[RecordedEvent]]]
"""Those of a batch that the stream is of."""


async def stream(
    follower: Follower, chosen: Chosen, permitted: Callable[[], bool], on_sent: Callable[[int], None]
) -> AsyncIterator[bytes]:
    """Until the client goes, is no longer `permitted`, or the service ends. A client that connects again with the
    newest id that it has goes on without a gap; so the stream just ends where the store is away for what it must
    read."""
    yield f"retry: {RETRY_MILLISECONDS}\n{_place(follower)}".encode()
    told_at = monotonic()
    while permitted():
        try:
            batch = await follower.next(CHECK_SECONDS)
            events = await chosen(batch) if batch is not None else ()
        except (TailClosed, Unavailable):
            return
        if not events and monotonic() - told_at > HEARTBEAT_SECONDS:
            yield f":\n{_place(follower)}".encode()
            told_at = monotonic()
        for first in range(0, len(events), CHUNK_EVENTS):
            some = events[first : first + CHUNK_EVENTS]
            yield "".join(map(_lines, some)).encode()
            told_at = monotonic()
            on_sent(len(some))


def _place(follower: Follower) -> str:
    """An id without an event: the client learns how far it has come, also before its first event."""
    return f"id: {follower.place}\n\n"


def _lines(each: RecordedEvent) -> str:
    return f"id: {each.place}\nevent: {each.event.what.name}\ndata: {each.text}\n\n"
