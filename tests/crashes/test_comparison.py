"""A run that differs from the undisturbed one is found out, whatever differs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crashes.comparison import Run, compare
from tests.crashes.oms import Transcript, faults_of

ORDER, SLICES, FILLS = "lem:{BTC}:order:1", "lem:{BTC}:slices:1", "lem:{BTC}:fills:1"
EVENTS, BARS, AWAITING = "lem:{BTC}:events", "lem:{BTC}:bars", "lem:{BTC}:awaiting"


def a_dump(**changes: Any) -> dict[str, Any]:
    """An order with two slices and a fill; a change by the last word of its key, None takes the key away."""
    named = {
        "order": {"state": "done", "version": "3", "commit": "at random"},
        "slices": {"1": "first", "2": "second"},
        "fills": {"exec-1": "booked"},
        "events": events("one", "two", "three"),
        "bars": [("0-0", {"json": "bar"}), ("900-0", {"json": "another"})],
        "awaiting": {"1"},
    } | changes
    keys = {"order": ORDER, "slices": SLICES, "fills": FILLS, "events": EVENTS, "bars": BARS, "awaiting": AWAITING}
    return {keys[name]: value for name, value in named.items() if value is not None}


def events(*texts: str) -> list[tuple[str, dict[str, str]]]:
    return [(f"{at}-0", {"json": text}) for at, text in enumerate(texts, 1)]


def a_transcript(*answers: Any, broken: tuple[str, ...] = ()) -> Transcript:
    return Transcript([(f"answer {index}", answer) for index, answer in enumerate(answers)], list(broken))


def counts(**changes: Any) -> tuple[int, int, int]:
    found = compare(Run(a_transcript(), a_dump()), Run(a_transcript(), a_dump(**changes)))
    return found.lost, found.doubled, found.different


def test_a_run_is_like_itself() -> None:
    assert counts() == (0, 0, 0)


def test_names_drawn_at_random_and_the_servers_times_may_differ() -> None:
    order = {"state": "done", "version": "3", "commit": "another name"}
    later = [(f"{at}-7", fields) for at, fields in a_dump()[EVENTS]]

    assert counts(order=order, events=later) == (0, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"slices": {"1": "first"}},
        {"fills": None},
        {"events": events("one", "three")},
        {"bars": [("0-0", {"json": "bar"})]},
        {"awaiting": set()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_missing_is_lost(changes: dict[str, Any]) -> None:
    assert counts(**changes) == (1, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"slices": {"1": "first", "2": "second", "3": "third"}},
        {"fills": {"exec-1": "booked", "exec-2": "booked"}},
        {"events": events("one", "two", "two", "three")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_too_much_is_doubled(changes: dict[str, Any]) -> None:
    assert counts(**changes) == (0, 1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"order": {"state": "done", "version": "4", "commit": ""}},
        {"slices": {"1": "first", "2": "other"}},
        {"events": events("two", "one", "three")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_values_and_another_order_of_events_are_different(changes: dict[str, Any]) -> None:
    assert counts(**changes) == (0, 0, 1)


def test_answers_count_too_and_only_the_first_that_differs() -> None:
    undisturbed, dump = a_transcript("a", "b", "c"), a_dump()

    other = compare(Run(undisturbed, dump), Run(a_transcript("a", "x", "y"), dump))
    shorter = compare(Run(undisturbed, dump), Run(a_transcript("a", "b"), dump))
    broken = compare(Run(undisturbed, dump), Run(a_transcript("a", "b", "c", broken=("500",)), dump))

    assert [each.different for each in (other, shorter, broken)] == [1, 1, 1]
    assert "answer 1" in other.told[0]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, 0),
        ({"leaves": "7"}, 1),
        ({"in_flight": "7"}, 1),
        ({"in_flight": "7", "over_filled": "1"}, 0),
        ({"in_flight": "-1"}, 1),
    ],
)
def test_an_answer_that_does_not_add_up_is_a_fault(changes: dict[str, str], faults: int) -> None:
    sizes = {"quantity": "10", "notional": None, "filled_quantity": "4", "filled_notional": "400"}
    order = sizes | {"leaves": "6", "in_flight": "2", "over_filled": "0"} | changes

    assert len(faults_of(order)) == faults
