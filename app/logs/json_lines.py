"""Logs: one JSON object a line on stderr, quiet unless something is wrong. Fields of a line are given as `extra`."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from app.logs.repeats import SparingHandler
from app.logs.tracebacks import Tracebacks
from app.settings import LogLevel


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
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_hidden,
            structlog.processors.JSONRenderer(),
        ],
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


def _without_colours(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Uvicorn adds its own lines again, coloured."""
    event.pop("color_message", None)
    return event


def _without_hidden(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Some packages put marks of their own on every record, under names that begin with an underscore."""
    return {name: value for name, value in event.items() if not name.startswith("_")}
