"""An outage of the store is two lines in the log, however many calls fail in it."""

from __future__ import annotations

import logging

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from app.domain.errors import Unavailable
from app.store.outages import Outages


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which a test moves."""
    now = [1000.0]
    monkeypatch.setattr("app.store.outages.time.monotonic", lambda: now[0])
    return now


def fail(outages: Outages) -> None:
    with pytest.raises(Unavailable), outages.reaching():
        raise RedisConnectionError("Connection refused")


def succeed(outages: Outages) -> None:
    with outages.reaching():
        pass


def test_an_outage_is_told_when_it_begins_and_when_it_ends(now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    outages = Outages()

    succeed(outages)
    for _ in range(500):
        fail(outages)
        now[0] += 0.1
    succeed(outages)
    succeed(outages)

    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the store cannot be reached: Connection refused"),
        (logging.WARNING, "the store is back after 50.0 s, in which 500 calls failed"),
    ]


def test_single_cuts_that_follow_one_another_are_not_told_each(
    now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    outages = Outages()

    for _ in range(100):
        fail(outages)
        now[0] += 0.1
        succeed(outages)

    assert len(caplog.records) == 2


def test_an_outage_soon_after_another_is_told_once_it_lasts(now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    outages = Outages()
    fail(outages)
    succeed(outages)
    caplog.clear()

    fail(outages)
    soon = len(caplog.records)
    now[0] += 11
    fail(outages)
    succeed(outages)

    assert soon == 0
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def hang(outages: Outages, now: list[float]) -> None:
    def unanswered() -> None:
        now[0] += 5
        raise RedisConnectionError("Timeout")

    with pytest.raises(Unavailable), outages.reaching():
        unanswered()


def test_while_the_server_hangs_one_call_at_a_time_tries_it_and_others_are_refused_at_once(now: list[float]) -> None:
    outages = Outages()
    hang(outages, now)
    now[0] += 1

    with pytest.raises(Unavailable), outages.reaching(), outages.reaching():
        pytest.fail("the second call must not wait for the server")
    succeed(outages)

    with outages.reaching(), outages.reaching():
        pass


def test_whoever_stood_in_line_behind_a_call_that_hung_does_not_hang_too(now: list[float]) -> None:
    outages = Outages()
    hang(outages, now)

    with pytest.raises(Unavailable), outages.reaching():
        pytest.fail("the call must not reach for the server so soon")


def test_a_server_that_refuses_at_once_is_tried_by_everybody() -> None:
    outages = Outages()
    fail(outages)

    with outages.reaching(), outages.reaching():
        pass
