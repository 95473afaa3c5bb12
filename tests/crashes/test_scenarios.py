"""What a seed stands for."""

from __future__ import annotations

from collections import Counter
from itertools import product

from tests.crashes.harm import SCENARIOS_A_PLAY, Kind, scenario_of
from tests.crashes.play import CANCELLED, DAY, SCENARIOS, STARTS_LATER, play_of
from tests.crashes.points import PLACES, Point

PAIRS = len(Kind) * len(Point)


def test_as_many_seeds_as_there_are_pairs_hold_every_kind_of_harm_at_every_point() -> None:
    pairs = {(each.kind, each.point) for each in map(scenario_of, range(1_000, 1_000 + PAIRS))}

    assert pairs == set(product(Kind, Point))


def test_one_kind_alone_comes_at_every_point() -> None:
    scenarios = [scenario_of(seed, Kind.CUT) for seed in range(len(Point))]

    assert {each.kind for each in scenarios} == {Kind.CUT}
    assert {each.point for each in scenarios} == set(Point)


def test_every_point_has_its_place_in_the_code() -> None:
    assert Counter(place.point for place in PLACES) == Counter(Point)


def test_a_seed_always_means_the_same() -> None:
    passages = Counter(dict.fromkeys(Point, 9))

    assert scenario_of(7) == scenario_of(7)
    assert scenario_of(7).harm(passages) == scenario_of(7).harm(passages)
    assert play_of(7) == play_of(7)


def test_neighbours_share_a_play_and_its_undisturbed_run() -> None:
    assert len({scenario_of(seed).play for seed in range(SCENARIOS_A_PLAY)}) == 1


def test_plays_hold_all_eight_scenarios_one_to_three_instruments_gaps_and_revised_bars() -> None:
    plays = [play_of(seed) for seed in range(25)]

    scenarios = {
        (order.body["side"], order.body["benchmark"], "quantity" if "quantity" in order.body else "notional")
        for play in plays
        for order in play.orders
    }
    assert scenarios == set(SCENARIOS)
    assert {len(play.days) for play in plays} == {1, 2, 3}
    assert any(index >= 0 for play in plays for index in play.missing.values())
    assert any(play.revised >= 0 for play in plays)


def test_every_play_has_reported_parts_a_closed_slice_a_cancel_and_an_order_that_starts_later() -> None:
    for play in map(play_of, range(25)):
        assert play.orders[0].reported
        assert len(play.orders[0].shares[0]) == 2
        assert 1 in play.orders[0].closed
        assert play.orders[CANCELLED].after < play.cancel_after
        assert play.orders[STARTS_LATER].body["start_time"]
        assert all(len(play.bars_at(index)) <= len(play.days) for index in range(DAY))
