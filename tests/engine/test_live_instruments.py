"""An instrument that failed is opened anew, where that can help; one that refused is kept."""

from __future__ import annotations

import pytest

from app.clock.calendars import calendar
from app.domain.errors import Conflict, InvalidInput, NotFound, TooEarly, Unavailable
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from tests.builders import an_instrument

FAILURES = [Unavailable("store_unavailable", "away"), RuntimeError("a bug of ours")]
REFUSALS = [InvalidInput("outside_calendar", "beyond"), NotFound("unknown_instrument", "nobody")]
LATER = [Conflict("bar_out_of_order", "comes after newer ones"), TooEarly("bar_not_closed", "yet to come")]


class Opening:
    """Opens instruments, and counts how often; `failure` is raised instead while it is set."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.count = 0

    async def __call__(self, symbol: str) -> LiveInstrument:
        self.count += 1
        if self.failure is not None:
            raise self.failure
        return LiveInstrument(an_instrument(symbol=symbol), calendar("24/7"), 8)


@pytest.mark.parametrize(
    ("error", "again"), [*((each, True) for each in FAILURES), *((each, False) for each in REFUSALS)]
)
async def test_recovery_is_asked_for_an_instrument_only_where_opening_it_again_may_help(
    error: Exception, again: bool
) -> None:
    instruments = LiveInstruments(Opening(error))

    with pytest.raises(type(error)):
        await instruments.get("BTC-USDT")

    assert instruments.on_failure.is_set() is again
    assert instruments.opened == []


@pytest.mark.parametrize("error", FAILURES)
async def test_after_a_failure_every_instrument_that_was_held_is_opened_anew(error: Exception) -> None:
    opening = Opening()
    instruments = LiveInstruments(opening)

    with pytest.raises(type(error)):
        async with instruments.all_locked(["ONE", "OTHER"]):
            raise error
    failed = instruments.on_failure.is_set()
    async with instruments.all_locked(["ONE", "OTHER"]):
        pass

    assert failed
    assert opening.count == 4


@pytest.mark.parametrize("error", [*REFUSALS, *LATER])
async def test_after_a_refusal_instruments_stay_as_they_are(error: Exception) -> None:
    opening = Opening()
    instruments = LiveInstruments(opening)

    with pytest.raises(type(error)):
        async with instruments.all_locked(["ONE", "OTHER"]):
            raise error
    await instruments.get("ONE")

    assert not instruments.on_failure.is_set()
    assert opening.count == 2
