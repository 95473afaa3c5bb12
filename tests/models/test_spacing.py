"""Orders that measure a policy start at all times of day."""

from __future__ import annotations

import numpy as np
import pytest

from models.tapes.spacing import bars_per_day, over_the_day

DAY = 86_400


@pytest.mark.parametrize(
    ("bar_seconds", "opens", "closes", "per_day"), [(900, 0, DAY, 96), (300, 52_200, 75_600, 78), (DAY, 0, DAY, 1)]
)
def test_orders_start_at_every_time_of_day(bar_seconds: int, opens: int, closes: int, per_day: int) -> None:
    of_day = np.arange(opens, closes, bar_seconds)
    open_time = (DAY * np.arange(200)[:, None] + of_day).ravel()

    every = over_the_day(12, bars_per_day(open_time))

    assert bars_per_day(open_time) == per_day
    assert 12 <= every <= 19
    assert set(open_time[::every] % DAY) == set(of_day)
