"""An event's place is its id: it comes back from its text, and sorts by the time of the commit."""

from __future__ import annotations

import re

import pytest

from app.domain.instrument import SYMBOL
from app.outbox.log import OLDEST, SEQUENCE_MAX, Place


@pytest.mark.parametrize("symbol", ["BTC-USDT", "BRK.A", "BTC/USDT", "a_b", "A.B/C.D"])
def test_a_place_comes_back_from_its_text(symbol: str) -> None:
    place = Place(1736174700012, 7, symbol)

    assert SYMBOL.fullmatch(symbol)
    assert Place.parsed(str(place)) == place
    assert re.fullmatch(r"[A-Za-z0-9_%-]+", str(place)), "it may be a part of a path, and has no full stop"


def test_a_place_between_two_milliseconds_comes_back_too() -> None:
    assert Place.parsed(str(Place.before(5))) == Place(4, SEQUENCE_MAX, "~")


@pytest.mark.parametrize("text", ["", "1", "1-2", "-1-2-A", "1-2-A B", "1-2-A/B", f"{10**16}-0-A", "1-2-é"])
def test_what_is_no_place_is_told_apart(text: str) -> None:
    assert Place.parsed(text) is None


def test_places_are_ordered_by_time_then_number_then_instrument() -> None:
    first, *others = [OLDEST, Place(1, 0, "A"), Place(1, 0, "B"), Place(1, 1, "A"), Place.before(2), Place(2, 0, "A")]

    assert sorted([*others, first]) == [first, *others]
