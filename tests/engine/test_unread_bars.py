"""Bars of other processes: told one after the other, or read where somebody has missed one."""

from __future__ import annotations

from app.engine.instruments.unread_bars import TOLD_MAX, UnreadBars
from tests.builders import bars

MADE = bars(TOLD_MAX + 3)
TAKEN = MADE[0]


def told(unread: UnreadBars, *numbers: int) -> UnreadBars:
    """Each of these bars was appended behind the one before it."""
    for number in numbers:
        unread.tell(TAKEN, [MADE[number]], MADE[number - 1].open_time, MADE[number].open_time)
    return unread


def test_bars_that_follow_on_what_is_known_are_taken_as_they_were_told() -> None:
    unread = told(UnreadBars(), 1, 2)

    assert unread
    assert unread.take(TAKEN) == MADE[1:3]
    assert not unread


def test_the_first_bars_of_an_instrument_are_told_too() -> None:
    unread = UnreadBars()

    unread.tell(None, MADE[:2], None, MADE[1].open_time)

    assert unread.take(None) == MADE[:2]


def test_all_bars_are_read_where_one_was_not_told() -> None:
    unread = told(UnreadBars(), 1, 3)

    assert unread.take(TAKEN) is None
    assert told(unread, 1).take(TAKEN) == [MADE[1]], "what is appended after that is told anew"


def test_bars_are_read_where_nobody_says_what_they_are_or_somebody_doubts() -> None:
    untold, doubted = UnreadBars(), told(UnreadBars(), 1)

    untold.tell(TAKEN, [], TAKEN.open_time, MADE[1].open_time)
    doubted.doubt()

    assert untold
    assert untold.take(TAKEN) is None
    assert told(doubted, 2).take(TAKEN) is None


def test_a_bar_that_is_taken_already_is_no_news() -> None:
    assert not told(UnreadBars(), 0)
    assert told(UnreadBars(), 1, 2).take(MADE[1]) == [MADE[2]]


def test_more_bars_than_are_kept_are_read() -> None:
    assert told(UnreadBars(), *range(1, TOLD_MAX + 1)).take(TAKEN) == MADE[1 : TOLD_MAX + 1]
    assert told(UnreadBars(), *range(1, TOLD_MAX + 2)).take(TAKEN) is None
