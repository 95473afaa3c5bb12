"""Real bars: the baselines earn what simple causal methods are known to earn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.gaps import segments
from app.bars.reader import read_series
from app.decision.policies.registry import baseline
from app.domain.order import Benchmark, SizeMode
from tests.market import REAL_BARS, scenarios_of

BITCOIN = REAL_BARS / "crypto_15m" / "BTCUSDT-15m.parquet"
FIRST_OF_2025 = 1_735_689_600
MAY_2025 = 1_746_057_600

pytestmark = [
    pytest.mark.measures,
    pytest.mark.skipif(not BITCOIN.exists(), reason="the real bars are not beside the checkout"),
]


def on_bitcoin(policy: str, benchmark: Benchmark, min_steps: int) -> Outcome:
    (series,) = segments(read_series(BITCOIN))
    setup = Setup(
        min_steps=(min_steps,),
        max_steps=12,
        every=12,
        risk_aversion=0.0,
        scenarios=scenarios_of(benchmark, SizeMode.QUANTITY),
        start=FIRST_OF_2025,
        end=MAY_2025,
    )
    return run_series(series, baseline(policy), setup)


def width(outcome: Outcome) -> float:
    """P95 - P5 in bps."""
    return float(np.subtract(*np.percentile(outcome.slippage_bps, [95, 5])))


def test_stopping_earns_on_real_bars() -> None:
    by_start = [-on_bitcoin("optimal_stopping", Benchmark.TWAP, steps).slippage_bps.mean() for steps in (1, 6, 9)]

    assert by_start == sorted(by_start, reverse=True)
    assert by_start[-1] > 2.0


def test_the_volume_curve_tracks_vwap_closer_than_twap_does() -> None:
    curve, even = (on_bitcoin(policy, Benchmark.VWAP, 12) for policy in ("volume_curve", "twap"))

    assert width(curve) < 0.9 * width(even)


@pytest.mark.parametrize("path", sorted(REAL_BARS.glob("*/*.parquet"))[::20], ids=lambda path: Path(path).stem)
def test_every_kind_of_file_can_be_read(path: Path) -> None:
    stretches = segments(read_series(path))

    assert sum(len(stretch) for stretch in stretches) > 1000
