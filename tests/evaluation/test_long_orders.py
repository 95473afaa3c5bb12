"""Orders of more steps than a byte counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.decision.policies.registry import baseline
from app.domain.order import Benchmark, SizeMode
from models.evaluation.backtest_run import Part, Run, scenarios_of
from models.evaluation.measure import measure_file
from tests.evaluation.stand_in import StandIn
from tests.market import a_walk_file

STEPS = 150


def a_run(part: Part, policy: str, min_steps: int) -> Run:
    scenarios = scenarios_of(SizeMode.QUANTITY, Benchmark.TWAP)
    return Run(
        part=part, policy=policy, risk_aversion=0.0, min_steps=(min_steps,), max_steps=STEPS, scenarios=scenarios
    )


@pytest.fixture(name="bars", scope="module")
def a_bar_file_of_a_few_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_walk_file(tmp_path_factory.mktemp("bars"), bars=500)


def test_the_steps_of_a_long_order_are_counted(bars: Path) -> None:
    figures = measure_file(
        bars, baseline("twap"), [a_run(Part.MAIN, "twap", STEPS)], every=STEPS, step_seconds=None, span=(None, None)
    )

    assert figures["0.steps_used"].dtype == np.int16
    assert set(figures["0.steps_used"].ravel().tolist()) == {STEPS}


def test_decisions_late_in_a_long_order_keep_their_step(bars: Path) -> None:
    figures = measure_file(
        bars, StandIn(), [a_run(Part.STOP, "lem", 140)], every=STEPS, step_seconds=None, span=(None, None)
    )

    assert sorted(set(figures["0.step"].tolist())) == list(range(140, STEPS))
    assert set(figures["0.min_steps"].tolist()) == {140}
