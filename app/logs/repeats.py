"""A warning or an error that repeats is one line of the log and then a count: a failure that goes on must not fill the
disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import TextIO

REPEATS_SECONDS = 10.0
KINDS_MAX = 1_000
"""Kinds of warnings and errors that are told apart at a time; all others count as one."""

Kind = tuple[object, ...]


class SparingHandler(logging.StreamHandler[TextIO]):
    """Writes a warning or an error at once, and its repeats as one line with their count (`repeated`) every
    `repeats_seconds`. What is below a warning is all written."""

    def __init__(self, stream: TextIO, repeats_seconds: float = REPEATS_SECONDS) -> None:
        super().__init__(stream)
        self._repeats_seconds = repeats_seconds
        self._repeats: dict[Kind, int] = {}
        self._newest: dict[Kind, logging.LogRecord] = {}
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            super().emit(record)
            return
        kind = _kind(record)
        if kind not in self._repeats and len(self._repeats) >= KINDS_MAX:
            kind = ()
        if kind in self._repeats:
            self._repeats[kind] += 1
            self._newest[kind] = record
            return
        self._repeats[kind] = 0
        super().emit(record)
        self._wait()

    def close(self) -> None:
        with self._held():
            if self._timer is not None:
                self._timer.cancel()
            self._tell_repeats()
        super().close()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._repeats_seconds, self._on_timer)
            self._timer.daemon = True
            self._timer.start()

    def _on_timer(self) -> None:
        with self._held():
            self._timer = None
            self._tell_repeats()
            if self._repeats:
                self._wait()

    def _tell_repeats(self) -> None:
        """Write a line with the count for each kind that was repeated. A kind that was not is forgotten, so that it is
        written at once when it comes next."""
        self._repeats = {kind: count for kind, count in self._repeats.items() if count}
        for kind, count in self._repeats.items():
            told = self._newest.pop(kind).__dict__ | {"repeated": count, "exc_info": None, "exc_text": None}
            super().emit(logging.makeLogRecord(told))
            self._repeats[kind] = 0

    @contextmanager
    def _held(self) -> Iterator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()


def _kind(record: logging.LogRecord) -> Kind:
    """What makes two records the same failure: their text before its arguments, the error and where it was raised, and
    what they are about, which is the instrument or else the first argument where that is a name."""
    error = record.exc_info[1] if record.exc_info else None
    event = record.msg["event"] if isinstance(record.msg, dict) else record.msg  # structlog hands on its own dict
    first = record.args[0] if isinstance(record.args, tuple) and record.args else None
    about = getattr(record, "instrument", first if isinstance(first, str) else None)
    return record.name, str(event), type(error), _raised_at(error), about


def _raised_at(error: BaseException | None) -> tuple[str, int] | None:
    stack = [] if error is None else list(walk_tb(error.__traceback__))
    return (stack[-1][0].f_code.co_filename, stack[-1][1]) if stack else None
