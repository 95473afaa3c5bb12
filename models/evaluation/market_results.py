"""The kept figures of one market, put together over its instruments, one run at a time so that memory stays bounded.

Policies need histories of different lengths, so some start earlier in a bar file than others. Figures that stand in one
table are of the same orders: those at the starts that all policies have.

Shapes: S starts of orders, C scenarios, M entries of min_steps, N steps, D decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.job import LEM
from app.bars.bar_files import told_span
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from models.evaluation.backtest_run import Part, Run
from models.evaluation.scenario_groups import ScenarioGroup
from models.evaluation.units import Unit

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]
Figures = dict[str, NDArray[Any]]

OF_ALL_RUNS = ("start_time", "end_time", "windows", "bar_seconds", "sigma", "forecast", "came")
"""Figures that a unit has once; all others it has for each of its runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The outcome of one run: `slippage_bps` and `steps_used` [S, C, M] by the run's scenarios and min_steps; `sigma`
    [S] is the volatility per bar known at the start, as a fraction. An order could have run from `start_time` to
    `end_time` [S]. Row s is the same order in all runs of a market."""

    run: Run
    start_time: Integers
    end_time: Integers
    bar_seconds: int
    sigma: Vector
    slippage_bps: NDArray[np.float32]
    steps_used: NDArray[np.int16]

    @property
    def horizon_days(self) -> int:
        """The days of the calendar that the longest order may run, nights and weekends in it included; at least 1."""
        return max(1, -(-int((self.end_time - self.start_time).max(initial=0)) // DAY_SECONDS))

    @property
    def day(self) -> Integers:
        return self.start_time // DAY_SECONDS

    def pick(self, chosen: Integers) -> Orders:
        """The starts at the given positions."""
        names = ("start_time", "end_time", "sigma", "slippage_bps", "steps_used")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def slippage_of(self, group: ScenarioGroup, min_steps: int) -> NDArray[np.float32]:
        """[S, scenarios of the group], in bps."""
        return self.slippage_bps[:, group.indices(self.run), self.run.min_steps.index(min_steps)]

    def gain_of(self, group: ScenarioGroup, min_steps: int) -> Vector:
        """[S, scenarios of the group]: minus slippage, in bps."""
        return -self.slippage_of(group, min_steps).astype(np.float64)

    def steps_of(self, group: ScenarioGroup, min_steps: int) -> NDArray[np.int16]:
        return self.steps_used[:, group.indices(self.run), self.run.min_steps.index(min_steps)]


@dataclass(frozen=True, slots=True)
class MarketResults:
    """Every unit of one market and one length of orders, read from `folder` when asked for. `shared` has the start
    times [S], in seconds since the epoch, that all policies have in a bar file. `shown` are the min_steps of the
    frontier.

    Orders on sessions that have fewer windows than max_steps are shorter than the others: they are left out unless
    `short` asks for them alone.
    """

    market: str
    max_steps: int
    shown: tuple[int, ...]
    units: Sequence[Unit]
    folder: Path
    shared: Mapping[Path, Integers]

    @property
    def policies(self) -> list[str]:
        return list(dict.fromkeys(unit.policy for unit in self.units))

    @property
    def start_times(self) -> Integers:
        """The shared starts of all files."""
        return np.concatenate(list(self.shared.values()))

    @property
    def bar_seconds(self) -> int:
        """The longest step of the market's orders."""
        return self.orders(self.runs(Part.MAIN)[0]).bar_seconds

    def runs(self, part: Part, policy: str | None = None) -> list[Run]:
        first_units = {unit.policy: unit for unit in reversed(self.units)}
        wanted = [first_units[name] for name in self.policies if policy in (None, name)]
        return [run for unit in wanted for run in unit.runs if run.part is part]

    def points(self) -> list[Run]:
        """The LEM's runs of the frontier by risk aversion, its main run among them."""
        runs = self.runs(Part.MAIN, LEM) + self.runs(Part.FRONTIER, LEM)
        return sorted(runs, key=lambda run: run.risk_aversion) if self.shown else []

    def orders(self, run: Run, *, short: bool = False) -> Orders:
        names = ("start_time", "end_time", "bar_seconds", "sigma", "slippage_bps", "steps_used")
        figures = self._at_shared(run, *names, short=short)
        bar_seconds = int(figures.pop("bar_seconds").max(initial=0))
        return Orders(run=run, bar_seconds=bar_seconds, **figures)

    def volumes(self, policy: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The volumes forecast and the volumes that came, [S, N] each, over the trailing mean."""
        figures = self._at_shared(self.runs(Part.MAIN, policy)[0], "forecast", "came")
        return figures["forecast"], figures["came"]

    def gain_parts(self, run: Run) -> Figures:
        """The figures of `gain_parts` of a run of `Part.REPURCHASE`, [S, C, M] each."""
        return self._at_shared(run, "stop_bps", "convexity_bps")

    def session_parts(self, run: Run, *, short: bool) -> Figures:
        """The figures of a run of `Part.PARTS`, [S, P] each."""
        return self._at_shared(run, "share", "market_share", "cost_bps", short=short)

    def stops(self, run: Run) -> Figures:
        """All decisions of the run, [D] each. A decision has no start time, so these are not cut to the shared starts;
        only one policy has them."""
        names = ("step", "scenario", "min_steps", "probability", "advantage_sigma", "reached")
        return _concatenated([figures for _, figures in self._kept(run, names)])

    def _at_shared(self, run: Run, *names: str, short: bool = False) -> Figures:
        """Figures with one row per start, cut to the shared starts."""
        parts = []
        for path, figures in self._kept(run, dict.fromkeys(("start_time", "windows", *names))):
            is_shared = np.isin(figures["start_time"], self.shared[path])
            is_shared &= (figures["windows"] < self.max_steps) == short
            parts.append({name: figures[name][is_shared] for name in names})
        return _concatenated(parts)

    def _kept(self, run: Run, names: Iterable[str]) -> Iterator[tuple[Path, Figures]]:
        """Each bar file with its figures, in the order of the files, so that rows have the same order throughout."""
        for unit in self.units:
            if unit.policy == run.policy:
                number = unit.runs.index(run)
                with np.load(unit.kept(self.folder)) as kept:
                    yield unit.path, {name: kept[_key(name, number)] for name in names}


Results = dict[str, list[MarketResults]]
"""By market, in the order of its lengths of orders."""


def _key(name: str, run_number: int) -> str:
    """The name of the figures in the file of a unit."""
    return name if name in OF_ALL_RUNS else f"{run_number}.{name}"


def _concatenated(parts: Sequence[Figures]) -> Figures:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def read_results(
    market: str, units: Sequence[Unit], folder: Path, *, max_steps: int, shown: tuple[int, ...] = ()
) -> MarketResults:
    """The results of units that `folder` holds. Raises InvalidInput where no start is shared by all policies."""
    shared: dict[Path, Integers] = {}
    whole: dict[Path, bool] = {}
    for unit in units:
        with np.load(unit.kept(folder)) as kept:
            times = np.intersect1d(shared.get(unit.path, kept["start_time"]), kept["start_time"])
            shared[unit.path] = times
            whole[unit.path] = max_steps in kept["windows"][np.isin(kept["start_time"], times)]
    if not any(whole.values()):
        raise InvalidInput(
            "no_orders",
            f"{market}: no order of up to {max_steps} steps could start. It must start between the market's start and "
            "end, after the history that every policy needs (most of all the model) and max_steps bars before the end "
            "of the bars, or of the session where it starts at the open; the files have bars "
            f"{told_span(dict.fromkeys(unit.path for unit in units))}",
        )
    return MarketResults(market, max_steps, shown, units, folder, shared)
