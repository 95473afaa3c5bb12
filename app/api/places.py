"""How many connections there may be, which of them give way, and how much memory the answers take that clients do not
read."""

from __future__ import annotations

import resource
from itertools import islice
from typing import Protocol

FILES_WANTED = 65_536
FILES_RESERVED = 256
"""Descriptors for the store's connections, for files and the log."""
BACKLOG_MAX = 2_048
TRIES_MAX = 64
UNREAD_BYTES_MAX = 64 * 1024 * 1024
"""Of all answers together that clients leave unread beyond what each connection may hold."""


class ConnectionMetrics(Protocol):
    def connections_open(self, count: int) -> None: ...

    def connection_refused(self, reason: str) -> None:
        """A connection was closed by us: `full`, there are as many as may be; `half_sent`, it gave way to another one;
        `unread`, its client reads no answers; `pipelined`, its client sends too many requests at once."""
        ...


class Nobody:
    """Counts nothing."""

    def connections_open(self, count: int) -> None: ...

    def connection_refused(self, reason: str) -> None: ...


class Placed(Protocol):
    """A connection that has a place."""

    @property
    def half_sent(self) -> bool: ...

    @property
    def unread_bytes(self) -> int:
        """Of answers that wait for the client to read them."""
        ...

    def abort(self) -> None: ...


class Places:
    """The open connections, oldest first, and how many there may be, which follows from `files_max`: how many files the
    process may open.

    `backlog` is how many connections may wait to be accepted. All of them can be accepted before the first one is
    looked at, so files are kept for them too.
    """

    def __init__(self, files_max: int, metrics: ConnectionMetrics | None = None) -> None:
        self.backlog = min(BACKLOG_MAX, files_max // 4)
        self.connections_max = max(1, files_max - self.backlog - FILES_RESERVED)
        self._metrics = metrics or Nobody()
        self._taken: dict[Placed, None] = {}
        self._unread: dict[Placed, None] = {}

    def take(self, connection: Placed) -> bool:
        """Where all places are taken, the oldest connection without a whole request gives way: half-sent requests must
        not close the service to others. False where none does."""
        if len(self._taken) >= self.connections_max and not self._made_room():
            self.refused("full")
            return False
        self._taken[connection] = None
        self._metrics.connections_open(len(self._taken))
        return True

    def leave(self, connection: Placed) -> None:
        self._taken.pop(connection, None)
        self._unread.pop(connection, None)
        self._metrics.connections_open(len(self._taken))

    def unread(self, connection: Placed) -> None:
        """The client does not read fast enough. Where all such answers together take too much memory, those that have
        been left unread for longest are given up."""
        self._unread[connection] = None
        held = sum(each.unread_bytes for each in self._unread)
        for slowest in list(self._unread):
            if held <= UNREAD_BYTES_MAX:
                return
            held -= slowest.unread_bytes
            del self._unread[slowest]
            self.refused("unread")
            slowest.abort()

    def read(self, connection: Placed) -> None:
        """The client has read on."""
        self._unread.pop(connection, None)

    def refused(self, reason: str) -> None:
        self._metrics.connection_refused(reason)

    def _made_room(self) -> bool:
        for connection in list(islice(self._taken, TRIES_MAX)):
            del self._taken[connection]
            if connection.half_sent:
                self.refused("half_sent")
                connection.abort()
                return True
            self._taken[connection] = None  # at work: it is not looked at again before all others
        return False


def raised_files_max() -> int:
    """How many files the process may open, once it has asked for as many as it is allowed to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # some systems have a lower limit than they say
        return soft
    return wanted
