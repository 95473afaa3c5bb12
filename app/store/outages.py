"""Every way in which the server can be away, as one refusal and as two lines in the log: its start and its end."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AskError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.domain.errors import Unavailable

LOG = logging.getLogger(__name__)
UNREACHED = (RedisConnectionError, RedisTimeoutError, OSError)
REFUSED = (AskError, ClusterDownError, NoPermissionError, OutOfMemoryError, ReadOnlyError, TryAgainError)
REFUSED_WORDS = ("MISCONF", "LOADING", "MASTERDOWN", "NOREPLICAS", "BUSY ")
"""Errors, and the words of others, of a server that is there and cannot do now what was asked."""
HANGS_SECONDS = 1.0
"""A server that is not there refuses sooner. The errors of one that hangs are of several types."""
PAUSE_SECONDS = 0.1
"""After a call that the server has left unanswered. Whoever has stood in line behind that call would wait as long."""
QUIET_SECONDS = 10.0
"""An outage that begins sooner after the one before is told only if it lasts as long: single cuts are no news."""


class Outages:
    """Calls of the server are made inside `reaching`. An outage ends with the next call that succeeds; where the server
    refuses to write, with the next write."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._ended = float("-inf")
        self._failures = 0
        self._told = False
        self._refuses_writes = False
        self._hangs = False
        self._hung_at = float("-inf")
        self._trying = False

    @contextmanager
    def reaching(self, *, writes: bool = False) -> Iterator[None]:
        """Raises Unavailable("store_unavailable") for a server that is away, starting, full or cannot write. While it
        leaves calls unanswered, one call at a time tries whether it still does, and all others are refused at once."""
        tries, began = self._hangs, time.monotonic()
        if tries:
            self._begin_try()
        try:
            yield
        except UNREACHED as error:
            self._hung_at = time.monotonic()
            self._hangs = self._hung_at - began > HANGS_SECONDS
            raise self._failed(f"the store cannot be reached: {error}", refuses_writes=False) from error
        except ResponseError as error:
            self._hangs = False
            if isinstance(error, REFUSED) or str(error).startswith(REFUSED_WORDS):
                raise self._failed(f"the store cannot write: {error}", refuses_writes=True) from error
            raise
        else:
            self._hangs = False
            if self._since is not None and (writes or not self._refuses_writes):
                self._end()
        finally:
            if tries:
                self._trying = False

    def _begin_try(self) -> None:
        if self._trying or time.monotonic() - self._hung_at < PAUSE_SECONDS:
            raise self._failed("the store does not answer", refuses_writes=False)
        self._trying = True

    def _failed(self, detail: str, *, refuses_writes: bool) -> Unavailable:
        now = time.monotonic()
        if self._since is None:
            self._since, self._failures, self._told = now, 0, False
        self._failures += 1
        self._refuses_writes = refuses_writes
        if not self._told and (now - self._ended > QUIET_SECONDS or now - self._since > QUIET_SECONDS):
            self._told = True
            LOG.error("%s", detail)
        return Unavailable("store_unavailable", detail)

    def _end(self) -> None:
        now = time.monotonic()
        if self._told and self._since is not None:
            LOG.warning("the store is back after %.1f s, in which %d calls failed", now - self._since, self._failures)
        self._since, self._ended = None, now
