"""Clients that go away while the service works or waits for them. ASGI tells of that only whoever asks for a
message, which a request that waits for a slice does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Scope

KEY = "lem.departure"


class Departure:
    """Of the client of one connection. A connection serves one request at a time, so that one listener is enough. The
    other way round, `hold_off` asks the connection to read the next request a moment later."""

    def __init__(self) -> None:
        self.gone = False
        self.hold_off = False
        self._then: Callable[[], None] | None = None

    @contextmanager
    def telling(self, then: Callable[[], None]) -> Iterator[None]:
        """Calls `then` once where the client goes while this is open, or has gone."""
        self._then = then
        if self.gone:
            then()
        try:
            yield
        finally:
            self._then = None

    def happened(self) -> None:
        self.gone = True
        if self._then is not None:
            self._then()


def departure_of(scope: Scope) -> Departure | None:
    """None where the server does not tell of departures."""
    departure: Departure | None = scope.get(KEY)
    return departure
