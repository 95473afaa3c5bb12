"""The demo's last words follow from its intervals."""

from __future__ import annotations

from typing import Any

import pytest

from app.bundles.seen_days import Sample
from app.demo.conclusion import bars_known, luck


def a_row(low: float, high: float, *, narrow: int = 1) -> dict[str, Any]:
    return {"orders": 8, "over_lem_bps": (low + high) / 2, "over_lem_bps_low": low, "over_lem_bps_high": high} | {
        "narrow": narrow
    }


def test_an_interval_that_holds_0_may_be_chance() -> None:
    said = luck({"blind": a_row(-1.0, 2.0), "TWAP": a_row(-3.0, 0.0)})

    assert "With 8 orders, the difference to blind and TWAP may be chance alone." in said
    assert "does not hold 0" not in said


def test_an_interval_beyond_0_is_a_hint_while_orders_overlap() -> None:
    said = luck({"blind": a_row(-1.0, 2.0), "TWAP": a_row(3.0, 9.0)})

    assert "the difference to blind may be chance alone" in said
    assert "The interval of TWAP does not hold 0." in said
    assert said.endswith("that is a hint, no proof.")


def test_an_interval_that_is_wide_enough_is_not_called_narrow() -> None:
    assert luck({"TWAP": a_row(-9.0, -3.0, narrow=0)}) == "The interval of TWAP does not hold 0."


def test_limits_that_are_not_known_may_be_chance() -> None:
    assert "may be chance alone" in luck({"TWAP": a_row(float("nan"), float("nan"))})


@pytest.mark.parametrize("sample", Sample)
def test_it_says_of_every_sample_what_the_model_knows_of_the_bars(sample: Sample) -> None:
    assert bars_known((sample,))
    assert "simulated" not in bars_known((sample,))


def test_simulated_bars_are_of_no_sample() -> None:
    assert "simulated" in bars_known(())
