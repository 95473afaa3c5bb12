"""An instrument that failed is opened anew, where that can help; one that refused is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.clock.calendars import calendar
from app.domain.errors import Conflict, InvalidInput, LemError, NotFound, TooEarly, Unavailable
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from tests.builders import an_instrument

FAILURES = [Unavailable("store_unavailable", "away"), RuntimeError("a bug of ours")]
REFUSALS = [InvalidInput("outside_calendar", "beyond"), NotFound("unknown_instrument", "nobody")]
LATER = [Conflict("bar_out_of_order", "comes after newer ones"), TooEarly("bar_not_closed", "yet to come", 60)]


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


async def nothing(_: Sequence[LiveInstrument]) -> None:
    """No other process appends bars."""


@pytest.mark.parametrize(
    ("error", "code", "again"),
    [
        (FAILURES[0], "store_unavailable", True),
        (FAILURES[1], "instrument_failed", True),
        *((each, each.code, False) for each in REFUSALS),
    ],
)
async def test_recovery_is_asked_for_an_instrument_only_where_opening_it_again_may_help(
    error: Exception, code: str, again: bool
) -> None:
    instruments = LiveInstruments(Opening(error), nothing)

    with pytest.raises(LemError) as refused:
        await instruments.get("BTC-USDT")

    assert refused.value.code == code
    assert instruments.on_failure.is_set() is again
    assert instruments.opened == []


async def test_an_instrument_that_cannot_be_opened_leaves_those_beside_it_in_a_request_open() -> None:
    opening = Opening()
    instruments = LiveInstruments(opening, nothing)
    await instruments.get("ONE")
    opening.failure = RuntimeError("a bug of ours")

    for _ in range(2):
        with pytest.raises(Unavailable):
            async with instruments.all_locked(["ONE", "OTHER"]):
                pass

    assert len(instruments.opened) == 1


async def test_an_instrument_that_fails_is_tried_again_less_and_less_often_and_told_once_with_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its requests are refused meanwhile, and cost nothing."""
    now, opening = [100.0], Opening(RuntimeError("a bug of ours"))
    monkeypatch.setattr("app.engine.instruments.failures.time.monotonic", lambda: now[0])
    instruments = LiveInstruments(opening, nothing)

    tries = []
    for _ in range(600):
        with pytest.raises(Unavailable):
            await instruments.get("BTC-USDT")
        tries.append(opening.count)
        now[0] += 0.25
    opening.failure = None
    now[0] += 30
    await instruments.get("BTC-USDT")

    assert tries[-1] == 10  # after 0.5, 1, 2, 4, 8, 16, 30, 30 and 30 s
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "after 10 tries that failed in 180.0 s" in caplog.text
    assert instruments.failures.symbols == []
    assert instruments.failures.pause_seconds is None


@pytest.mark.parametrize("error", FAILURES)
async def test_after_a_failure_every_instrument_that_was_held_is_opened_anew(error: Exception) -> None:
    opening = Opening()
    instruments = LiveInstruments(opening, nothing)

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
    instruments = LiveInstruments(opening, nothing)

    with pytest.raises(type(error)):
        async with instruments.all_locked(["ONE", "OTHER"]):
            raise error
    await instruments.get("ONE")

    assert not instruments.on_failure.is_set()
    assert opening.count == 2
