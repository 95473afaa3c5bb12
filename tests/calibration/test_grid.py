"""Which orders a calibration measures."""

from __future__ import annotations

import pytest

from models.calibration.grid import earliest_ends, lengths, slice_cap


@pytest.mark.parametrize(
    ("longest", "measured"), [(256, [2, 4, 16, 64, 256]), (24, [2, 6, 24]), (12, [2, 3, 12]), (2, [2]), (1, [1])]
)
def test_lengths_are_quarters_of_the_longest_and_the_shortest_to_decide(longest: int, measured: list[int]) -> None:
    assert lengths(longest) == measured


def test_earliest_ends_are_shares_of_the_horizon_and_at_least_one_step() -> None:
    assert earliest_ends(24) == (1, 10, 17, 24)
    assert earliest_ends(1) == (1,)


def test_a_slice_cap_of_two_even_slices_lets_half_of_the_steps_make_the_order() -> None:
    assert slice_cap(2.0, 24) * 12 >= 1
    assert slice_cap(None, 24) == 1
