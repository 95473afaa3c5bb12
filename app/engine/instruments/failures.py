"""Instruments that cannot be opened. Each is tried again, less and less often; the log tells when the trouble begins
and when it ends."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from app.domain.errors import Unavailable

LOG = logging.getLogger(__name__)
PAUSE_SECONDS_MIN = 0.5
PAUSE_SECONDS_MAX = 30.0


@dataclass(slots=True)
class Failure:
    """`began` and `again` (when the instrument may be tried next) are seconds of the monotonic clock."""

    began: float
    again: float
    count: int


class OpeningFailures:
    """The failures by symbol. Requests on an instrument that fails are refused until it may be tried again, since to
    open it is work."""

    def __init__(self) -> None:
        self._failures: dict[str, Failure] = {}

    @property
    def symbols(self) -> list[str]:
        return sorted(self._failures)

    @property
    def pause_seconds(self) -> float | None:
        """How long until one of them may be tried again; None where there are none."""
        agains = [failure.again for failure in self._failures.values()]
        return max(0.0, min(agains) - time.monotonic()) if agains else None

    def require_due(self, symbol: str) -> None:
        """Raises Unavailable("instrument_failed") where the instrument is not to be tried yet."""
        failure = self._failures.get(symbol)
        if failure is not None and failure.again > time.monotonic():
            raise _refusal(symbol)

    def failed(self, symbol: str, error: Exception) -> Unavailable:
        """The instrument could not be opened. Returns the refusal."""
        now = time.monotonic()
        known = self._failures.setdefault(symbol, Failure(began=now, again=now, count=0))
        pause = min(PAUSE_SECONDS_MIN * 2**known.count, PAUSE_SECONDS_MAX)
        known.count, known.again = known.count + 1, now + pause
        if known.count == 1:
            told = None if isinstance(error, Unavailable) else error  # a refusal has said what it is
            LOG.error(
                "%s cannot be opened and is tried again: %s", symbol, error or type(error).__name__, exc_info=told
            )
        return error if isinstance(error, Unavailable) else _refusal(symbol)

    def try_again(self, symbol: str) -> bool:
        """Something has changed that may help; whether the instrument fails at all."""
        failure = self._failures.get(symbol)
        if failure is not None:
            failure.again = time.monotonic()
        return failure is not None

    def forget(self, symbol: str) -> None:
        """There is no such instrument any more, or another one."""
        self._failures.pop(symbol, None)

    def opened(self, symbol: str) -> None:
        failure = self._failures.pop(symbol, None)
        if failure is not None:
            seconds = time.monotonic() - failure.began
            LOG.warning("%s is open again after %d tries that failed in %.1f s", symbol, failure.count, seconds)


def _refusal(symbol: str) -> Unavailable:
    return Unavailable("instrument_failed", f"{symbol} cannot be opened now and is tried again; the log says why")
