"""The demo ends every order, on real bars and on simulated ones, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.clock.calendars import calendar
from app.demo import replay
from app.demo.show import DemoFailed, run_demo
from lem_client import Status
from tests.processes.replicas import PATIENT_SECONDS

pytestmark = pytest.mark.spawns

DEMO = [sys.executable, "-m", "app.cli", "demo"]


def test_all_eight_scenarios_are_traded_to_their_end(capsys: pytest.CaptureFixture[str]) -> None:
    tickets = run_demo(None, bars_per_second=1000)

    sent = {(ticket.sent.side, ticket.sent.benchmark, ticket.sent.quantity is None) for ticket in tickets}
    assert len(sent) == 8
    for order in (ticket.order for ticket in tickets):
        assert order is not None
        assert (order.status, order.leaves) == (Status.COMPLETED, 0)
        assert order.horizon.min_steps <= order.step <= order.horizon.max_steps
    assert all(ticket.ended for ticket in tickets)
    shown = capsys.readouterr().out
    assert "real daily bars of AAPL, GOOG, IBM, MSFT" in shown
    assert "Summary" in shown


def test_without_the_package_of_real_bars_it_says_that_they_are_simulated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "find_spec", lambda _: None)

    tickets = run_demo(None, bars_per_second=1000)

    assert {ticket.order.status for ticket in tickets if ticket.order} == {Status.COMPLETED}
    assert "simulated random walks" in capsys.readouterr().out


def test_the_real_bars_are_the_exchange_s_sessions_without_a_gap() -> None:
    loaded = replay.load_replay(history_count=600, window_count=20)
    opens = [bar.open_time for bar in loaded.history if bar.instrument == "AAPL"]
    opens += [bars[0].open_time for bars in loaded.windows]

    sessions = calendar("XNYS")

    assert len(opens) == 620
    assert sessions.missing(opens[0], opens[-1], 86_400, limit=1_000) == opens[1:-1]


def test_an_interrupt_ends_the_service_too() -> None:
    with subprocess.Popen([*DEMO, "--bars-per-second", "0.5"], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        address = next(found[1] for line in demo.stdout if (found := re.search(r"service: (http://\S+?),", line)))
        assert httpx.get(f"{address}/healthz", timeout=PATIENT_SECONDS).status_code == 200
        demo.send_signal(signal.SIGINT)

        assert demo.wait(PATIENT_SECONDS) == 130

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz")


def test_a_service_that_cannot_start_is_the_demo_s_failure(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="no valid bundle"):
        run_demo(tmp_path / "none", bars_per_second=1000)
