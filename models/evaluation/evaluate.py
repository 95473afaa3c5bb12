"""From a plan to tables and reports: measure what is not kept yet, then put the kept figures together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.backtest.job import LEM, load_policy
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from app.files import written_whole
from models.evaluation.evaluation_plan import EvaluationMarket, EvaluationPlan, WalkPlan
from models.evaluation.html_report import html_report
from models.evaluation.market_results import MarketResults, read_results
from models.evaluation.measure_units import measure_units
from models.evaluation.planned_runs import every_of, market_runs, walk_runs
from models.evaluation.published import blocks
from models.evaluation.random_walks import FOLDER, write_walks
from models.evaluation.rivals import POLICIES, STOPPING_BASELINE
from models.evaluation.summary_page import summary_page
from models.evaluation.tables.csv_files import write_csv
from models.evaluation.tables.market_tables import Tables, market_tables
from models.evaluation.tables.random_walk import random_walk
from models.evaluation.tables.table_columns import COLUMNS
from models.evaluation.units import Unit
from models.settings.files import bar_files

KEPT = "kept"
REPORT = "report.html"
SUMMARY = "summary.md"
WALK_POLICIES = (LEM, STOPPING_BASELINE, "twap")


def check(plan: EvaluationPlan) -> None:
    """Raises InvalidInput, before anything is loaded, for a plan that cannot be measured."""
    if not plan.markets and not plan.walk:
        raise InvalidInput("nothing_to_do", "there is nothing to measure: name bars, a plan, or the walk")
    if FOLDER in plan.markets:
        raise InvalidInput("bad_plan", f"no market may be named {FOLDER}")
    for name, market in plan.markets.items():
        bar_files(market.paths)
        if market.published not in (None, *blocks()):
            raise InvalidInput(
                "unknown_block", f"{name}: published is {market.published!r}; there are {', '.join(blocks())}"
            )


def load_policies(bundle: Path) -> dict[str, Policy]:
    """The LEM and every baseline. Raises BundleError for a bundle that cannot be used."""
    return {name: load_policy(name, bundle) for name in POLICIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """`out` gets one CSV file per table, the report, a summary, and `kept`/ with the finished units of work. `policies`
    has one entry for each of `POLICIES`; other processes (`jobs` above 1) load theirs from `bundle`."""

    plan: EvaluationPlan
    policies: dict[str, Policy]
    bundle: Path
    out: Path
    jobs: int = 1

    def measure(self) -> dict[str, MarketResults]:
        """Measure all units that are not kept yet; the results by market, those of the walks under `FOLDER`.

        Raises InvalidInput for bars, a plan or a bundle's horizon that cannot be run, and for a market without orders.
        """
        check(self.plan)
        units = {name: self._market_units(name, market) for name, market in self.plan.markets.items()}
        if self.plan.walk:
            units[FOLDER] = self._walk_units(self.plan.walk)
        kept = self.out / KEPT
        all_units = [unit for units_of_market in units.values() for unit in units_of_market]
        measure_units(all_units, kept, self.policies, self.bundle, self.jobs)
        return {name: read_results(name, units_of_market, kept) for name, units_of_market in units.items()}

    def write(self, results: dict[str, MarketResults], facts: dict[str, str]) -> Tables:
        """Write what follows from the results of `measure`. `facts` stand at the top of the report and the summary."""
        tables = self._tables(results)
        for name, rows in tables.items():
            write_csv(self.out / f"{name}.csv", name, rows)
        write_text(self.out / REPORT, html_report(facts, tables, list(self.plan.markets)))
        write_text(self.out / SUMMARY, summary_page(tables, facts))
        return tables

    def _tables(self, results: dict[str, MarketResults]) -> Tables:
        by_market = [
            market_tables(results[name], published=market.published, resamples=self.plan.resamples, seed=self.plan.seed)
            for name, market in self.plan.markets.items()
        ]
        tables = {name: [row for tables in by_market for row in tables.get(name, ())] for name in COLUMNS}
        if self.plan.walk:
            tables["walk"] = list(random_walk(results[FOLDER], self.plan.walk))
        return tables

    def _market_units(self, name: str, market: EvaluationMarket) -> list[Unit]:
        files = bar_files(market.paths)
        every = every_of(self.plan, market, files)
        return [
            Unit(
                market=name,
                path=path,
                policy=policy_name,
                policy_name=policy.name,
                runs=tuple(market_runs(self.plan, policy_name, policy)),
                every=every,
                step_seconds=market.step_seconds,
                span=(market.start_seconds, market.end_seconds),
            )
            for path in files
            for policy_name, policy in self.policies.items()
        ]

    def _walk_units(self, walk: WalkPlan) -> list[Unit]:
        return [
            Unit(
                market=FOLDER,
                path=path,
                policy=name,
                policy_name=self.policies[name].name,
                runs=tuple(walk_runs(self.plan, walk, name, self.policies[name])),
                every=self.plan.max_steps,
                step_seconds=None,
                span=(None, None),
            )
            for path in write_walks(walk, self.out / KEPT / FOLDER)
            for name in WALK_POLICIES
        ]


def write_text(path: Path, text: str) -> None:
    with written_whole(path) as draft:
        draft.write_text(text)
