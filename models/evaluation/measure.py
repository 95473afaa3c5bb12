"""Measure all runs of one policy on one bar file. The policy reads the market once for all of them.

Shapes: S starts of orders, C scenarios, M entries of min_steps, N steps, D decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.backtest.job import load_policy
from app.backtest.observing import OBSERVING_SHARE, Observed, observe_series
from app.backtest.order_batch import trailing_mean
from app.backtest.progress import OnShare, scaled
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup, Starts
from app.bars.series import Series
from app.bars.stretches import stretches
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from models.evaluation.backtest_run import Part, Run
from models.evaluation.repurchase.gain_parts import gain_parts
from models.evaluation.session_parts import session_parts
from models.evaluation.stops import NeverStopping, stop_decisions

Arrays = dict[str, NDArray[Any]]

STEPS_PER_PART = 50_000
"""Starts times max_steps that are taken at once: bounds the memory, however many starts a file has and however long the
orders are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRule:
    """Where orders start: every `every` bars, or sessions, from `start` to before `end`, in seconds since the epoch."""

    every: int
    start: int | None
    end: int | None
    starts: Starts

    def setup(self, run: Run) -> Setup:
        return run.setup(self.every, self.start, self.end, self.starts)


def measure_file(
    path: Path,
    policy: Policy,
    runs: list[Run],
    *,
    every: int,
    step_seconds: int | None,
    span: tuple[int | None, int | None],
    starts: Starts = Starts.BARS,
    on_progress: OnShare = lambda _: None,
) -> Arrays:
    """The figures of `runs` on one file, by name. `span` is the first start and the end of starts, in seconds since the
    epoch, `starts` the rule of `Setup`; `on_progress` gets the share of the work that was done since its last call.

    `start_time`, `end_time`, `windows`, `bar_seconds` and `sigma` [S] are the same for all runs: an order may run from
    `start_time` to `end_time`, in `windows` steps at most. Run r has `r.slippage_bps` (float32) and `r.steps_used`
    (int16), [S, C, M]; a run of `Part.STOP` has the figures of `stop_decisions` instead, of orders of max_steps alone,
    a run of `Part.PARTS` those of `session_parts`, and one of `Part.REPURCHASE` those of `gain_parts` too.
    `forecast` and `came` [S, N] are volumes over the trailing mean, NaN beyond an order's windows. Raises InvalidInput
    for a file that cannot be read.
    """
    start, end = span
    rule = StartRule(every=every, start=start, end=end, starts=starts)
    found = stretches(path, step_seconds)
    parts = []
    for series in found:
        share = len(series) / sum(len(each) for each in found)
        observed = observe_series(series, policy, rule.setup(runs[0]), scaled(on_progress, share))
        total, at_once = max(1, len(observed.starts)), max(1, STEPS_PER_PART // runs[0].max_steps)
        for chosen in np.split(np.arange(len(observed.starts)), range(at_once, total, at_once)):
            on_part = scaled(on_progress, (1.0 - OBSERVING_SHARE) * share * len(chosen) / total)
            parts.append(_part(series, policy, observed.pick(chosen), runs, rule, on_part))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _part(
    series: Series, policy: Policy, observed: Observed, runs: list[Run], rule: StartRule, on_progress: OnShare
) -> Arrays:
    """All runs on the starts of `observed`."""
    last = observed.starts + observed.windows - 1
    part: Arrays = {"start_time": series.open_time[observed.starts], "windows": observed.windows}
    part["end_time"] = series.open_time[last] + series.bar_seconds
    part["bar_seconds"] = np.full(len(observed.starts), series.bar_seconds)
    part |= _volumes(series, observed, runs[0].max_steps)
    for number, run in enumerate(runs):
        part |= {
            name if name == "sigma" else f"{number}.{name}": figures
            for name, figures in _measured(series, policy, run, observed, rule.setup(run)).items()
        }
        on_progress(1.0 / len(runs))
    return part


def _measured(series: Series, policy: Policy, run: Run, observed: Observed, setup: Setup) -> Arrays:
    if run.part is Part.STOP:
        whole = observed.pick(np.flatnonzero(observed.windows == run.max_steps))
        outcome = run_series(series, NeverStopping(policy), setup, observed=_never_stopping(whole), trace=True)
        return stop_decisions(series, outcome, setup)
    outcome = run_series(series, policy, setup, observed=observed, trace=run.part is Part.PARTS)
    if outcome.fallbacks:
        raise InvalidInput(
            "policy_failed",
            f"{series.instrument}: {run.policy} failed, or answered with NaN, in {outcome.fallbacks} decisions",
        )
    if run.part is Part.PARTS:
        return session_parts(series, outcome)
    shape = (len(observed.starts), len(run.scenarios), len(run.min_steps))
    parts = gain_parts(series, outcome) if run.part is Part.REPURCHASE else {}
    return {
        "sigma": _per_start(outcome, shape),
        "slippage_bps": outcome.slippage_bps.reshape(shape).astype(np.float32),
        "steps_used": outcome.steps_used.reshape(shape).astype(np.int16),
        **{name: values.reshape(shape).astype(np.float32) for name, values in parts.items()},
    }


def _per_start(outcome: Outcome, shape: tuple[int, int, int]) -> NDArray[np.float64]:
    sigma: NDArray[np.float64] = outcome.sigma.reshape(shape)[:, 0, 0]
    return sigma


def _never_stopping(observed: Observed) -> Observed:
    reading = observed.reading
    return replace(observed, reading=replace(reading, policy=NeverStopping(reading.policy)))


def _volumes(series: Series, observed: Observed, steps: int) -> Arrays:
    """The volume that was expected at each start, and the volume that came, over the mean of the bars before; NaN where
    that mean is 0."""
    starts, market = observed.starts, observed.reading.market
    if market is None or not len(starts):
        nothing = np.zeros((0, steps), dtype=np.float32)
        return {"forecast": nothing, "came": nothing, "sigma": np.zeros(0)}
    steps = min(steps, market.volume_forecast.shape[1])
    mean = trailing_mean(series.volume, starts)
    level = np.where(mean > 0.0, mean, np.nan)[:, None]
    ahead = np.where(np.arange(steps) < observed.windows[:, None], 1.0, np.nan)
    expected = market.volume_forecast[observed.market_of_bar[starts - 1], :steps] * ahead
    came = sliding_window_view(np.concatenate([series.volume, np.zeros(steps)]), steps)[starts] * ahead
    return {"forecast": (expected / level).astype(np.float32), "came": (came / level).astype(np.float32)}


def measure_file_alone(path: Path, name: str, bundle: Path, runs: list[Run], **settings: Any) -> Arrays:
    """As `measure_file`, in a process that has not loaded the policy yet."""
    return measure_file(path, load_policy(name, bundle), runs, **settings)
