"""What is foreseen at knots is read at every step, and what is seen at every step is gathered at knots."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from models.network.ahead import KNOTS, NEAR, gathered_at, judged_steps, knots_of, spread_over

LENGTHS = (1, 2, 12, 13, 30, 256, 300)


@pytest.mark.parametrize("steps", LENGTHS)
def test_knots_rise_to_the_last_step(steps: int) -> None:
    knots = knots_of(steps)

    assert list(knots) == sorted(set(knots))
    assert knots[-1] == steps
    assert set(knots[:-1]) == {knot for knot in KNOTS if knot < steps}


@pytest.mark.parametrize("steps", LENGTHS)
def test_a_knot_speaks_for_its_own_step_and_fades_to_its_neighbours(steps: int) -> None:
    knots = knots_of(steps)
    spread = spread_over(knots, steps)

    assert torch.allclose(spread[:, torch.tensor(knots) - 1], torch.eye(len(knots)), atol=1e-6)
    assert torch.allclose(spread.sum(0), torch.ones(steps), atol=1e-6)
    assert ((spread > 0.0).sum(0) <= 2).all()


def test_between_two_knots_lies_a_straight_line() -> None:
    knots = knots_of(256)
    at_knots = torch.zeros(len(knots))
    at_knots[[knots.index(32), knots.index(48)]] = torch.tensor([1.0, 3.0])

    along = at_knots @ spread_over(knots, 256)

    assert along[40 - 1].item() == pytest.approx(2.0, abs=1e-5)


@pytest.mark.parametrize("steps", LENGTHS)
def test_a_knot_gathers_the_steps_since_the_knot_before(steps: int) -> None:
    knots = knots_of(steps)
    along = torch.randn(steps, generator=torch.Generator().manual_seed(0))

    gathered = along @ gathered_at(knots, steps)

    for index, (before, knot) in enumerate(zip((0, *knots), knots, strict=False)):
        assert gathered[index].item() == pytest.approx(along[before:knot].mean().item(), abs=1e-5)


@pytest.mark.parametrize("steps", LENGTHS)
def test_forecasts_are_judged_at_the_knots_and_half_way_between_those_that_lie_apart(steps: int) -> None:
    judged = judged_steps(steps).tolist()

    assert judged == sorted(set(judged))
    assert set(knots_of(steps)) <= set(judged)
    assert (1, steps) == (judged[0], judged[-1])
    assert {step for step in judged if step <= min(steps, 12)} == set(range(1, min(steps, 12) + 1))


def test_near_knots_follow_a_wave_of_some_hours() -> None:
    """Short waves are forecast there alone: between far knots they would be read from the wrong end of a wave."""
    near = [knot for knot in KNOTS if knot <= NEAR]

    assert max(after - before for before, after in pairwise(near)) <= 2
