"""Tracebacks that quote nobody: kinds of errors, files and lines, never local variables, and what an error says only
where that is asked for, since it may quote an order."""

from __future__ import annotations

from traceback import walk_tb
from types import TracebackType
from typing import Any

ERRORS_MAX, FRAMES_MAX = 10, 30
"""The longest traceback: errors that led to one another, and the innermost frames of each."""

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


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
