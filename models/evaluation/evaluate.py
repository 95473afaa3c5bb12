"""From a plan to CSV files and a report: measure what is not kept yet, then put the tables together."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.backtest.job import LEM, load_policy
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from models.evaluation import calibration, more_tables, tables
from models.evaluation.columns import COLUMNS, INTERVAL
from models.evaluation.evaluation_plan import EvaluationMarket, EvaluationPlan, WalkPlan
from models.evaluation.groups import BOTH
from models.evaluation.html_report import Heading, html_report
from models.evaluation.measure_units import measure_units
from models.evaluation.planned_runs import every_of, market_runs, walk_runs
from models.evaluation.published import blocks
from models.evaluation.results import Results, read_results
from models.evaluation.rivals import POLICIES, STOPPING_BASELINE
from models.evaluation.statistics import Row, Tables
from models.evaluation.summary import markdown
from models.evaluation.tracking import tracking
from models.evaluation.units import Unit
from models.evaluation.walk import FOLDER, walk_table, write_walks
from models.settings.files import bar_files

KEPT = "kept"
REPORT = "report.html"
SUMMARY = "summary.md"
WALK_POLICIES = (LEM, STOPPING_BASELINE, "twap")


def check(plan: EvaluationPlan) -> None:
    """Raises InvalidInput for a plan that nothing can come of, before anything is loaded."""
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

    def write(self, results: dict[str, Results], facts: dict[str, str]) -> Tables:
        """The tables of what `measure` gave; `facts` are told at the top of the report."""
        found = [self._tables(results[name]) for name in self.plan.markets]
        together: Tables = {name: [row for each in found for row in each[name]] for name in COLUMNS}
        if self.plan.walk:
            together["walk"] = list(walk_table(results[FOLDER], self.plan.walk))
        for name, rows in together.items():
            write_csv(self.out / f"{name}.csv", name, rows)
        heading = Heading(title="LEM evaluation", facts=facts)
        (self.out / REPORT).write_text(html_report(heading, together, list(self.plan.markets)))
        (self.out / SUMMARY).write_text(markdown(together, facts))
        return together

    def measure(self) -> dict[str, Results]:
        """Work off all units that are not kept yet; the results by market, the walk's under `FOLDER`.

        Raises InvalidInput for bars, a plan or a bundle's horizon that cannot be run, and for a market without orders.
        """
        check(self.plan)
        units = {name: self._market_units(name, market) for name, market in self.plan.markets.items()}
        if self.plan.walk:
            units[FOLDER] = self._walk_units(self.plan.walk)
        kept = self.out / KEPT
        together = [unit for of_market in units.values() for unit in of_market]
        measure_units(together, kept, self.policies, self.bundle, self.jobs)
        return {name: read_results(name, of_market, kept) for name, of_market in units.items()}

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

    def _tables(self, results: Results) -> Tables:
        resamples, seed = self.plan.resamples, self.plan.seed
        made: dict[str, Iterable[Row]] = {
            "distributions": tables.distributions(results, self.plan.markets[results.market].published),
            "paired": tables.paired(results, resamples, seed),
            "frontier": tables.frontier(results),
            "frontier_paired": tables.frontier_paired(results, resamples, seed),
            "costs": more_tables.costs(results, resamples, seed),
            "months": more_tables.months(results),
            "tracking": tracking(results, resamples, seed),
            "stop_calibration": calibration.stop_calibration(results),
            "stop_steps": calibration.stop_steps(results),
            "volume_errors": calibration.volume_errors(results),
            "volume_deciles": calibration.volume_deciles(results),
            "walk": (),
        }
        return {name: list(rows) for name, rows in made.items()}


def write_csv(path: Path, table: str, rows: Iterable[Row]) -> None:
    """Columns as pinned; what a row has beyond them is left out, what it lacks stays empty."""
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS[table], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    draft.replace(path)


def _plain(value: object) -> object:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def show(console: Console, together: Tables) -> None:
    """The short version: LEM against each baseline by market, and the walk."""
    shown = Table(title="LEM less baseline: gain in bps, 95 % interval; positive is good", title_justify="left")
    for name in ("market", "baseline", "benchmark", "min", "orders", "difference", "from", "to"):
        shown.add_column(name, justify="left" if name in ("market", "baseline", "benchmark") else "right")
    steps = {row["min_steps"] for row in together["frontier"]}
    for row in together["paired"]:
        if row["side"] == BOTH and row["min_steps"] in steps:
            words = [row["market"], row["baseline"], row["benchmark"], str(row["min_steps"]), f"{row['orders']:,}"]
            shown.add_row(*words, *(f"{row[name]:z.2f}" for name in INTERVAL))
    if shown.row_count:
        console.print(shown)
    if together["walk"]:
        console.print(_walk_shown(together["walk"]))


def _walk_shown(rows: Iterable[Row]) -> Table:
    shown = Table(title="random walk: gain against TWAP in sigmas", title_justify="left")
    for name in ("policy", "cap", "risk", "min", "optimum", "mean", "share", "std", "P5"):
        shown.add_column(name, justify="left" if name == "policy" else "right")
    for row in rows:
        words = [row["policy"], f"{row['slice_cap']:g}", f"{row['risk_aversion']:g}", str(row["min_steps"])]
        figures = ("optimum_sigma", "gain_sigma_mean", "share_of_optimum", "gain_sigma_std", "gain_sigma_p5")
        shown.add_row(*words, *("" if math.isnan(row[name]) else f"{row[name]:z.3f}" for name in figures))
    return shown
