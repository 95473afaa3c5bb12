"""What is learned at one bar length counts less and less towards the next."""

from __future__ import annotations

import pytest
import torch

from models.network.lengths import LENGTH_KNOTS, LENGTHS, by_length, length_shares


def test_a_bar_length_of_the_list_speaks_for_itself_alone() -> None:
    shares = length_shares(torch.tensor(LENGTH_KNOTS[1:-1]))

    assert torch.allclose(shares, torch.eye(LENGTHS), atol=1e-5)


@pytest.mark.parametrize("seconds", [600.0, 1_800.0, 5_400.0, 43_200.0])
def test_a_bar_length_between_two_is_shared_out(seconds: float) -> None:
    shares = length_shares(torch.tensor([seconds]))[0]

    assert int((shares > 0.0).sum()) == 2
    assert shares.sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 60.0, 604_800.0, 2_592_000.0])
def test_beyond_the_list_only_what_holds_for_all_speaks(seconds: float) -> None:
    figures = torch.tensor([[1.5, -2.0]])

    crossed = by_length(figures, length_shares(torch.tensor([seconds])))

    assert crossed[0, :2].tolist() == [1.5, -2.0]
    assert not crossed[0, 2:].any()


def test_figures_stand_once_for_all_lengths_and_once_for_each() -> None:
    lengths = torch.tensor([[0.25, 0.75] + [0.0] * (LENGTHS - 2)])

    crossed = by_length(torch.tensor([[2.0]]), lengths)

    assert crossed[0, :3].tolist() == [2.0, 0.5, 1.5]
    assert crossed.shape == (1, 1 + LENGTHS)
