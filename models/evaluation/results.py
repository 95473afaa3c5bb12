"""Kept figures of one market, put together over its instruments, one run at a time so that memory stays bounded.

Policies need histories of different lengths, so some start earlier in a bar file than others. Figures of theirs that
stand in one table are of the same orders: those at the starts that all of them have.

Shapes: S starts of orders, C scenarios, M entries of min_steps, N steps, D decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bars.series import DAY_SECONDS
from app.domain.errors import InvalidInput
from models.evaluation.backtest_run import Part, Run
from models.evaluation.groups import Group
from models.evaluation.units import Unit

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]
Names = Callable[[int], tuple[str, ...]]
"""Of kept arrays, by the run's number in its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What one run achieved: `slippage_bps` and `steps_used` [S, C, M] by the run's scenarios and min_steps; `sigma`
    [S] is the volatility per bar known at the start, as a fraction. Row s is the same order in all runs of a market."""

    run: Run
    start_time: Integers
    bar_seconds: int
    sigma: Vector
    slippage_bps: NDArray[np.float32]
    steps_used: NDArray[np.int8]

    @property
    def day(self) -> Integers:
        return self.start_time // DAY_SECONDS

    def pick(self, chosen: Integers) -> Orders:
        """The starts at the given positions."""
        names = ("start_time", "sigma", "slippage_bps", "steps_used")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def at(self, group: Group, min_steps: int) -> NDArray[np.float32]:
        """[S, scenarios of the group]: slippage in bps."""
        place = self.run.min_steps.index(min_steps)
        return self.slippage_bps[:, group.places(self.run), place]

    def steps_at(self, group: Group, min_steps: int) -> NDArray[np.int8]:
        return self.steps_used[:, group.places(self.run), self.run.min_steps.index(min_steps)]


@dataclass(frozen=True, slots=True)
class Results:
    """Every unit of one market, read from `folder` when asked for; `shared` has the start times [S], in seconds since
    the epoch, that all policies have in a bar file."""

    market: str
    units: Sequence[Unit]
    folder: Path
    shared: Mapping[Path, Integers]

    @property
    def policies(self) -> list[str]:
        return list(dict.fromkeys(unit.policy for unit in self.units))

    def runs(self, part: Part, policy: str | None = None) -> list[Run]:
        firsts = {unit.policy: unit for unit in reversed(self.units)}
        wanted = [firsts[name] for name in self.policies if policy in (None, name)]
        return [run for unit in wanted for run in unit.runs if run.part is part]

    def orders(self, run: Run) -> Orders:
        of_starts = ("start_time", "bar_seconds", "sigma")
        arrays = self._at_shared(run, lambda number: (*of_starts, f"{number}.slippage_bps", f"{number}.steps_used"))
        start_time, bar_seconds, sigma, slippage, steps = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        return Orders(
            run=run,
            start_time=start_time,
            bar_seconds=int(bar_seconds.max(initial=0)),
            sigma=sigma,
            slippage_bps=slippage,
            steps_used=steps,
        )

    def volumes(self, policy: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Forecasts and what came, [S, N] each, over the trailing mean."""
        arrays = self._at_shared(self.runs(Part.MAIN, policy)[0], lambda _: ("forecast", "came"))
        forecast, came = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        return forecast, came

    def starts_before(self, moment: int) -> tuple[int, int]:
        """How many of the shared starts lie before `moment` (seconds since the epoch), and how many there are."""
        times = np.concatenate(list(self.shared.values()))
        return int((times < moment).sum()), len(times)

    def stops(self, run: Run) -> dict[str, NDArray[Any]]:
        """All decisions of the run, [D] each. They do not say of which start they are, so they are not cut to the
        shared ones; one policy alone has them."""
        names = ("step", "scenario", "min_steps", "probability", "advantage_sigma", "reached")
        arrays = [found for _, found in self._arrays(run, lambda number: tuple(f"{number}.{name}" for name in names))]
        return {name: np.concatenate(parts) for name, parts in zip(names, zip(*arrays, strict=True), strict=True)}

    def _at_shared(self, run: Run, names: Names) -> list[tuple[NDArray[Any], ...]]:
        """As `_arrays`, of arrays with one row per start, cut to the shared ones."""
        found = []
        for path, (times, *arrays) in self._arrays(run, lambda number: ("start_time", *names(number))):
            shared = np.isin(times, self.shared[path])
            found.append(tuple(array[shared] for array in arrays))
        return found

    def _arrays(self, run: Run, names: Names) -> Iterator[tuple[Path, tuple[NDArray[Any], ...]]]:
        """Each bar file and its arrays, in the order of the files, so that rows are in the same order throughout."""
        for unit in self.units:
            if unit.policy == run.policy:
                with np.load(unit.kept(self.folder)) as kept:
                    yield unit.path, tuple(kept[name] for name in names(unit.runs.index(run)))


def read_results(market: str, units: Sequence[Unit], folder: Path) -> Results:
    """Of units that `folder` holds. Raises InvalidInput where no start is shared by all policies."""
    shared: dict[Path, Integers] = {}
    for unit in units:
        with np.load(unit.kept(folder)) as kept:
            times = kept["start_time"]
        shared[unit.path] = np.intersect1d(shared.get(unit.path, times), times)
    if not any(len(times) for times in shared.values()):
        raise InvalidInput(
            "no_orders",
            f"{market}: no order could start; the history before it that every policy needs, most of all the model, "
            "and max_steps bars after it must be there, between start and end",
        )
    return Results(market, units, folder, shared)
