"""The demo ends every order, on real bars and on simulated ones, and shows what rules would have made of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bundles.bundle import load_bundle
from app.bundles.shipped import SHIPPED_BUNDLE
from app.clock.calendars import calendar
from app.decision.policies.registry import baseline
from app.demo import replay
from app.demo.comparing import RULES, compared, series_of, simulated
from app.demo.oms import Ticket
from app.demo.show import HISTORY_WINDOWS, REPLAY_WINDOWS, DemoFailed, run_demo
from lem_client import Status

pytestmark = pytest.mark.spawns


@pytest.fixture(scope="module")
def traded() -> list[Ticket]:
    """The orders of the demo on real bars."""
    return run_demo(None, bars_per_second=1000)


def test_all_eight_scenarios_are_traded_to_their_end(traded: list[Ticket]) -> None:
    sent = {(ticket.sent.side, ticket.sent.benchmark, ticket.sent.quantity is None) for ticket in traded}

    assert len(sent) == 8
    for order in (ticket.order for ticket in traded):
        assert order is not None
        assert (order.status, order.leaves) == (Status.COMPLETED, 0)
        assert order.horizon.min_steps <= order.step <= order.horizon.max_steps
    assert all(ticket.ended for ticket in traded)


def test_what_is_simulated_beside_the_orders_is_what_the_service_would_do(traded: list[Ticket]) -> None:
    """The backtest's model on the same bars makes of each order what the service has made of it, but for slices of a
    notional, which the service rounds to whole shares."""
    bars, model = replay.load_replay(HISTORY_WINDOWS, REPLAY_WINDOWS), load_bundle(SHIPPED_BUNDLE)

    for ticket, window in zip(traded, bars.windows, strict=False):
        series, order, opened = series_of(bars, ticket.sent.instrument), ticket.order, window[0].open_time
        assert order is not None
        assert order.slippage_bps is not None
        outcome = simulated(series, ticket, opened, model)
        assert outcome.steps_used.tolist() == [order.step]
        tolerance_bps = 0.01 if ticket.sent.quantity else 0.25
        assert outcome.slippage_bps[0] == pytest.approx(float(order.slippage_bps), abs=tolerance_bps)


def test_each_order_stands_beside_the_same_order_of_each_rule(traded: list[Ticket]) -> None:
    bars = replay.load_replay(HISTORY_WINDOWS, REPLAY_WINDOWS)

    found = compared(bars, traded, SHIPPED_BUNDLE)

    assert found.slippage_bps["lem"] == [float(ticket.order.slippage_bps or 0) for ticket in traded if ticket.order]
    for name, rule in RULES.items():
        series, opened = series_of(bars, traded[0].sent.instrument), bars.windows[0][0].open_time
        alone = simulated(series, traded[0], opened, baseline(rule))
        assert found.slippage_bps[name][0] == float(alone.slippage_bps[0])
        mean = sum(found.slippage_bps[name]) / 8 - sum(found.slippage_bps["lem"]) / 8
        assert found.total[name]["over_lem_bps"] == pytest.approx(mean)
    by_twap = [slippage for ticket, slippage in zip(traded, found.slippage_bps["TWAP"], strict=True) if _even(ticket)]
    assert by_twap == pytest.approx([0.0, 0.0], abs=1e-6), "a plain TWAP meets a TWAP benchmark"
    assert [str(sample) for sample in found.samples] == ["training"]


def _even(ticket: Ticket) -> bool:
    return ticket.sent.benchmark == "twap" and ticket.sent.quantity is not None


def test_without_the_package_of_real_bars_it_says_that_they_are_simulated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "find_spec", lambda _: None)

    tickets = run_demo(None, bars_per_second=1000)

    assert {ticket.order.status for ticket in tickets if ticket.order} == {Status.COMPLETED}
    shown = capsys.readouterr().out
    assert "simulated random walks" in shown
    assert "These bars are simulated" in shown


def test_the_real_bars_are_the_exchange_s_sessions_without_a_gap() -> None:
    loaded = replay.load_replay(history_count=600, window_count=20)
    opens = [bar.open_time for bar in loaded.history if bar.instrument == "AAPL"]
    opens += [bars[0].open_time for bars in loaded.windows]

    sessions = calendar("XNYS")

    assert len(opens) == 620
    assert sessions.missing(opens[0], opens[-1], 86_400, limit=1_000) == opens[1:-1]


def test_a_service_that_cannot_start_is_the_demo_s_failure(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="no valid bundle"):
        run_demo(tmp_path / "none", bars_per_second=1000)
