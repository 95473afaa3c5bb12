"""Orders end within P5 to P95 of their quotes about as often as these say, on bars that made no calibration."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from app.backtest.run_series import run_series
from app.backtest.setup import Setup
from app.bars.series import raw_rows, raw_windows
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.chain import BarWindow, PolicyChain
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.calibration import UNCALIBRATED
from app.decision.quotes.quoting import quote
from app.domain.costs import FREE
from app.domain.order import Benchmark, Scenario, Side, SizeMode
from app.domain.quote import Quote
from models.calibration import calibrate as calibrating
from models.calibration.check import coverage
from models.settings.train_plan import TrainMarket
from tests.builders import a_bar, an_instrument, an_order, an_order_state
from tests.market import REAL_BARS

pytestmark = pytest.mark.measures

STEPS, ORDERS, FROM = (6, 12), 200, 600
FILES, STARTS_PER_FILE = 12, 60
"""Of a market, at most: a few instruments are no market, and fewer starts would not meet all times of day. All orders
of all files: `lem calibrate --check`."""


@pytest.fixture(scope="module")
def shipped() -> LemPolicy:
    return load_bundle(SHIPPED_BUNDLE)


@pytest.mark.parametrize(
    ("market", "train_end", "validation_end"),
    [
        ("crypto_1h", date(2024, 7, 1), date(2025, 1, 1)),
        ("crypto_15m", date(2024, 7, 1), date(2025, 1, 1)),
        ("equity_1d", date(2016, 1, 1), date(2018, 1, 1)),
        ("equity_5m", date(2025, 10, 1), date(2025, 11, 1)),
    ],
)
def test_nine_of_ten_orders_on_later_bars_end_within_the_interval_of_their_quotes(
    shipped: LemPolicy,
    market: str,
    train_end: date,
    validation_end: date,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = sorted((REAL_BARS / market).glob("*.parquet"))
    if not files:
        pytest.skip(f"needs {market} beside the checkout")
    for file in files[:: max(1, len(files) // FILES)][:FILES]:
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.setattr(calibrating, "STARTS_MAX", STARTS_PER_FILE * FILES)

    rows = coverage(shipped, market, TrainMarket(path=tmp_path, train_end=train_end, validation_end=validation_end))

    whole = rows[-1]
    assert 0.86 <= whole.within <= 0.94, whole
    assert whole.mean_came == pytest.approx(whole.mean_quoted, abs=0.03)


def test_on_a_walk_orders_end_within_the_interval_of_quotes_without_a_calibration(shipped: LemPolicy) -> None:
    series = simulated_series("WALK", simulate_bars(np.random.default_rng(7), Walk(), 1, FROM + ORDERS * 12), 0, 900)
    setup = Setup(
        scenarios=(Scenario(Side.BUY, Benchmark.TWAP, SizeMode.QUANTITY),),
        min_steps=STEPS[:1],
        max_steps=STEPS[1],
        every=STEPS[1],
        risk_aversion=shipped.risk_aversion,
        start=int(series.open_time[FROM]),
    )
    outcome = run_series(series, shipped, setup)
    rows, chain = raw_rows(series), PolicyChain(shipped)

    def quoted(start: int) -> Quote:
        price = Decimal(repr(float(series.close[start - 1])))
        window = BarWindow(bars=raw_windows(rows, shipped.lookback, np.array([start - 1])), newest=a_bar(price=price))
        order = an_order(min_steps=STEPS[0], max_steps=STEPS[1], benchmark=Benchmark.TWAP, size=Decimal("0.01"))
        state = an_order_state(order, an_instrument(lot_size=Decimal("1e-9")), last_price=price)
        asked = QuotedOrder(
            state=state, step_seconds=900, windows_unseen=0, risk_aversion=shipped.risk_aversion, costs=FREE
        )
        return quote(chain.read(window), window, asked, UNCALIBRATED)

    quotes = [quoted(start) for start in outcome.start.tolist()]

    gains = zip((-outcome.slippage_bps).tolist(), (each.gain_bps for each in quotes), strict=True)
    within = np.mean([quoted.quantile(0.05) <= came <= quoted.quantile(0.95) for came, quoted in gains])
    assert 0.84 <= within <= 0.96
    assert np.mean([each.gain_bps.mean for each in quotes]) == pytest.approx(-outcome.slippage_bps.mean(), abs=1.5)
    assert np.mean([each.expected_end_step for each in quotes]) == pytest.approx(outcome.steps_used.mean(), abs=0.5)
