"""Kept figures of one market, put together over its instruments, one run at a time so that memory stays bounded.

Shapes: S starts of orders, C scenarios, M entries of min_steps, N steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.groups import Group
from models.evaluation.runs import Part, Run
from models.evaluation.units import Unit

DAY_SECONDS = 86_400

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What one run achieved: `slippage_bps` and `steps_used` [S, C, M] by the run's scenarios and min_steps; `sigma`
    [S] is the volatility per bar known at the start, as a fraction; `key` [S] names instrument and start."""

    run: Run
    key: Integers
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
        names = ("key", "start_time", "sigma", "slippage_bps", "steps_used")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def at(self, group: Group, min_steps: int) -> NDArray[np.float32]:
        """[S, scenarios of the group]: slippage in bps."""
        place = self.run.min_steps.index(min_steps)
        return self.slippage_bps[:, group.places(self.run), place]

    def steps_at(self, group: Group, min_steps: int) -> NDArray[np.int8]:
        return self.steps_used[:, group.places(self.run), self.run.min_steps.index(min_steps)]


@dataclass(frozen=True, slots=True)
class Results:
    """Every unit of one market, read from `folder` when asked for."""

    market: str
    units: Sequence[Unit]
    folder: Path

    @property
    def policies(self) -> list[str]:
        return list(dict.fromkeys(unit.policy for unit in self.units))

    def runs(self, part: Part, policy: str | None = None) -> list[Run]:
        firsts = {unit.policy: unit for unit in reversed(self.units)}
        wanted = [firsts[name] for name in self.policies if policy in (None, name)]
        return [run for unit in wanted for run in unit.runs if run.part is part]

    def orders(self, run: Run) -> Orders:
        of_starts = ("start_time", "bar_seconds", "sigma")
        arrays = self._arrays(run, lambda number: (*of_starts, f"{number}.slippage_bps", f"{number}.steps_used"))
        instrument = np.repeat(np.arange(len(arrays)), [len(part[0]) for part in arrays])
        start_time, bar_seconds, sigma, slippage, steps = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        return Orders(
            run=run,
            key=start_time * len(arrays) + instrument,
            start_time=start_time,
            bar_seconds=int(bar_seconds.max(initial=0)),
            sigma=sigma,
            slippage_bps=slippage,
            steps_used=steps,
        )

    def volumes(self, policy: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Forecasts and what came, [S, N] each, over the trailing mean."""
        arrays = self._arrays(self.runs(Part.MAIN, policy)[0], lambda _: ("forecast", "came"))
        forecast, came = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        return forecast, came

    def stops(self, run: Run) -> dict[str, NDArray[Any]]:
        names = ("step", "scenario", "min_steps", "probability", "advantage_sigma", "reached")
        arrays = self._arrays(run, lambda number: tuple(f"{number}.{name}" for name in names))
        return {name: np.concatenate(parts) for name, parts in zip(names, zip(*arrays, strict=True), strict=True)}

    def _arrays(self, run: Run, names: Callable[[int], tuple[str, ...]]) -> list[tuple[NDArray[Any], ...]]:
        """One entry per bar file, in the order of the files, so that an instrument has the same number throughout."""
        found = []
        for unit in self.units:
            if unit.policy == run.policy:
                with np.load(unit.kept(self.folder)) as kept:
                    found.append(tuple(kept[name] for name in names(unit.runs.index(run))))
        return found


def same_orders(one: Orders, other: Orders) -> tuple[Orders, Orders]:
    """Both on the starts that they share."""
    if np.array_equal(one.key, other.key):
        return one, other
    _, at, there = np.intersect1d(one.key, other.key, return_indices=True)
    return one.pick(at), other.pick(there)
