"""Which backtests measure a repurchase contract."""

from __future__ import annotations

from app.backtest.job import LEM, risk_aversion_of
from app.decision.policy import Policy
from app.domain.order import Benchmark, Scenario, Side, SizeMode
from models.evaluation.backtest_run import Part, Run
from models.evaluation.plan_parts import DEFAULT, NEUTRAL
from models.evaluation.repurchase.repurchase_plan import Contract

NO_CAP = 1.0
SCENARIOS = tuple(sorted(Scenario(Side.BUY, Benchmark.TWAP, mode).index for mode in SizeMode))
"""A company buys its own shares; a day counts with its VWAP, and all days count the same."""
EVEN_PACE = "twap"


def contract_runs(contract: Contract, slice_caps: tuple[float, ...], name: str, policy: Policy) -> list[Run]:
    """Buys of fixed quantity and of fixed notional, without and with the daily caps. The even pace needs one run: it
    is below every cap."""
    points = (NEUTRAL, DEFAULT) if name == LEM else (DEFAULT,)
    caps = (NO_CAP,) if name == EVEN_PACE else tuple(dict.fromkeys((NO_CAP, *slice_caps)))
    return [
        Run(
            part=Part.REPURCHASE,
            policy=name,
            risk_aversion=risk_aversion,
            min_steps=(contract.min_steps,),
            max_steps=contract.max_steps,
            scenarios=SCENARIOS,
            slice_cap=cap,
        )
        for cap in caps
        for risk_aversion in dict.fromkeys(risk_aversion_of(policy, point) for point in points)
    ]
