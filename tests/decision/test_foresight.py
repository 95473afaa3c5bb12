"""How many continuations of the market an order is run through; what comes of them is in tests/acceptance."""

from __future__ import annotations

from app.decision.continuations import continuations


def test_an_order_with_many_steps_has_fewer_continuations_each_with_its_mirror_image() -> None:
    counts = [continuations(steps) for steps in (1, 12, 96, 97, 256, 10_000)]

    assert counts == [256, 256, 256, 252, 96, 64]
