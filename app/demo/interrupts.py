"""End in order at a signal: the service and the folder of the demo are gone before the demo is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_OF_SIGNALS = 128
"""A shell tells the end by a signal with so much more than the signal's number."""


class Stopped(BaseException):
    """A signal asks for the end. What is no `Exception` is not taken for an error on its way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = EXIT_OF_SIGNALS + number


@contextmanager
def stopping() -> Iterator[None]:
    """The first signal raises Stopped wherever the program is; later ones are ignored, so that they cannot cut off the
    cleaning up. A signal that is ignored from the outside, as by nohup, stays so."""
    former = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number in SIGNALS if former[number] is not signal.SIG_IGN]

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for each in heard:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in heard:
            signal.signal(each, former[each])
