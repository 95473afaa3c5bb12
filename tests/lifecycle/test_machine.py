"""The life cycle of orders, held against a plain model over the HTTP application."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lifecycle.exploring import explore

STEPS = 400


@pytest.mark.explores
def test_orders_at_random_stand_as_in_a_plain_model_of_their_life_cycle(tmp_path: Path) -> None:
    explore(tmp_path, steps=STEPS)
