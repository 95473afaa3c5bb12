"""From a plan to tables and reports: measure what is not kept yet, then put the kept figures together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.backtest.job import LEM, load_policy
from app.backtest.setup import Starts
from app.bars.bar_files import bar_files
from app.bars.file_names import require_one_symbol_each
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from app.files import written_whole
from models.evaluation.backtest_run import Run
from models.evaluation.evaluation_plan import EvaluationPlan, WalkPlan
from models.evaluation.html_report import html_report
from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.market_results import Results, read_results
from models.evaluation.measure_units import measure_units
from models.evaluation.planned_runs import every_of, market_runs, usual_walk_runs, walk_runs
from models.evaluation.published import blocks
from models.evaluation.random_walks import FOLDER, of_length, write_contract_walks, write_walks
from models.evaluation.repurchase.contract_runs import EVEN_PACE, contract_runs
from models.evaluation.repurchase.contract_table import WALKS, contract_rows
from models.evaluation.repurchase.repurchase_plan import RepurchasePlan
from models.evaluation.rivals import POLICIES, STOPPING_BASELINE
from models.evaluation.summary_page import summary_page
from models.evaluation.tables.csv_files import write_csv
from models.evaluation.tables.market_tables import Tables, market_tables
from models.evaluation.tables.random_walk import random_walk
from models.evaluation.tables.row_figures import Row
from models.evaluation.tables.table_columns import COLUMNS
from models.evaluation.units import LengthUnits, Unit

KEPT = "kept"
REPORT = "report.html"
SUMMARY = "summary.md"
WALK_POLICIES = (LEM, STOPPING_BASELINE)
CONTRACT_POLICIES = (LEM, STOPPING_BASELINE, EVEN_PACE)
REPURCHASE_WALKS, REPURCHASE_BARS = "repurchase_walks", "repurchase_bars"


def check(plan: EvaluationPlan) -> None:
    """Raises InvalidInput, before anything is loaded, for a plan that cannot be measured."""
    if not plan.markets and not plan.walk and not plan.repurchase:
        raise InvalidInput("nothing_to_do", "there is nothing to measure: name bars, a plan, or the walk")
    for name in (FOLDER, REPURCHASE_WALKS, REPURCHASE_BARS):
        if name in plan.markets:
            raise InvalidInput("bad_plan", f"no market may be named {name}")
    for name, market in plan.markets.items():
        require_one_symbol_each(bar_files(market.paths))
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
    has one entry for each of `POLICIES`; other processes (`jobs` above 1) load theirs from `bundle`.
    With `ray`, the address of a cluster, its machines measure."""

    plan: EvaluationPlan
    policies: dict[str, Policy]
    bundle: Path
    out: Path
    jobs: int = 1
    ray: str | None = None

    def measure(self) -> Results:
        """Measure all units that are not kept yet; the results by market, those of the walks under `FOLDER`.

        Raises InvalidInput for bars, a plan or a bundle's horizon that cannot be run, and for a market without orders.
        """
        check(self.plan)
        jobs = [job for name, market in self.plan.markets.items() for job in self._market_jobs(name, market)]
        jobs += self._walk_jobs(self.plan.walk) if self.plan.walk else []
        jobs += self._repurchase_jobs(self.plan.repurchase) if self.plan.repurchase else []
        self.require_lengths(jobs)
        kept = self.out / KEPT
        measure_units(
            [unit for job in jobs for unit in job.units], kept, self.policies, self.bundle, self.jobs, self.ray
        )
        results: Results = {}
        for job in jobs:
            of_length = read_results(job.market, job.units, kept, max_steps=job.max_steps, shown=job.shown)
            results.setdefault(job.market, []).append(of_length)
        return results

    def require_lengths(self, jobs: Iterable[LengthUnits]) -> None:
        """Raises InvalidInput, before anything is measured, where a policy cannot decide orders of a plan's length."""
        for job in jobs:
            policy = min((self.policies[unit.policy] for unit in job.units), key=lambda each: each.max_steps)
            if job.max_steps > policy.max_steps:
                raise InvalidInput(
                    "max_steps_too_long",
                    f"{job.market}: max_steps is {job.max_steps}, and {policy.name} decides at most {policy.max_steps} "
                    "steps: take this horizon out of the plan, or measure another bundle",
                )

    def write(self, results: Results, facts: dict[str, str]) -> Tables:
        """Write what follows from the results of `measure`. `facts` stand at the top of the report and the summary."""
        tables = self._tables(results)
        for name, rows in tables.items():
            write_csv(self.out / f"{name}.csv", name, rows)
        write_text(self.out / REPORT, html_report(facts, tables))
        write_text(self.out / SUMMARY, summary_page(tables, facts))
        return tables

    def _tables(self, results: Results) -> Tables:
        by_length = [
            market_tables(of_length, published=market.published, resamples=self.plan.resamples, seed=self.plan.seed)
            for name, market in self.plan.markets.items()
            for of_length in results[name]
        ]
        tables = {name: [row for tables in by_length for row in tables.get(name, ())] for name in COLUMNS}
        if self.plan.walk:
            walk = self.plan.walk
            tables["walk"] = [row for of_length in results[FOLDER] for row in random_walk(of_length, walk.sigma_bps)]
        if self.plan.repurchase:
            tables["repurchase"] = list(self._contracts(results, self.plan.repurchase))
        return tables

    def _contracts(self, results: Results, repurchase: RepurchasePlan) -> Iterator[Row]:
        real = ", ".join(path.stem for path in repurchase.market.paths) if repurchase.market else ""
        for market, bars in ((REPURCHASE_WALKS, WALKS), (REPURCHASE_BARS, real)):
            for each, contract in zip(results.get(market, []), repurchase.contracts, strict=False):
                yield from contract_rows(each, contract, bars=bars, resamples=self.plan.resamples, seed=self.plan.seed)

    def _market_jobs(self, name: str, market: EvaluationMarket) -> list[LengthUnits]:
        files = bar_files(market.paths)
        found = []
        for horizon in self.plan.horizons_of(market):
            settings = {
                "every": every_of(horizon, market, files),
                "step_seconds": market.step_seconds,
                "span": (market.start_seconds, market.end_seconds),
                "starts": horizon.starts or Starts.BARS,
            }
            runs = {key: tuple(market_runs(self.plan, horizon, key, each)) for key, each in self.policies.items()}
            units = self._units(name, files, runs, **settings)
            found.append(LengthUnits(market=name, max_steps=horizon.max_steps, shown=horizon.shown, units=units))
        return found

    def _walk_jobs(self, walk: WalkPlan) -> list[LengthUnits]:
        folder = self.out / KEPT / FOLDER
        policies = {name: self.policies[name] for name in WALK_POLICIES}
        if not walk.horizons:
            runs = {name: tuple(usual_walk_runs(self.plan, walk, name, each)) for name, each in policies.items()}
            return [self._plain_job(FOLDER, self.plan.max_steps, write_walks(walk, folder), runs)]
        return [
            self._plain_job(
                FOLDER,
                horizon.max_steps,
                write_walks(of_length(walk, horizon), folder),
                {name: tuple(walk_runs(horizon, name, each)) for name, each in policies.items()},
            )
            for horizon in walk.horizons
        ]

    def _repurchase_jobs(self, repurchase: RepurchasePlan) -> list[LengthUnits]:
        found = []
        for contract in repurchase.contracts:
            runs = {
                name: tuple(contract_runs(contract, repurchase.slice_caps, name, self.policies[name]))
                for name in CONTRACT_POLICIES
            }
            walks = write_contract_walks(repurchase, contract, self.out / KEPT / REPURCHASE_WALKS)
            found.append(self._plain_job(REPURCHASE_WALKS, contract.max_steps, walks, runs))
            if market := repurchase.market:
                span = (market.start_seconds, market.end_seconds)
                files = bar_files(market.paths)
                found.append(self._plain_job(REPURCHASE_BARS, contract.max_steps, files, runs, span, market.every))
        return found

    def _plain_job(
        self,
        market: str,
        max_steps: int,
        files: list[Path],
        runs: dict[str, tuple[Run, ...]],
        span: tuple[int | None, int | None] = (None, None),
        every: int | None = None,
    ) -> LengthUnits:
        """Orders that follow each other, or start every `every` bars."""
        units = self._units(market, files, runs, every=every or max_steps, step_seconds=None, span=span)
        return LengthUnits(market=market, max_steps=max_steps, shown=(), units=units)

    def _units(self, market: str, files: list[Path], runs: dict[str, tuple[Run, ...]], **settings: Any) -> list[Unit]:
        return [
            Unit(
                market=market,
                path=path,
                policy=name,
                policy_name=self.policies[name].name,
                runs=of_policy,
                **settings,
            )
            for path in files
            for name, of_policy in runs.items()
        ]


def write_text(path: Path, text: str) -> None:
    with written_whole(path) as draft:
        draft.write_text(text)
