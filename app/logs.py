"""Logs: one JSON object a line on stderr, quiet unless something is wrong.

Fields of a line are given as `extra`. A traceback tells kinds of errors, files and lines: never local variables, and
what an error says only at `debug`, since that may quote an order.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO

import structlog

from app.settings import LogLevel

REPEATS_SECONDS = 10.0
KINDS_MAX = 1_000
"""Kinds of warnings and errors that are told apart at a time; all others count as one."""
ERRORS_MAX, FRAMES_MAX = 10, 30
"""The longest traceback: errors that led to one another, and the innermost frames of each."""

Kind = tuple[object, ...]
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def log_as_json(level: LogLevel) -> None:
    """For structlog and for the standard library's loggers alike, the web server's and the engine's among them."""
    handler = SparingHandler(sys.stderr)
    handler.setFormatter(json_formatter(level))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    structlog.configure(
        processors=[*_shared_processors(level), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def json_formatter(level: LogLevel) -> logging.Formatter:
    """One JSON object a record."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(level),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )


def _shared_processors(level: LogLevel) -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_colours,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(Tracebacks(with_messages=level is LogLevel.DEBUG)),
    ]


class SparingHandler(logging.StreamHandler[TextIO]):
    """Writes a warning or an error at once, and its repeats as one line with their count (`repeated`) every
    `repeats_seconds`: a failure that goes on must not fill the disk. What is below a warning is all written."""

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


class Tracebacks:
    """An error and those that led to it: their kinds and frames, and with `with_messages` what they say."""

    def __init__(self, *, with_messages: bool) -> None:
        self._with_messages = with_messages

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        return [self._told(error) for error in _led_to(exc_info[1])]

    def _told(self, error: BaseException) -> dict[str, Any]:
        frames = [
            f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(error.__traceback__)
        ]
        told = {"exc_type": type(error).__name__, "frames": frames[-FRAMES_MAX:]}
        return told | {"exc_value": str(error)} if self._with_messages else told


def _led_to(error: BaseException | None) -> list[BaseException]:
    """The error, what it is a group of, and what came before each, at most `ERRORS_MAX` of them."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < ERRORS_MAX:
        each = waiting.pop(0)
        if each is None or each in found:
            continue
        found.append(each)
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        waiting.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))
    return found


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


def _without_colours(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Uvicorn adds its own lines again, coloured."""
    event.pop("color_message", None)
    return event
