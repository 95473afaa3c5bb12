"""The page on share repurchases for docs/: our gains and their parts beside published figures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.backtest.job import LEM
from app.decision.policy import Policy
from app.domain.order import SizeMode
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.repurchase.contract_table import WALKS
from models.evaluation.repurchase.repurchase_plan import Contract, RepurchasePlan
from models.evaluation.tables.row_figures import Row
from models.evaluation.templating import rendered

TEMPLATE = "repurchase.md"
PUBLISHED = Path(__file__).with_name("published.csv")
NUMBERS = ("sigma_year", "gain_bps", "std_bps")
LEFT_OUT = ("markets", "max_steps", "costs, where charged")
"""Facts of a plan that say nothing about contracts."""
STEPS = ("max_steps", "min_steps")


def published_contracts() -> list[Row]:
    """The printed figures with their sources, in bps and positive where good; None where nothing was printed."""
    with PUBLISHED.open(newline="") as file:
        return [_read(row) for row in csv.DictReader(file)]


def repurchase_page(
    rows: Sequence[Row],
    *,
    plan: EvaluationPlan,
    repurchase: RepurchasePlan,
    plan_file: Path | None,
    policy: Policy,
    facts: dict[str, str],
) -> str:
    """`rows` are those of the table `repurchase`; the others are as in `results_page`."""
    named: dict[str, float] = getattr(policy, "risk_aversions", {})
    names = {value: name for name, value in named.items()}
    shown = [row | {"named": names.get(row["risk_aversion"]) if row["policy"] == LEM else None} for row in rows]
    return rendered(
        TEMPLATE,
        plan=plan,
        repurchase=repurchase,
        plan_file=plan_file,
        facts={name: value for name, value in facts.items() if name not in LEFT_OUT},
        contracts=[_contract(contract, shown) for contract in repurchase.contracts],
    )


def _contract(contract: Contract, rows: Sequence[Row]) -> dict[str, Any]:
    """What one section of the page shows."""
    own = [row for row in rows if row["max_steps"] == contract.max_steps]
    steps = (contract.max_steps, contract.min_steps)
    return {
        "contract": contract,
        "walks": _by_size_mode([row for row in own if row["bars"] == WALKS]),
        "real": _by_size_mode([row for row in own if row["bars"] != WALKS]),
        "optimum": next((row["optimum_bps"] for row in own if row["bars"] == WALKS), None),
        "published": [row for row in published_contracts() if (row["max_steps"], row["min_steps"]) == steps],
    }


def _by_size_mode(rows: Sequence[Row]) -> list[Row]:
    return [row for mode in SizeMode for row in rows if row["size_mode"] == mode.value]


def _read(row: dict[str, str]) -> Row:
    numbers: Row = {name: float(row[name]) if row[name] else None for name in NUMBERS}
    return row | numbers | {name: int(row[name]) for name in STEPS}
