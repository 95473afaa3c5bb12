"""The log: one JSON object a line, repeats as counts, and tracebacks that quote nobody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from app.logs import repeats
from app.logs.json_lines import json_formatter
from app.logs.repeats import SparingHandler
from app.settings import LogLevel

A_WHILE = 3600.0


class Log:
    """A logger of its own, and what it has written."""

    def __init__(self, level: LogLevel, repeats_seconds: float) -> None:
        self.text = io.StringIO()
        self.handler = SparingHandler(self.text, repeats_seconds)
        self.handler.setFormatter(json_formatter(level))
        self.logger = logging.getLogger("app.test")
        self.logger.setLevel(level.upper())
        self.logger.addHandler(self.handler)
        self.logger.propagate = False

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]


@contextmanager
def a_log(level: LogLevel = LogLevel.INFO, repeats_seconds: float = A_WHILE) -> Iterator[Log]:
    log = Log(level, repeats_seconds)
    try:
        yield log
    finally:
        log.logger.removeHandler(log.handler)
        log.handler.close()


def failing(quantity: str) -> None:
    raise ValueError(f"quantity {quantity} is odd")


def log_failure(log: Log, quantity: str = "123.45") -> None:
    try:
        failing(quantity)
    except ValueError:
        log.logger.exception("%s failed", "something")


def test_a_line_is_a_json_object_with_the_event_its_fields_and_the_request() -> None:
    with a_log() as log, bound_contextvars(request_id="r-1"):
        log.logger.info("slice committed", extra={"order_id": "o-1", "color_message": "red"})

        [line] = log.lines

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "slice committed",
        "level": "info",
        "logger": "app.test",
        "order_id": "o-1",
        "request_id": "r-1",
    }


def test_a_traceback_tells_kinds_files_and_lines_and_nothing_that_was_said_or_held() -> None:
    with a_log() as log:
        log_failure(log)

        text, [line] = log.text.getvalue(), log.lines

    assert [error["exc_type"] for error in line["exception"]] == ["ValueError"]
    assert "test_logs.py" in line["exception"][0]["frames"][-1]
    assert line["exception"][0]["frames"][-1].endswith(" failing")
    assert "123.45" not in text


def test_a_traceback_tells_what_was_said_at_debug() -> None:
    with a_log(LogLevel.DEBUG) as log:
        log_failure(log)

        [line] = log.lines

    assert line["exception"][0]["exc_value"] == "quantity 123.45 is odd"


def test_a_traceback_tells_the_errors_that_led_to_it_and_those_of_a_group() -> None:
    with a_log() as log:
        try:
            try:
                failing("1")
            except ValueError as error:
                raise ExceptionGroup("both", [KeyError("quantity"), OSError()]) from error
        except ExceptionGroup:
            log.logger.exception("failed")

        [line] = log.lines

    assert [error["exc_type"] for error in line["exception"]] == ["ExceptionGroup", "KeyError", "OSError", "ValueError"]


def test_a_failure_that_repeats_is_one_line_and_then_a_count() -> None:
    with a_log() as log:
        for number in range(1000):
            log_failure(log, str(number))
        at_first = len(log.lines)
        log.handler.close()

        first, counted = log.lines

    assert at_first == 1
    assert (first["event"], counted["event"]) == ("something failed", "something failed")
    assert "repeated" not in first
    assert counted["repeated"] == 999
    assert "exception" not in counted


def test_a_count_is_told_while_the_failure_goes_on_and_not_once_it_has_ended() -> None:
    with a_log(repeats_seconds=0.02) as log:
        log.logger.warning("late")
        log.logger.warning("late")
        until(lambda: len(log.lines) == 2)
        until(lambda: not log.handler._repeats)
        log.logger.warning("late")

        lines = log.lines

    assert [line.get("repeated") for line in lines] == [None, 1, None]


def until(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline
        sleep(0.005)


def test_failures_of_other_kinds_and_of_other_instruments_are_lines_of_their_own() -> None:
    with a_log() as log:
        for symbol in ("ONE", "OTHER"):
            for _ in range(3):
                log.logger.warning("feed late", extra={"instrument": symbol})
            for seconds in range(3):
                log.logger.warning("%s is away for %d s", symbol, seconds)

        lines = [line["event"] for line in log.lines]

    assert lines == ["feed late", "ONE is away for 0 s", "feed late", "OTHER is away for 0 s"]


def test_the_same_error_from_another_place_is_a_failure_of_its_own() -> None:
    with a_log() as log:
        for _ in range(3):
            log_failure(log)
            try:
                int("one")
            except ValueError:
                log.logger.exception("%s failed", "something")

        assert len(log.lines) == 2


def test_what_is_no_failure_is_written_each_time() -> None:
    with a_log() as log:
        for _ in range(50):
            log.logger.info("slice committed")

        assert len(log.lines) == 50


def test_beyond_the_kinds_that_are_told_apart_all_others_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "KINDS_MAX", 3)
    with a_log() as log:
        for number in range(20):
            log.logger.warning("trouble", extra={"instrument": f"I-{number}"})
        log.handler.close()

        lines = log.lines

    assert len(lines) <= 3 + 2
    assert sum(line.get("repeated", 1) for line in lines) == 20
